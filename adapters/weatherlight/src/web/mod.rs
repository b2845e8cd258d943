//! The live page, the metrics and the health, on loopback: read-only, and nothing of it comes from or goes anywhere else.

mod exchange;
mod metrics;
mod page;
mod policy;
mod site;

pub(crate) use metrics::board;
pub(crate) use page::Page;
pub(crate) use site::Site;
