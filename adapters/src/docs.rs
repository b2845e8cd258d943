//! The book: short chapters, whose programs are compiled and run with the documentation's tests.
//!
//! | chapter | for whoever asks |
//! | --- | --- |
//! | [`cancelling`] | what happens to a job when it is cancelled, and what does not |
//! | [`deadlines`] | when a time-out starts, and what it ends |
//! | [`priorities`] | who is served next, and whether anybody starves |
//! | [`blocking`] | what becomes of a closure that does not return |
//! | [`shutdown`] | how a service ends |
//! | [`testing`] | how to test all of that, in no time |
//! | [`hosts`] | how to run workers on something else |
//! | [`devices`] | what is left without `std`, and without a heap |
//! | [`telemetry`] | how to be sure that an alarm arrives |
//! | [`configuration`] | how many services share one configuration, and get it step by step |
//! | [`from_tokio_util`], [`from_asyncio`] | what is called what here |
//!
//! A chapter is shown in a build with the features that its programs need; on docs.rs, all are.

/// Declares a chapter, which is there in full where its programs can run.
macro_rules! chapters {
    ($($name:ident needs $($feature:literal),+;)+) => {
        $(
            #[cfg_attr(all($(feature = $feature),+), doc = include_str!(concat!("../docs/", stringify!($name), ".md")))]
            #[cfg_attr(
                not(all($(feature = $feature),+)),
                doc = concat!("A chapter whose programs need features that this build lacks: ", $("`", $feature, "` ",)+ "are those.")
            )]
            pub mod $name {}
        )+
    };
}

chapters! {
    cancelling needs "sim";
    deadlines needs "sim";
    priorities needs "sim";
    blocking needs "runtime-blocking", "runtime-tokio";
    shutdown needs "sim";
    testing needs "sim";
    hosts needs "std";
    devices needs "std";
    telemetry needs "runtime-blocking", "sink-journal";
    configuration needs "config";
    from_tokio_util needs "runtime-tokio", "bridge-tokio-util";
    from_asyncio needs "sim";
}
