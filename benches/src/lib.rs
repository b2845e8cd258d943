//! Countermand timed against what people would use otherwise.
//!
//! A [`Question`](question::Question) has cases, ours and others', which do the same work, and goals. The program measures all cases of one in the same run, in turns; the
//! benchmarks beside it give the same cases to criterion, one at a time.

mod allocator;
mod curves;
mod idioms;
mod instructions;
pub mod meter;
mod program;
pub mod question;
pub mod questions;
mod report;
pub mod rounds;

pub use program::main;

/// Counts for everybody in this package.
#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;
