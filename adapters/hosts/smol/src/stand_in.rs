//! A thread that runs an executor while one that may be needed for it waits.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_executor::Executor;
use async_io::Timer;
use futures_lite::FutureExt;

use crate::lease::Lease;
use crate::threads::run_elsewhere;

/// How often a stand-in looks whether its executor's owner has dropped it: nobody would tell.
const LOOK: Duration = Duration::from_millis(500);

/// Has another thread run `executor` while this one is in `wait`.
///
/// That thread is not waited for: it may be in the middle of a task that blocks until the one that waits here goes on.
///
/// # Errors
///
/// If the system gives no thread. `wait` has not begun then.
pub(crate) fn while_in(wait: &mut dyn FnMut(), executor: Lease) -> io::Result<()> {
    let (_stop, stopped) = async_channel::bounded::<Infallible>(1);
    let holder = match &executor {
        Lease::Shared(executor) => Some(Arc::new(Holder::of(executor))),
        Lease::Static(_) => None,
    };
    let until = move || {
        let (stopped, holder) = (stopped.clone(), holder.clone());
        async move {
            let stopped = async { while stopped.recv().await.is_ok() {} };
            match holder {
                Some(holder) => stopped.or(holder.until_only_stand_ins_hold_it()).await,
                None => stopped.await,
            }
        }
    };
    run_elsewhere("countermand-stand-in".to_owned(), executor, until)?;
    wait();
    Ok(())
}

/// The address of what is held, for each stand-in there is.
static HOLDERS: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// A stand-in's entry among those that keep an executor alive only because somebody waits. It is there for less long than what it
/// stands for, so that nobody ever believes that there are more stand-ins than holders (S6).
struct Holder(Weak<Executor<'static>>);

impl Holder {
    fn of(executor: &Arc<Executor<'static>>) -> Self {
        let holder = Self(Arc::downgrade(executor));
        holders().push(holder.address());
        holder
    }

    fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }

    async fn until_only_stand_ins_hold_it(&self) {
        loop {
            Timer::after(LOOK).await;
            let stand_ins = holders().iter().filter(|&&address| address == self.address()).count();
            if self.0.strong_count() <= stand_ins {
                return;
            }
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let mut holders = holders();
        if let Some(place) = holders.iter().position(|&address| address == self.address()) {
            holders.swap_remove(place);
        }
    }
}

fn holders() -> MutexGuard<'static, Vec<usize>> {
    HOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}
