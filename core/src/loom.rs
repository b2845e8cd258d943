//! This room runs models under the checker, says how much of each was explored, and counts wakes for them.
//!
//! ```text
//! RUSTFLAGS="--cfg countermand_loom" cargo test -p countermand-core --release --lib loom_ -- --nocapture --test-threads 1
//! ```
//!
//! One race per model, at most three threads of three operations. The checker aborts the process on a deadlock, and the models share a switch:
//! so one at a time.

use std::println;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use crate::sync::atomic::LOADS_EXCHANGE;

/// Explores every execution of `model`.
pub(crate) fn loom_model(name: &str, model: impl Fn() + Sync + Send + 'static) {
    explore(name, None, model);
}

/// Explores every execution of `model` with at most three pre-emptions: for models that do not end within a minute.
pub(crate) fn loom_model_bounded(name: &str, model: impl Fn() + Sync + Send + 'static) {
    explore(name, Some(3), model);
}

/// Explores `model` with a defect switched on, which must show in one of its executions.
#[cfg(feature = "mutants")]
pub(crate) fn loom_defect(name: &str, defect: crate::mutant::Mutant, model: impl Fn() + Sync + Send + 'static) {
    use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&executions);
    LOADS_EXCHANGE.store(false, Ordering::Relaxed);
    crate::mutant::activate(Some(defect));
    // It is meant to panic.
    let hook = take_hook();
    set_hook(std::boxed::Box::new(|_| {}));
    let seen = catch_unwind(AssertUnwindSafe(|| {
        ::loom::model(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            model();
        });
    }));
    set_hook(hook);
    crate::mutant::activate(None);
    assert!(seen.is_err(), "{name}: the checker does not see {defect:?}");
    println!("loom {name}: {} executions until it was", executions.load(Ordering::Relaxed));
}

/// Explores `model` twice, with loads as they are and with loads that exchange: see `sync::atomic`.
fn explore(name: &str, preemption_bound: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let executions = Arc::new(AtomicUsize::new(0));
    let model = Arc::new(model);
    for exchange in [false, true] {
        LOADS_EXCHANGE.store(exchange, Ordering::Relaxed);
        let mut checker = ::loom::model::Builder::new();
        checker.preemption_bound = preemption_bound;
        checker.max_branches = 100_000;
        let (counted, model) = (Arc::clone(&executions), Arc::clone(&model));
        checker.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            model();
        });
    }
    let executions = executions.load(Ordering::Relaxed);
    assert!(executions > 2, "{name}: there was no race to explore");
    println!("loom {name}: {executions} executions");
}

/// Counts wakes, outside of what is modelled.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        let waker = Waker::from(Arc::clone(&count));
        (count, waker)
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
