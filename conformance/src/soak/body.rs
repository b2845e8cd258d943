//! The bodies of jobs: a future, written out so that its drop is its own, that does one thing at its end; and a closure.

use std::future::Future;
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::task::{Context, Poll};

use countermand_core::{CallContext, Job, JobContext, Token, Work};
use futures::channel::oneshot;

use super::record::{Gift, Load, Own, Record};
use crate::Gate;

/// What it does after its yields.
pub(super) enum Act {
    Return,
    Fail,
    Panic,
    /// Is pending until it is dropped, and asks to be polled again so many times: not without end, since a job that is always ready keeps
    /// virtual time from moving.
    Linger {
        restless: u32,
    },
    /// Cancels itself, and then returns in the same poll, or is pending.
    CancelItself {
        returns: bool,
    },
    /// Hands its token to who cancels it, spins for a while, and returns.
    RaceWith {
        canceller: Sender<Token>,
        spins: u32,
    },
    /// Does something else first, and returns.
    First(Box<dyn FnOnce() + Send>),
}

/// What a job of a soak is, as it is told to be.
pub(super) struct Script {
    pub(super) yields: u32,
    pub(super) act: Act,
    /// Told just before the act.
    pub(super) begun: Option<oneshot::Sender<()>>,
    pub(super) load_explodes: bool,
    pub(super) gift_explodes: bool,
}

impl Script {
    pub(super) fn new(yields: u32, act: Act) -> Self {
        Self { yields, act, begun: None, load_explodes: false, gift_explodes: false }
    }

    /// As a task that writes to `record`.
    pub(super) fn task(self, record: &Arc<Record>) -> Job<impl Work<Value = Gift, Error = Gift> + use<>> {
        let load = Load { record: Arc::clone(record), bomb: self.load_explodes };
        Job::fallible_with(move |context: JobContext| Body { script: self, token: context.token().clone(), load })
    }
}

struct Body {
    script: Script,
    token: Token,
    load: Load,
}

impl Body {
    fn end(&self, own: Own) -> Gift {
        self.load.record.ends(own);
        Gift { record: Arc::clone(&self.load.record), bomb: self.script.gift_explodes }
    }
}

impl Future for Body {
    type Output = Result<Gift, Gift>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.load.record.polled();
        if this.script.yields > 0 {
            this.script.yields -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(begun) = this.script.begun.take() {
            // Whoever wanted to know may have gone.
            let _ = begun.send(());
        }
        match std::mem::replace(&mut this.script.act, Act::Linger { restless: 0 }) {
            Act::Return => Poll::Ready(Ok(this.end(Own::Value))),
            Act::Fail => Poll::Ready(Err(this.end(Own::Error))),
            Act::Panic => {
                this.load.record.ends(Own::Panic);
                panic_any("planted in a poll")
            }
            Act::Linger { restless } => {
                if let Some(restless) = restless.checked_sub(1) {
                    this.script.act = Act::Linger { restless };
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
            Act::CancelItself { returns } => {
                this.token.cancel();
                if returns { Poll::Ready(Ok(this.end(Own::Value))) } else { Poll::Pending }
            }
            Act::RaceWith { canceller, spins } => {
                // It listens until the soak is over.
                let _ = canceller.send(this.token.clone());
                (0..spins).for_each(|_| std::hint::spin_loop());
                Poll::Ready(Ok(this.end(Own::Value)))
            }
            Act::First(act) => {
                act();
                Poll::Ready(Ok(this.end(Own::Value)))
            }
        }
    }
}

/// A call that tells that it has begun, waits for the gate whatever becomes of its token, and returns.
pub(super) fn call(
    record: &Arc<Record>,
    begun: oneshot::Sender<()>,
    gate: &Gate,
) -> Job<impl Work<Value = Gift, Error = Gift> + use<>> {
    let (load, gate) = (Load { record: Arc::clone(record), bomb: false }, gate.clone());
    Job::fallible_call(move |_: &CallContext| {
        load.record.polled();
        let _ = begun.send(());
        gate.wait_blocking();
        load.record.ends(Own::Value);
        let gift = Gift { record: Arc::clone(&load.record), bomb: false };
        drop(load);
        Ok(gift)
    })
}
