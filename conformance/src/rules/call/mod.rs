//! Group B: calls, that is blocking closures.

mod abandoned;
mod ending;
mod running;
mod unbegun;

use crate::rule::rules;

use abandoned::b3_abandoned_only_with_permission;
use ending::b4_shutdown_waits_for_calls_within_its_limit;
use running::b1_a_running_closure_is_never_interrupted;
use unbegun::b2_never_starts_after_a_cancel;

rules! {
    "B1" b1_a_running_closure_is_never_interrupted, needs blocking;
    "B2" b2_never_starts_after_a_cancel, needs threads blocking;
    "B3" b3_abandoned_only_with_permission, needs blocking;
    "B4" b4_shutdown_waits_for_calls_within_its_limit, needs blocking;
}

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countermand_core::{Cause, Job, Work};

use crate::{Bench, Census, Flaw, Gate, Probe};

/// A closure that the rule holds at a gate, and what is seen of it.
#[derive(Clone, Debug, Default)]
struct Held {
    census: Census,
    begun: Gate,
    gate: Gate,
    ended: Arc<AtomicBool>,
}

/// What it returns.
#[derive(Debug)]
struct Brought {
    /// The cause in its token before and after it was held.
    seen: [Option<Cause>; 2],
    _value: Probe,
}

impl Held {
    fn closure(&self) -> impl FnOnce(&countermand_core::CallContext) -> Brought + Send + use<> {
        let (held, captured, value) = (self.clone(), self.census.probe(), self.census.probe());
        move |context| {
            let _captured = captured;
            let before = context.token().cause();
            held.begun.open();
            held.gate.wait_blocking();
            let seen = [before, context.is_cancelled().then(|| context.token().cause()).flatten()];
            held.ended.store(true, Ordering::SeqCst);
            Brought { seen, _value: value }
        }
    }

    fn job(&self) -> Job<impl Work<Value = Brought, Error = Infallible> + use<>> {
        Job::call(self.closure())
    }

    async fn begun(&self, bench: &Bench) -> Result<(), Flaw> {
        bench.within("the call begins", self.begun.wait()).await
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
}
