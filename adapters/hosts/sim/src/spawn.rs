//! Taking tasks and calls in.

use std::panic::Location;

use crate::call;
use crate::place::{self, Role};
use crate::sim::Sim;
use crate::spawned::{Slot, Spawned};
use crate::world::Kind;

/// Tasks and calls.
impl Sim {
    /// Spawns a task. It is polled by whichever thread drives.
    ///
    /// If the run was stopped, the future is dropped and the handle says so.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Spawned<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.spawn_from(None, Location::caller(), future)
    }

    /// As [`spawn`](Self::spawn), with a name for reports.
    #[track_caller]
    pub fn spawn_named<F>(&self, name: impl Into<String>, future: F) -> Spawned<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.spawn_from(Some(name.into()), Location::caller(), future)
    }

    pub(crate) fn spawn_from<F>(
        &self,
        name: Option<String>,
        from: &'static Location<'static>,
        future: F,
    ) -> Spawned<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (slot, deliver) = Slot::new();
        let task = Box::pin(async move { deliver.value(future.await) });
        let mut state = self.world.lock();
        if state.stopped {
            drop(state);
            drop(task);
            return Spawned::new(&self.world, u64::MAX, slot);
        }
        let id = self.world.admit(&mut state, Kind::Task(Some(task)), name, from);
        drop(state);
        self.world.wake(id);
        Spawned::new(&self.world, id, slot)
    }

    /// Spawns a call: a closure on a thread of its own that may block.
    ///
    /// It runs in turns like everybody else: while it runs, nobody else does. It blocks with [`block_on`](Self::block_on) or
    /// [`Gate::wait_blocking`](crate::Gate::wait_blocking), so that the run replays; where it must block in another way, it says so by
    /// [`blocking`](Self::blocking). If it panics, the drive does. If the run was stopped, or the system has no thread left, the
    /// closure is dropped and the handle says so.
    #[track_caller]
    pub fn spawn_call<T: Send + 'static>(&self, run: impl FnOnce() -> T + Send + 'static) -> Spawned<T> {
        let (slot, deliver) = Slot::new();
        let body = Box::new(move || deliver.value(run()));
        let started = call::start(&self.world, None, Location::caller(), body);
        let id = started.unwrap_or_else(|refused| {
            drop(refused);
            u64::MAX
        });
        Spawned::new(&self.world, id, slot)
    }

    /// Runs `wait`, which blocks in a way the sim does not know: a lock, a channel, a file.
    ///
    /// In a call the run goes on meanwhile, without regard for this call; when it comes back is a matter of real time, so such a run
    /// need not replay. Everywhere else `wait` is simply run.
    pub fn blocking<R>(wait: impl FnOnce() -> R) -> R {
        let here = place::current().and_then(|world| place::role_in(&world).map(|role| (world, role)));
        match here {
            Some((world, Role::Call(id))) => call::blocking(&world, id, wait),
            Some((_, Role::Seat)) | None => wait(),
        }
    }
}
