//! A worker that does nothing but be there, for models of its parts.

use super::head::Desk;
use crate::books::Books;
use crate::observer::{JobInfo, Observer};
use crate::shelf::Key;
use crate::{Instant, JobId};

/// See the head of the file.
#[derive(Default)]
pub(crate) struct Nobody(Books);

impl Desk for Nobody {
    fn reap(&self, _: Key) {}

    fn now(&self) -> Instant {
        Instant::ORIGIN
    }

    fn block(&self, _: &mut dyn FnMut()) -> Result<(), crate::WouldDeadlock> {
        Ok(())
    }

    fn books(&self) -> &Books {
        &self.0
    }

    fn cut_off(&self, _: &dyn Fn() -> JobInfo) {}

    fn finished(&self, _: JobId) {}

    fn observer(&self) -> Option<&dyn Observer> {
        None
    }
}
