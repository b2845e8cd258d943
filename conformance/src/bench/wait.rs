//! How the bench waits: for what must come, and until something is so.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::Bench;
use crate::Flaw;
use crate::patience::Patience;

/// Looks at a condition that only yield, before naps come in between.
const EAGER_LOOKS: u32 = 64;

/// What is said when patience is at its end.
pub(crate) const IN_VAIN: &str = "in vain until";

impl Bench {
    /// Lets the host go on once with what is ready.
    pub async fn yield_now(&self) {
        yield_now().await;
    }

    /// Waits until `reached` says so, looking again and again.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] with `what`, when patience is at its end.
    pub async fn until(&self, what: &str, mut reached: impl FnMut() -> bool) -> Result<(), Flaw> {
        let mut looks = Looks::new(self.patience());
        while !reached() {
            if looks.are_over() {
                return Err(self.in_vain(what));
            }
            self.pause(&mut looks).await;
        }
        Ok(())
    }

    /// Awaits what must come. The future is polled only when it was woken, so that a lost wake-up is not hidden.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] with `what`, when patience is at its end. The future is dropped.
    pub async fn within<F: Future>(&self, what: &str, future: F) -> Result<F::Output, Flaw> {
        let mut future = pin!(future);
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        bell.rung.store(true, Ordering::SeqCst);
        let mut looks = Looks::new(self.patience());
        loop {
            while bell.rung.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Ok(output);
                }
                self.yield_now().await;
            }
            if looks.are_over() {
                return Err(self.in_vain(what));
            }
            let mut pause = pin!(self.pause(&mut looks));
            poll_fn(|cx| {
                bell.listen(cx.waker());
                if bell.rung.load(Ordering::SeqCst) {
                    return Poll::Ready(());
                }
                pause.as_mut().poll(cx)
            })
            .await;
        }
    }

    pub(super) fn in_vain(&self, what: &str) -> Flaw {
        Flaw::Broken(format!("waited {:?} {IN_VAIN} {what}", self.order.patience))
    }

    pub(super) async fn pause(&self, looks: &mut Looks) {
        looks.taken += 1;
        if looks.taken < EAGER_LOOKS {
            yield_now().await;
        } else {
            let span = Duration::from_micros(20) * looks.taken.min(1_000) / EAGER_LOOKS;
            self.ground.nap(span).await;
        }
    }
}

/// Pending once, woken at once.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// How often was looked, and how long looking goes on.
pub(super) struct Looks {
    taken: u32,
    patience: Patience,
}

impl Looks {
    pub(super) fn new(patience: Patience) -> Self {
        Self { taken: 0, patience }
    }

    pub(super) fn are_over(&mut self) -> bool {
        self.patience.is_over() && self.taken > EAGER_LOOKS * 2
    }
}

/// The waker of [`Bench::within`]: remembers that it was rung, and passes it on.
#[derive(Default)]
struct Bell {
    rung: AtomicBool,
    listener: Mutex<Option<Waker>>,
}

impl Bell {
    fn listen(&self, waker: &Waker) {
        let before = self.listener.lock().unwrap_or_else(PoisonError::into_inner).replace(waker.clone());
        drop(before);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(listener) = listener {
            listener.wake();
        }
    }
}
