//! Cuts a script down: steps are left out for as long as what is left still differs.

use std::fmt;
use std::str::FromStr;

/// The steps of a script that are played, by their places; all of them, if it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keep(Option<Vec<usize>>);

impl Keep {
    pub(super) fn only(places: Vec<usize>) -> Self {
        Self(Some(places))
    }

    /// What is kept of `steps`. Places that there are not are left out.
    pub(super) fn of<T>(&self, steps: Vec<T>) -> Vec<T> {
        match &self.0 {
            None => steps,
            Some(places) => {
                let kept = |(place, step): (usize, T)| places.contains(&place).then_some(step);
                steps.into_iter().enumerate().filter_map(kept).collect()
            }
        }
    }
}

/// Places, with commas between them; nothing for all.
impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, place) in self.0.iter().flatten().enumerate() {
            write!(f, "{}{place}", if nth == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let place =
            |part: &str| part.trim().parse().map_err(|error| format!("{part:?} is no place of a step: {error}"));
        text.split(',').map(place).collect::<Result<_, _>>().map(|places| Self(Some(places)))
    }
}

/// The places of `steps` steps that are needed so that it still differs: without any one of them, it does not. Larger parts are left
/// out first.
///
/// # Errors
///
/// That of `differs`.
pub(super) fn shrink<E>(steps: usize, mut differs: impl FnMut(&[usize]) -> Result<bool, E>) -> Result<Vec<usize>, E> {
    let mut kept: Vec<usize> = (0..steps).collect();
    let mut part = steps.div_ceil(2);
    while part > 0 {
        let mut begin = 0;
        let mut was_cut = false;
        while begin < kept.len() {
            let end = (begin + part).min(kept.len());
            let rest: Vec<usize> = kept[..begin].iter().chain(&kept[end..]).copied().collect();
            if differs(&rest)? {
                (kept, was_cut) = (rest, true);
            } else {
                begin = end;
            }
        }
        // What could not be left out may be possible now that others have gone.
        part = if part == 1 && was_cut { 1 } else { part / 2 };
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrunk(steps: usize, mut differs: impl FnMut(&[usize]) -> bool) -> Vec<usize> {
        shrink(steps, |kept| Ok::<_, String>(differs(kept))).expect("it never fails")
    }

    #[test]
    fn what_is_needed_is_left() {
        let needs = |needed: &'static [usize]| move |kept: &[usize]| needed.iter().all(|place| kept.contains(place));
        assert_eq!(shrunk(30, needs(&[3, 17, 29])), [3, 17, 29]);
        assert_eq!(shrunk(1, needs(&[0])), [0]);
        assert_eq!(shrunk(7, |_| true), [0_usize; 0]);
    }

    #[test]
    fn no_single_step_of_what_is_left_can_go() {
        // One of two is needed, and an even number of the others.
        let differs = |kept: &[usize]| (kept.contains(&2) || kept.contains(&9)) && kept.len() % 2 == 1;
        let left = shrunk(21, differs);
        assert!(differs(&left), "{left:?}");
        for place in 0..left.len() {
            let mut without = left.clone();
            without.remove(place);
            assert!(!differs(&without), "{left:?} without {}", left[place]);
        }
    }

    #[test]
    fn it_takes_few_plays() {
        let mut plays = 0;
        shrunk(32, |kept| {
            plays += 1;
            kept.contains(&5) && kept.contains(&20)
        });
        assert!(plays < 64, "{plays}");
    }

    #[test]
    fn places_are_written_and_read() {
        let keep: Keep = "0, 3,7".parse().expect("these are places");
        assert_eq!(keep.to_string(), "0,3,7");
        assert_eq!(keep.of(vec!['a', 'b', 'c', 'd']), ['a', 'd']);
        let all: Keep = "".parse().expect("all of them");
        assert_eq!((all.to_string(), all.of(vec!['a', 'b'])), (String::new(), vec!['a', 'b']));
        assert!("1,x".parse::<Keep>().expect_err("x").contains("\"x\" is no place"));
    }
}
