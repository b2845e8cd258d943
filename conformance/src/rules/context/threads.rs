//! What may not cross threads does not compile.
//!
//! That is decided by the compiler, when this program is built. The table below asks it: each line is a type, a bound, and whether the
//! type has it. What the doors of the core want of what comes in (`Job::task`, `Worker::submit`, `Token::on_cancel`, …) is shown by examples that
//! must not compile, beside the same ones that must, in the documentation of [`Job`](countermand_core::Job); they are built with its tests.

use std::cell::Cell;
use std::future::Ready;
use std::marker::PhantomData;
use std::pin::Pin;
use std::prelude::v1::*;
use std::rc::Rc;
use std::task::{Context, Poll};

use countermand_core::{
    Alarm, Assembly, Call, CallContext, Cancelled, CancelledOwned, Closure, Drive, DropGuard, Fallible,
    FallibleClosure, FallibleWith, Handle, Host, Instant, Interval, Job, JobContext, Outcome, Plain, PlainWith,
    Registration, Scope, Shield, ShutdownWait, Sleep, Submit, TimedToken, Token, TokenObserver, Work, Worker,
};

use crate::{Bench, Check, ensure};

/// Whether a type has a bound: the inherent constant is found where it does, that of the trait where it does not.
macro_rules! has {
    ($type:ty: $($bound:tt)+) => {{
        #[allow(dead_code, reason = "found only where the type has not the bound")]
        trait Otherwise { const HAS: bool = false; }
        impl<T: ?Sized> Otherwise for T {}
        struct Ask<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code, reason = "found only where the type has the bound")]
        impl<T: ?Sized + $($bound)+> Ask<T> { const HAS: bool = true; }
        <Ask<$type>>::HAS
    }};
}

/// A future, a closure or a value that holds something of its thread's.
type Bound = Rc<Cell<u8>>;
type BoundFuture = Pin<Box<dyn Future<Output = ()>>>;
type BoundValue = Ready<Bound>;
type FreeFuture = Ready<u8>;
type BoundClosure = Box<dyn FnOnce(&CallContext) -> u8>;
type FreeClosure = fn(&CallContext) -> u8;
type BoundMaker = Box<dyn FnOnce(JobContext) -> FreeFuture>;
type FreeMaker = fn(JobContext) -> FreeFuture;

/// A host whose timers belong to one thread.
struct Homely;

struct HomelyAlarm(#[expect(dead_code, reason = "it keeps the alarm on its thread")] Bound);

impl Alarm for HomelyAlarm {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Host for Homely {
    type Alarm = HomelyAlarm;

    fn now(&self) -> Instant {
        Instant::ORIGIN
    }

    fn alarm(&self) -> HomelyAlarm {
        HomelyAlarm(Rc::default())
    }
}

/// A host whose timers move.
struct Roaming;

struct RoamingAlarm;

impl Alarm for RoamingAlarm {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Host for Roaming {
    type Alarm = RoamingAlarm;

    fn now(&self) -> Instant {
        Instant::ORIGIN
    }

    fn alarm(&self) -> RoamingAlarm {
        RoamingAlarm
    }
}

pub(super) async fn c5_what_may_not_cross_threads_does_not_compile(_bench: &Bench) -> Check {
    // Null control: the question can be answered either way.
    ensure!(has!(u8: Send) && !has!(Bound: Send), "the compiler cannot be asked");
    let refused = [
        ("a future bound to its thread as a task", has!(Plain<BoundFuture>: Work)),
        ("a task whose value is bound to its thread", has!(Plain<BoundValue>: Work)),
        ("a fallible task with a bound future", has!(Fallible<Pin<Box<dyn Future<Output = Result<(), ()>>>>>: Work)),
        ("a fallible task with a bound value", has!(Fallible<Ready<Result<Bound, ()>>>: Work)),
        ("a fallible task with a bound error", has!(Fallible<Ready<Result<(), Bound>>>: Work)),
        ("a bound closure that makes a task", has!(PlainWith<BoundMaker>: Work)),
        ("a closure that makes a bound task", has!(PlainWith<fn(JobContext) -> BoundFuture>: Work)),
        (
            "a closure that makes a bound fallible task",
            has!(FallibleWith<fn(JobContext) -> Ready<Result<Bound, ()>>>: Work),
        ),
        ("a bound closure as a call", has!(Closure<BoundClosure>: Work)),
        ("a call whose value is bound", has!(Closure<fn(&CallContext) -> Bound>: Work)),
        ("a fallible call with a bound error", has!(FallibleClosure<fn(&CallContext) -> Result<(), Bound>>: Work)),
        ("a description of a bound job to another thread", has!(Job<Plain<BoundFuture>>: Send)),
        ("an outcome with a bound value to another thread", has!(Outcome<Bound>: Send)),
        ("a driver whose host's timer is bound to its thread", has!(Drive<Homely>: Send)),
    ];
    for (what, compiles) in refused {
        ensure!(!compiles, "{what} compiles");
    }
    let allowed = [
        ("a task", has!(Plain<FreeFuture>: Work)),
        ("a fallible task", has!(Fallible<Ready<Result<u8, u8>>>: Work)),
        ("a closure that makes a task", has!(PlainWith<FreeMaker>: Work)),
        ("a closure that makes a fallible task", has!(FallibleWith<fn(JobContext) -> Ready<Result<u8, u8>>>: Work)),
        ("a call", has!(Closure<FreeClosure>: Work)),
        ("a fallible call", has!(FallibleClosure<fn(&CallContext) -> Result<u8, u8>>: Work)),
        ("a description of a job to another thread", has!(Job<Plain<FreeFuture>>: Send + Sync)),
        ("a worker, shared by threads", has!(Worker: Send + Sync)),
        ("a scope, shared by threads", has!(Scope: Send + Sync)),
        ("a token, shared by threads", has!(Token: Send + Sync)),
        ("an observer of a token, shared by threads", has!(TokenObserver: Send + Sync)),
        ("a kept token", has!(TimedToken: Send + Sync)),
        (
            "waits, guards and registrations",
            has!((Cancelled<'static>, CancelledOwned, DropGuard, Registration, Shield): Send),
        ),
        ("a handle, cancelled from several threads", has!(Handle<u8, u8>: Send + Sync)),
        ("a submit under way", has!(Submit<Plain<FreeFuture>>: Send)),
        ("a wait for the end", has!(ShutdownWait: Send)),
        ("a job's context and its sleeps", has!((JobContext, Sleep, Interval): Send)),
        ("a call on its way to a thread", has!(Call: Send)),
        ("a driver whose host's timer moves", has!(Drive<Roaming>: Send)),
        // The timer is made where the driver is polled first; until then there is none.
        ("parts of a worker whose host's timer is bound", has!(Assembly<Homely>: Send)),
    ];
    for (what, compiles) in allowed {
        ensure!(compiles, "{what}: does not compile");
    }
    Ok((refused.len() + allowed.len()) as u64)
}
