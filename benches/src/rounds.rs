//! Measures the cases of a question: in rounds, every case once in each, so that what disturbs the machine disturbs all alike.

use std::time::{Duration, Instant};

use crate::allocator::Tally;
use crate::meter::Meter;
use crate::question::{At, Goal, Quantity, Question, Role};

/// How often, and how much.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever measures says both")]
pub struct Effort {
    /// How many rounds are timed.
    pub rounds: usize,
    /// The operations of each round are divided by this.
    pub divisor: u64,
    /// After this time no further round of a question is begun, if there were three.
    pub limit: Duration,
}

impl Effort {
    /// For figures that are written down.
    pub const WHOLE: Self = Self { rounds: 15, divisor: 1, limit: Duration::from_secs(30) };
    /// For a look.
    pub const QUICK: Self = Self { rounds: 5, divisor: 4, limit: Duration::from_secs(5) };

    fn ops(self, question: &Question) -> u64 {
        (question.ops / self.divisor).max(1)
    }
}

/// What was measured of one case.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reading {
    /// Of the case.
    pub at: At,
    /// Of the case.
    pub role: Role,
    /// Nanoseconds of all processors for one operation, a round each.
    pub cpu: Vec<f64>,
    /// Nanoseconds by the clock for one operation, a round each.
    pub wall: Vec<f64>,
    tally: Tally,
    ops: u64,
}

/// What was measured of one question.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The question.
    pub question: &'static Question,
    /// Its cases, in their order.
    pub readings: Vec<Reading>,
}

/// What became of a goal.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Verdict {
    /// The goal.
    pub goal: &'static Goal,
    /// What was measured, in the same terms. `None` if the case was not there.
    pub value: Option<f64>,
}

impl Verdict {
    /// Whether it was reached.
    #[must_use]
    pub fn reached(&self) -> bool {
        self.value.is_some_and(|value| value <= self.goal.at_most)
    }
}

/// Measures a question.
#[must_use]
pub fn measure(question: &'static Question, effort: Effort) -> Answer {
    let ops = effort.ops(question);
    let mut cases = question.make(ops);
    let mut readings: Vec<Reading> = Vec::with_capacity(cases.len());
    for case in &mut cases {
        // The first round fills pools and caches, the second is counted.
        (case.run)(&mut Meter::timing(ops));
        let mut meter = Meter::counting(ops);
        (case.run)(&mut meter);
        let at = At(case.group, case.name);
        readings.push(Reading { at, role: case.role, cpu: vec![], wall: vec![], tally: meter.tally(), ops });
    }
    let begun = Instant::now();
    for round in 0..effort.rounds {
        if round >= 3 && begun.elapsed() > effort.limit {
            break;
        }
        for (case, reading) in cases.iter_mut().zip(&mut readings) {
            let mut meter = Meter::timing(ops);
            (case.run)(&mut meter);
            reading.cpu.push(meter.cpu_nanos());
            reading.wall.push(meter.wall_nanos());
        }
    }
    Answer { question, readings }
}

impl Reading {
    /// The figure for one operation: the median of the rounds where there are several.
    #[must_use]
    pub fn value(&self, quantity: Quantity) -> f64 {
        let for_one = |all: f64| all / self.ops as f64;
        match quantity {
            Quantity::Cpu => median(&self.cpu),
            Quantity::Wall => median(&self.wall),
            Quantity::Allocs => for_one(self.tally.allocations as f64),
            Quantity::Peak => for_one(self.tally.peak as f64),
            Quantity::Left => for_one(self.tally.left.max(0) as f64),
        }
    }

    /// Bytes asked for, for one operation.
    #[must_use]
    pub fn bytes(&self) -> f64 {
        self.tally.bytes as f64 / self.ops as f64
    }

    /// How far the rounds are apart: half the distance of the quartiles, as a share of the median.
    #[must_use]
    pub fn spread(&self, quantity: Quantity) -> f64 {
        let samples = self.samples(quantity);
        let middle = median(samples);
        if middle == 0.0 { 0.0 } else { (quantile(samples, 0.75) - quantile(samples, 0.25)) / 2.0 / middle }
    }

    fn samples(&self, quantity: Quantity) -> &[f64] {
        if quantity == Quantity::Wall { &self.wall } else { &self.cpu }
    }

    /// What this takes, as a multiple of what `other` takes. Of times, the median over the rounds of the ratio within each.
    #[must_use]
    pub fn ratio(&self, other: &Self, quantity: Quantity) -> f64 {
        match quantity {
            Quantity::Cpu | Quantity::Wall => {
                let pairs = self.samples(quantity).iter().zip(other.samples(quantity));
                median(&pairs.map(|(this, other)| this / other).collect::<Vec<_>>())
            }
            _ => self.value(quantity) / other.value(quantity),
        }
    }
}

impl Answer {
    /// What was measured of this case.
    #[must_use]
    pub fn at(&self, at: At) -> Option<&Reading> {
        self.readings.iter().find(|reading| reading.at == at)
    }

    /// The one in the group of `reading` that takes least, of those in `role`.
    #[must_use]
    pub fn best(&self, reading: &Reading, role: Role) -> Option<&Reading> {
        let by = self.question.by;
        let all = self.readings.iter().filter(|other| other.at.0 == reading.at.0 && other.role == role);
        all.min_by(|one, other| one.value(by).total_cmp(&other.value(by)))
    }

    /// What became of the goals.
    pub fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        self.question.goals.iter().map(|goal| {
            let value = self.at(goal.case).and_then(|reading| match goal.of {
                None => Some(reading.value(goal.quantity)),
                Some(of) => self.at(of).map(|other| reading.ratio(other, goal.quantity)),
            });
            Verdict { goal, value }
        })
    }
}

/// The middle one.
pub(crate) fn median(samples: &[f64]) -> f64 {
    quantile(samples, 0.5)
}

/// The value that the share `q` of the samples does not exceed, between two of them where it falls there. 0 of none.
fn quantile(samples: &[f64], q: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = q * last as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (place - place.floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(cpu: &[f64]) -> Reading {
        let tally = Tally { allocations: 30, bytes: 100, peak: 50, left: -7 };
        Reading { at: At("", "x"), role: Role::Ours, cpu: cpu.to_vec(), wall: cpu.to_vec(), tally, ops: 10 }
    }

    #[test]
    fn figures_are_medians_for_one_operation() {
        let reading = reading(&[5.0, 1.0, 3.0]);
        assert_eq!(reading.value(Quantity::Cpu), 3.0);
        assert_eq!(reading.value(Quantity::Allocs), 3.0);
        assert_eq!(reading.value(Quantity::Peak), 5.0);
        assert_eq!(reading.value(Quantity::Left), 0.0, "what was freed of before is not owed");
        assert_eq!(reading.bytes(), 10.0);
        assert_eq!(reading.spread(Quantity::Cpu), 1.0 / 3.0);
    }

    #[test]
    fn a_ratio_is_made_within_each_round() {
        // The machine was ten times slower in the last round; the one was twice as fast in each.
        let (fast, slow) = (reading(&[1.0, 2.0, 30.0]), reading(&[2.0, 4.0, 60.0]));
        assert_eq!(fast.ratio(&slow, Quantity::Cpu), 0.5);
        assert_eq!(slow.ratio(&fast, Quantity::Cpu), 2.0);
    }

    #[test]
    fn quantiles_fall_between_samples() {
        assert_eq!(quantile(&[1.0, 2.0], 0.5), 1.5);
        assert_eq!(quantile(&[4.0], 0.25), 4.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
