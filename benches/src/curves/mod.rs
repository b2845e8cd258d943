//! How what something costs grows with how much there is of it: from 1 to a million, a line for each contender.
//!
//! Each point is the median of three rounds, in which all lines of the curve take turns. The contenders are those of the questions, in the same idiom; the head of each
//! question says why that is fair.

mod jobs;
mod plot;
mod tokens;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use crate::meter::Meter;
use crate::question::{Make, Role};
use crate::rounds::median;

/// One contender: does operations where there are already so many of what the curve is over.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// Given the place on the curve, makes what runs there.
    pub(crate) make: Make,
    /// Beyond this it is left out: it would take minutes, or more memory than there is.
    pub(crate) up_to: u64,
}

/// One picture.
pub(crate) struct Curve {
    /// The name of its file.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What there is more and more of.
    pub(crate) over: &'static str,
    /// What one operation is.
    pub(crate) each: &'static str,
    /// How many operations are done at a place.
    pub(crate) ops: fn(u64) -> u64,
    pub(crate) lines: &'static [Line],
}

/// What was measured of a line: places and nanoseconds of the processor for one operation.
pub(crate) type Points = Vec<(u64, f64)>;

const ALL: [&Curve; 6] =
    [&jobs::QUEUED, &jobs::LANES, &tokens::ALIVE, &tokens::LEVELS, &tokens::CANCEL, &tokens::CANCEL_WAITED];

/// What was measured of a curve, and where it was drawn.
pub(crate) struct Drawn {
    pub(crate) curve: &'static Curve,
    /// Of the curve's lines, in their order.
    pub(crate) lines: Vec<Points>,
    pub(crate) file: PathBuf,
}

/// Measures and draws all of them.
pub(crate) fn draw_all(directory: &Path, quick: bool) -> Result<Vec<Drawn>, Box<dyn Error>> {
    fs::create_dir_all(directory).map_err(|error| format!("{} cannot be made: {error}", directory.display()))?;
    let most = if quick { 10_000 } else { 1_000_000 };
    let draw = |curve: &&'static Curve| {
        eprintln!("{} …", curve.title);
        let lines = measure(curve, most);
        let file = directory.join(format!("{}.svg", curve.name));
        plot::draw(&file, curve, &lines).map_err(|error| format!("{} cannot be drawn: {error}", file.display()))?;
        eprintln!("drawn: {}", file.display());
        Ok(Drawn { curve, lines, file })
    };
    ALL.iter().map(draw).collect()
}

fn measure(curve: &Curve, most: u64) -> Vec<Points> {
    let mut lines = vec![Points::new(); curve.lines.len()];
    let places = std::iter::successors(Some(1_u64), |place| place.checked_mul(10)).take_while(|place| *place <= most);
    for place in places {
        let ops = (curve.ops)(place).max(1);
        let there: Vec<_> = (0..curve.lines.len()).filter(|line| curve.lines[*line].up_to >= place).collect();
        let mut runs: Vec<_> = there.iter().map(|line| (curve.lines[*line].make)(place)).collect();
        let mut nanos = vec![Vec::new(); there.len()];
        // The first round fills pools and caches.
        for round in 0..4 {
            for (run, nanos) in runs.iter_mut().zip(&mut nanos) {
                let mut meter = Meter::timing(ops);
                run(&mut meter);
                if round > 0 {
                    nanos.push(meter.cpu_nanos());
                }
            }
        }
        for (line, nanos) in there.iter().zip(&nanos) {
            lines[*line].push((place, median(nanos)));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_curve_is_measured_and_drawn() {
        let directory = tempfile::tempdir().expect("there is a place for files");
        for curve in ALL {
            let lines = measure(curve, 10);
            assert!(lines.iter().all(|points| points.len() == 2), "{}: {lines:?}", curve.name);
            let file = directory.path().join(curve.name);
            plot::draw(&file, curve, &lines).expect("it can be drawn");
            let svg = fs::read_to_string(&file).expect("it was drawn");
            assert!(svg.contains("</svg>"), "{} is no picture", curve.name);
            for line in curve.lines {
                assert!(svg.contains(line.name), "{}: {} is not named", curve.name, line.name);
            }
        }
    }
}
