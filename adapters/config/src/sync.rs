//! The lock of what is loaded again, and a turn for others: the standard library's, or those of the scheduler under which scenarios run.

#[cfg(countermand_shuttle)]
pub(crate) use shuttle::sync::Mutex;
#[cfg(countermand_shuttle)]
#[allow(unused_imports, reason = "only a defect gives way to others")]
pub(crate) use shuttle::thread::yield_now;
#[cfg(not(countermand_shuttle))]
pub(crate) use std::sync::Mutex;
#[cfg(not(countermand_shuttle))]
#[allow(unused_imports, reason = "only a defect gives way to others")]
pub(crate) use std::thread::yield_now;
