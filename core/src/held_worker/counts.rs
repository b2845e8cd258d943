//! The count of what became of the jobs of a worker without a heap.

use super::stage::Stage;

/// How many jobs became what, since the worker was made. Each is counted in 32 bits and begins again at 0 after that; `accepted` is the
/// sum of the others but `rejected`, and of the jobs that have not settled (S7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct HeldCounts {
    /// Jobs accepted.
    pub accepted: u32,
    /// Jobs that came back to their submitter.
    pub rejected: u32,
    /// Jobs that returned a value.
    pub completed: u32,
    /// Jobs that returned an error of their own.
    pub failed: u32,
    /// Jobs that were cancelled.
    pub cancelled: u32,
    /// Jobs whose time ran out.
    pub timed_out: u32,
    /// Jobs that panicked, or whose destructor did.
    pub panicked: u32,
}

/// As they are counted: in the order of [`HeldCounts`], in which a place is found by a sum.
#[derive(Clone, Copy)]
pub(super) struct Tally([u32; 7]);

impl Tally {
    pub(super) const NONE: Self = Self([0; 7]);

    pub(super) fn accept(&mut self) {
        self.add(0);
    }

    pub(super) fn reject(&mut self) {
        self.add(1);
    }

    pub(super) fn settle(&mut self, ended: Stage) {
        self.add(2 + ended as usize - Stage::Completed as usize);
    }

    fn add(&mut self, place: usize) {
        if let Some(count) = self.0.get_mut(place) {
            *count = count.wrapping_add(1);
        }
    }

    pub(super) fn counts(&self) -> HeldCounts {
        let [accepted, rejected, completed, failed, cancelled, timed_out, panicked] = self.0;
        HeldCounts { accepted, rejected, completed, failed, cancelled, timed_out, panicked }
    }
}
