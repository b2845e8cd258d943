//! What several questions have in common: the work, the runtimes, and how people write a bounded job by hand.

pub(crate) mod by_hand;
pub(crate) mod priority_queue;
pub(crate) mod smol_threads;
pub(crate) mod together;
pub(crate) mod tokio_threads;
pub(crate) mod window;
pub(crate) mod work;
