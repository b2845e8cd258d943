//! Questions to a journal: asked of the supervisor that has it open or, if there is none, of the file.

mod client;
mod desk;
mod head;
mod question;
mod watch;

pub(crate) use client::ask;
pub(crate) use desk::Desk;
pub(crate) use head::format_of;
pub(crate) use question::{Numbers, Question};
