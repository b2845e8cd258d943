//! A job that comes to its end in several ways at once.

use std::sync::Mutex;
use std::task::Waker;

use countermand_core::{Handle, Job, Worker, WorkerConfig};

use crate::rules::crew::{Crew, books_are_right, lock};
use crate::{Bench, Census, Check, Flaw, Probe, poll};

struct Field {
    worker: Option<Worker>,
    crew: Mutex<Crew>,
    handle: Mutex<Option<Handle<Probe>>>,
    census: Census,
}

/// It returns, while somebody cancels it and its handle is read or dropped: each value is dropped once all the same.
pub(super) fn race_of_ends(bench: &Bench) -> Check {
    let set_up = |round: u64| {
        let field = || {
            let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(1).drivers(1).capacity(2))?;
            let census = Census::new();
            let (captured, output) = (census.probe(), census.probe());
            let job = Job::task_with(move |context| async move {
                let _captured = captured;
                context.yield_now().await;
                output
            });
            let job = if round.is_multiple_of(3) { job.cancel_on_drop() } else { job };
            let handle = worker.try_submit(job).map_err(|rejected| Flaw::Broken(format!("{rejected:?}")))?;
            if round.is_multiple_of(4) {
                // In half of these the job is in its lane already when the race begins.
                crew.turn(0);
            }
            Ok(Field { worker: Some(worker), crew: Mutex::new(crew), handle: Mutex::new(Some(handle)), census })
        };
        field()
    };
    let turn = |field: &Result<Field, Flaw>| {
        if let Ok(field) = field {
            let _ = lock(&field.crew).settle_down();
        }
    };
    let let_go = |field: &Result<Field, Flaw>| {
        let handle = field.as_ref().ok().and_then(|field| lock(&field.handle).take());
        if let Some(mut handle) = handle {
            if handle.id().get() % 2 == 1 {
                let _ = poll(std::pin::Pin::new(&mut handle), Waker::noop());
            }
            drop(handle);
        }
    };
    let cancel = |field: &Result<Field, Flaw>| {
        if let Ok(field) = field {
            if let Some(handle) = &*lock(&field.handle) {
                handle.cancel();
            }
        }
    };
    bench.race(bench.rounds(400), set_up, &[&turn, &let_go, &cancel], |round, field| {
        let Field { worker, crew, handle, census } = field?;
        let mut crew = crew.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        crew.settle_down()?;
        drop(handle);
        census.each_once(&format!("round {round}: a job that returned while it was cancelled and let go"))?;
        if let Some(worker) = worker {
            books_are_right(&worker, 1)?;
        }
        Ok(())
    })
}
