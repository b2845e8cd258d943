//! One check of a preflight, as it is described.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::launch::{Launch, Planned};
use super::site::Site;
use crate::Violation;
use crate::job::Job;
use crate::job::work::Work;

/// A check of a [`Preflight`](crate::Preflight): its name, what it comes after, and what it does.
///
/// Its error may be anything that can be displayed, and becomes what the violation says; a [`Violation`] stays as it is, so that a
/// guard's checks can be made inside.
///
/// ```
/// use core::time::Duration;
/// use countermand_core::{Check, Job};
/// let port = Some(6379);
/// let known = Check::here("redis.port", move || port.map(drop).ok_or("no port is set"));
/// let answers = Job::fallible(async { Err("nobody listens") });
/// let checks = [known, Check::job("redis.answers", Duration::from_secs(2), answers).after("redis.port")];
/// assert_eq!(format!("{checks:?}"), r#"[Check("redis.port"), Check("redis.answers" after "redis.port")]"#);
/// ```
#[must_use = "a check does nothing until its preflight is run"]
pub struct Check<'a> {
    pub(super) name: Cow<'static, str>,
    pub(super) after: Vec<Cow<'static, str>>,
    pub(super) examination: Examination<'a>,
}

/// What a check does.
pub(super) enum Examination<'a> {
    /// In the caller's own turn.
    Here(Box<dyn FnOnce(Site) -> Option<Violation> + Send + 'a>),
    /// In a lane, for so long at the most.
    Job(Box<dyn Launch>, Duration),
}

impl<'a> Check<'a> {
    /// A check that is made in the turn of whoever runs the preflight, so it must not block: one that does is a
    /// [`job`](Self::job) with a blocking closure.
    pub fn here<E: fmt::Display + 'static>(
        name: impl Into<Cow<'static, str>>,
        check: impl FnOnce() -> Result<(), E> + Send + 'a,
    ) -> Self {
        let examine = move |site: Site| check().err().map(|error| site.object(&error));
        Self { name: name.into(), after: Vec::new(), examination: Examination::Here(Box::new(examine)) }
    }

    /// A check that runs as a job of the worker: a future, or a blocking closure. It must have succeeded within `limit`, counted from when all
    /// that it comes [`after`](Self::after) has passed. A limit beyond the clock is none (D8).
    ///
    /// The job is called as the check is; it is cancelled with the preflight, and a blocking closure is left to itself at its limit
    /// (B3). Its other conditions are its own.
    pub fn job<W>(name: impl Into<Cow<'static, str>>, limit: Duration, job: Job<W>) -> Self
    where
        W: Work<Value = (), Error: fmt::Display>,
    {
        let examination = Examination::Job(Box::new(Planned(job)), limit);
        Self { name: name.into(), after: Vec::new(), examination }
    }

    /// Has it made only when the check of this name has passed. Said several times, it waits for all of them.
    pub fn after(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.after.push(name.into());
        self
    }
}

impl fmt::Debug for Check<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({:?}", self.name)?;
        for (place, name) in self.after.iter().enumerate() {
            write!(f, "{}{name:?}", if place == 0 { " after " } else { ", " })?;
        }
        f.write_str(")")
    }
}
