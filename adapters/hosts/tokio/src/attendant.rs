//! An attendant as a task of tokio's, whose wake-ups of other attendants can be stolen.
//!
//! A task that is woken by another one on a thread of tokio's goes to a slot of that thread's that no other thread looks into. If the one that
//! woke it then keeps its thread, as a job that does not yield makes its driver do, the other waits with it, however many threads are
//! idle. (What is spawned or woken next pushes it out of the slot, into the thread's queue, from which it is stolen.) So an attendant that wakes
//! another one spawns a task that does nothing, and that sits in the slot instead (L3).

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use tokio::runtime::{Handle, RuntimeFlavor};

std::thread_local! {
    /// The bell of the attendant that this thread is polling; null if it polls none.
    static POLLED: Cell<*const Bell> = const { Cell::new(ptr::null()) };
}

/// See the head of the file.
pub(crate) struct Attendant<F> {
    attendant: Pin<Box<F>>,
    /// Made anew when the task's waker changes, which it hardly ever does.
    bell: Option<(Arc<Bell>, Waker)>,
}

impl<F> Attendant<F> {
    pub(crate) fn new(attendant: F) -> Self {
        Self { attendant: Box::pin(attendant), bell: None }
    }

    fn bell(&mut self, task: &Waker) -> (*const Bell, &Waker) {
        let known = self.bell.take().filter(|(bell, _)| bell.task.will_wake(task));
        let (bell, waker) = self.bell.insert(known.unwrap_or_else(|| {
            let bell = Arc::new(Bell { task: task.clone() });
            (Arc::clone(&bell), Waker::from(bell))
        }));
        (Arc::as_ptr(bell), waker)
    }
}

impl<F: Future<Output = ()>> Future for Attendant<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let (bell, waker) = this.bell(cx.waker());
        let waker = waker.clone();
        let _here = Here(POLLED.replace(bell));
        this.attendant.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

/// Puts back what was polled before, also when a poll panics.
struct Here(*const Bell);

impl Drop for Here {
    fn drop(&mut self) {
        POLLED.set(self.0);
    }
}

struct Bell {
    task: Waker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.task.wake_by_ref();
        // One that wakes itself goes to the end of the queue. A thread that is ending has no place any more, and no task.
        let by = POLLED.try_with(Cell::get).unwrap_or(ptr::null());
        if !by.is_null() && by != Arc::as_ptr(self) {
            if let Ok(runtime) = Handle::try_current() {
                if runtime.runtime_flavor() == RuntimeFlavor::MultiThread {
                    drop(runtime.spawn(std::future::ready(())));
                }
            }
        }
    }
}
