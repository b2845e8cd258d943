//! What the counts of a worker must be to each other.

use crate::Priority;

/// The counts that depend on each other.
pub(crate) struct Counts {
    pub(crate) lanes: usize,
    pub(crate) drivers: Option<usize>,
    pub(crate) capacity: usize,
    pub(crate) reserved: [usize; Priority::COUNT],
}

/// Two counts that cannot be together, with the one to blame.
#[derive(Clone, Copy)]
pub(crate) enum Wrong {
    /// This many drivers for fewer lanes.
    Drivers(usize),
    /// The reserved places do not fit into a number.
    Overflow,
    /// This many places are reserved, of fewer.
    Reserved(usize),
    /// All places, this many, are reserved.
    NothingLeft(usize),
}

impl Wrong {
    #[cfg(feature = "alloc")]
    pub(crate) const fn field(self) -> &'static str {
        match self {
            Self::Drivers(_) => "drivers",
            Self::Overflow | Self::Reserved(_) | Self::NothingLeft(_) => "reserved",
        }
    }

    pub(crate) const fn value(self) -> usize {
        match self {
            Self::Drivers(value) | Self::Reserved(value) | Self::NothingLeft(value) => value,
            Self::Overflow => usize::MAX,
        }
    }

    pub(crate) const fn why(self) -> &'static str {
        match self {
            Self::Drivers(_) => "more drivers than lanes: some would never have a job",
            Self::Overflow => "the reserved places add up to more than a number holds",
            Self::Reserved(_) => "more places reserved than the capacity has",
            Self::NothingLeft(_) => "every place is reserved: jobs of the lowest priority could never be accepted",
        }
    }
}

/// Tells `report` what is wrong.
pub(crate) fn check(counts: &Counts, mut report: impl FnMut(Wrong)) {
    if let Some(drivers) = counts.drivers.filter(|&drivers| drivers > counts.lanes) {
        report(Wrong::Drivers(drivers));
    }
    match counts.reserved.iter().try_fold(0_usize, |sum, &places| sum.checked_add(places)) {
        None => report(Wrong::Overflow),
        Some(sum) if sum > counts.capacity => report(Wrong::Reserved(sum)),
        Some(sum) if sum == counts.capacity && counts.reserved[0] == 0 && counts.capacity != 0 => {
            report(Wrong::NothingLeft(sum));
        }
        Some(_) => {}
    }
}
