//! Sink and consumer against a real server, on tokio and on smol, and against one that lies.
//!
//! Each test starts a `redis-server` of its own. Where there is none on the `PATH` the tests are skipped, unless the variable
//! `COUNTERMAND_NEEDS_REDIS` is set: then they fail.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

/// Makes two tests of an async function: one on tokio, one on smol.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        $(mod $name {
            #[test]
            fn on_tokio() {
                crate::drive::on_tokio(super::$name());
            }

            #[test]
            fn on_smol() {
                crate::drive::on_smol(super::$name());
            }
        })*
    };
}

/// A server of the test's own, or the end of the test where there is none to be had.
macro_rules! server {
    () => {
        match crate::server::Server::start() {
            Some(server) => server,
            None => return,
        }
    };
}

mod consumer;
mod drive;
mod faults;
mod gate;
mod liar;
mod packets;
mod proxy;
mod restarts;
mod server;
mod sink;
mod trim;
