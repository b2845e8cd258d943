//! Structured work: what is started inside of a scope has settled when the scope ends.

use crate::sync::Arc;
use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::Token;
use crate::bell::{Bell, Listener};
use crate::job::Job;
use crate::job::work::Work;
use crate::submit::{Submit, SubmitResult};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::worker::Worker;

/// Where jobs of a scope are submitted; see [`Worker::scope`]. A clone is the same scope.
#[derive(Clone)]
pub struct Scope {
    worker: Worker,
    token: Token,
    count: Arc<Count>,
}

/// How many jobs of the scope have not settled, or are on their way into the queue.
struct Count {
    open: AtomicUsize,
    none: Bell,
}

impl Count {
    fn close_one(&self) {
        if self.open.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.none.ring(Waker::wake);
        }
    }
}

/// One job counted; dropped when it has settled, or was not accepted.
struct Counted(Arc<Count>);

impl Counted {
    fn new(count: &Arc<Count>) -> Self {
        count.open.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.close_one();
    }
}

impl Worker {
    /// Runs `body`, and then waits until every job that was submitted through its [`Scope`] has settled. At its end the scope's token is
    /// cancelled, so that nothing starts any more through a clone that was taken out of it.
    ///
    /// Called in a job of the same worker it takes part in the starvation described at [`Worker`].
    ///
    /// # Cancellation
    ///
    /// Dropping the future, or a panic of the body, cancels the jobs of the scope; nobody waits for them then.
    pub fn scope<F: Future>(&self, body: impl FnOnce(Scope) -> F) -> Scoped<F> {
        let token = self.root().child_token();
        let count = Arc::new(Count { open: AtomicUsize::new(0), none: Bell::new() });
        let scope = Scope { worker: self.clone(), token: token.clone(), count: count.clone() };
        Scoped { body: Body::Running { future: body(scope) }, token, count, listener: None, ended: false }
    }
}

impl Scope {
    /// [`Worker::submit`] within the scope: the job's token is a child of the scope's.
    ///
    /// # Errors
    ///
    /// As for [`Worker::submit`].
    ///
    /// # Cancellation
    ///
    /// As for [`Submit`].
    pub fn submit<W: Work>(&self, job: Job<W>) -> ScopedSubmit<W> {
        ScopedSubmit { submit: self.worker.submit(self.adopt(job)), counted: Some(Counted::new(&self.count)) }
    }

    /// [`Worker::try_submit`] within the scope.
    ///
    /// # Errors
    ///
    /// As for [`Worker::try_submit`].
    pub fn try_submit<W: Work>(&self, job: Job<W>) -> SubmitResult<W> {
        let counted = Counted::new(&self.count);
        let handle = self.worker.try_submit(self.adopt(job))?;
        handle.on_done(move |_| drop(counted));
        Ok(handle)
    }

    /// The scope's token. Cancelling it cancels every job of the scope.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    fn adopt<W>(&self, mut job: Job<W>) -> Job<W> {
        job.above.parent = Some(match job.above.parent.take() {
            None => self.token.clone(),
            Some(parent) => parent.of_both(&self.token),
        });
        job
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.count.open.load(Ordering::SeqCst);
        f.debug_struct("Scope").field("open", &open).finish_non_exhaustive()
    }
}

/// A [`Submit`] within a scope.
#[must_use = "a submit does nothing until it is awaited"]
pub struct ScopedSubmit<W: Work> {
    submit: Submit<W>,
    counted: Option<Counted>,
}

impl<W: Work> Future for ScopedSubmit<W> {
    type Output = SubmitResult<W>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.submit).poll(cx);
        if let Poll::Ready(result) = &polled {
            let counted = self.counted.take();
            if let Ok(handle) = result {
                handle.on_done(move |_| drop(counted));
            }
        }
        polled
    }
}

impl<W: Work> fmt::Debug for ScopedSubmit<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedSubmit").finish_non_exhaustive()
    }
}

pin_project! {
    /// A scope under way; see [`Worker::scope`].
    #[must_use = "futures do nothing until awaited"]
    pub struct Scoped<F: Future> {
        #[pin]
        body: Body<F>,
        token: Token,
        count: Arc<Count>,
        listener: Option<Listener>,
        ended: bool,
    }

    impl<F: Future> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.count.open.load(Ordering::SeqCst) != 0 || !matches!(&*this.body, Body::Taken) {
                this.token.cancel();
            }
        }
    }
}

pin_project! {
    #[project = BodyProjection]
    #[project_replace = BodyOwned]
    enum Body<F: Future> {
        Running { #[pin] future: F },
        Returned { value: F::Output },
        Taken,
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let BodyProjection::Running { future } = this.body.as_mut().project() {
            match future.poll(cx) {
                Poll::Ready(value) => this.body.as_mut().project_replace(Body::Returned { value }),
                Poll::Pending => return Poll::Pending,
            };
        }
        loop {
            if this.count.open.load(Ordering::SeqCst) == 0 {
                if mem::replace(this.ended, true) {
                    break;
                }
                // A clone of the scope may have outlived it. What is submitted there from now on never starts; what came in between
                // is waited for.
                this.token.cancel();
                continue;
            }
            // Listen first, then look.
            match this.listener {
                None => *this.listener = Some(this.count.none.listen()),
                Some(listener) => match Pin::new(listener).poll(cx) {
                    Poll::Ready(()) => *this.listener = None,
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
        match this.body.project_replace(Body::Taken) {
            BodyOwned::Returned { value } => Poll::Ready(value),
            BodyOwned::Running { .. } | BodyOwned::Taken => Poll::Pending,
        }
    }
}

impl<F: Future> fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").finish_non_exhaustive()
    }
}
