//! The mix: how many of the jobs of a soak are of which kind.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

/// What becomes of a job, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It returns, after up to five yields.
    Success,
    /// Its run time-out is due while it is pending.
    OutRunning,
    /// Its deadline or queue time-out is due before a lane gets to it.
    OutQueued,
    /// It is cancelled as soon as it was submitted.
    CancelledQueued,
    /// It is cancelled when it has begun.
    CancelledRunning,
    /// It is cancelled at the instant at which it returns.
    CancelledAtCompletion,
    /// It returns an error.
    Error,
    /// Its poll panics, its destructor, both, or the destructor of what it returned.
    Panic,
    /// It is a call that does not look at its token.
    Blocking,
    /// It submits another one, cancels itself, loses its handle, or is refused at a full queue.
    Entangled,
}

macro_rules! mix {
    ($($field:ident = $weight:literal, $kind:ident;)*) => {
        /// Weights; what is not named does not occur.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct Mix {
            $(#[serde(default)] $field: u32,)*
        }

        impl Mix {
            /// The one that the checks use; its weights are hundredths.
            pub(crate) const USUAL: Self = Self { $($field: $weight,)* };

            fn weights(&self) -> [(Kind, u32); [$($weight),*].len()] {
                [$((Kind::$kind, self.$field)),*]
            }
        }
    };
}

mix! {
    success = 46, Success;
    timed_out_running = 8, OutRunning;
    timed_out_queued = 6, OutQueued;
    cancelled_queued = 10, CancelledQueued;
    cancelled_running = 10, CancelledRunning;
    cancelled_at_completion = 4, CancelledAtCompletion;
    error = 6, Error;
    panic = 4, Panic;
    blocking = 2, Blocking;
    entangled = 4, Entangled;
}

impl Mix {
    /// Reads one, as `--print-mix` writes it.
    ///
    /// # Errors
    ///
    /// What is wrong, with its line and column.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mix: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match mix.weights().iter().try_fold(0_u32, |sum, (_, weight)| sum.checked_add(*weight)) {
            Some(0) => Err("no kind of job has a weight".to_owned()),
            None => Err(format!("the weights add up to more than {}", u32::MAX)),
            Some(_) => Ok(mix),
        }
    }

    /// As `read` takes it.
    pub(crate) fn write(&self) -> String {
        // A map of words to numbers has nothing that could not be written.
        serde_json::to_string_pretty(self).map(|text| text + "\n").unwrap_or_default()
    }

    /// The kind of the next job.
    pub(super) fn draw(&self, rng: &mut Rng) -> Kind {
        let weights = self.weights();
        let mut left = rng.u32(0..weights.iter().map(|(_, weight)| weight).sum::<u32>().max(1));
        for (kind, weight) in weights {
            match left.checked_sub(weight) {
                Some(less) => left = less,
                None => return kind,
            }
        }
        Kind::Success
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_weights_are_hundredths() {
        assert_eq!(Mix::USUAL.weights().iter().map(|(_, weight)| weight).sum::<u32>(), 100);
        assert_eq!(Mix::read(&Mix::USUAL.write()), Ok(Mix::USUAL));
    }

    #[test]
    fn kinds_come_by_their_weights() {
        let mut rng = Rng::with_seed(1);
        let mix = Mix::read(r#"{"error": 1, "panic": 3}"#).expect("it is one");
        let drawn: Vec<Kind> = (0..4_000).map(|_| mix.draw(&mut rng)).collect();
        let count = |kind| drawn.iter().filter(|drawn| **drawn == kind).count();
        assert_eq!(count(Kind::Error) + count(Kind::Panic), 4_000);
        assert!((800..1_200).contains(&count(Kind::Error)), "{}", count(Kind::Error));
    }

    #[test]
    fn what_is_no_mix_is_refused_with_its_place() {
        let refused = |text: &str| Mix::read(text).expect_err(text);
        assert!(refused("{\n  \"luck\": 1\n}").contains("unknown field `luck`"));
        assert!(refused("{\n  \"luck\": 1\n}").contains("line 2 column"));
        assert!(refused(r#"{"error": -1}"#).contains("line 1 column"));
        assert!(refused("{}").contains("no kind of job has a weight"));
        assert!(refused(r#"{"error": 4000000000, "panic": 4000000000}"#).contains("more than"));
    }
}
