//! What the core can run: futures and closures, fallible or not, seen through one trait.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::context::{CallContext, JobContext};
use crate::observer::Kind;

/// A body of work: a future, or a closure to be called. Implemented by what the constructors of [`Job`](crate::Job) make.
pub trait Work: sealed::Sealed + Send + 'static {
    /// What it returns when it succeeds.
    type Value: Send + 'static;
    /// What it returns when it fails; [`Infallible`] for work that cannot.
    type Error: Send + 'static;
    /// The future of a task.
    #[doc(hidden)]
    type Future: Future<Output = Result<Self::Value, Self::Error>> + Send + 'static;
    #[doc(hidden)]
    const KIND: Kind;

    /// Makes the future of a task. Users' code.
    #[doc(hidden)]
    fn begin(self, context: impl FnOnce() -> JobContext) -> Self::Future;

    /// Runs the closure of a call. Users' code.
    #[doc(hidden)]
    fn call(self, context: &CallContext) -> Result<Self::Value, Self::Error>;
}

mod sealed {
    #[expect(unnameable_types, reason = "that is what seals Work")]
    pub trait Sealed {}
}

/// A future that cannot fail.
#[derive(Debug)]
pub struct Plain<F>(pub(super) F);
/// A closure that makes a future that cannot fail.
#[derive(Debug)]
pub struct PlainWith<C>(pub(super) C);
/// A future that can fail.
#[derive(Debug)]
pub struct Fallible<F>(pub(super) F);
/// A closure that makes a future that can fail.
#[derive(Debug)]
pub struct FallibleWith<C>(pub(super) C);
/// A blocking closure that cannot fail.
#[derive(Debug)]
pub struct Closure<C>(pub(super) C);
/// A blocking closure that can fail.
#[derive(Debug)]
pub struct FallibleClosure<C>(pub(super) C);

pin_project! {
    /// A future that cannot fail, seen as one that could.
    #[derive(Debug)]
    pub struct Succeeding<F> { #[pin] future: F }
}

impl<F: Future> Future for Succeeding<F> {
    type Output = Result<F::Output, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(ready!(self.project().future.poll(cx))))
    }
}

macro_rules! task {
    () => {
        const KIND: Kind = Kind::Task;

        fn call(self, _: &CallContext) -> Result<Self::Value, Self::Error> {
            unreachable!("a task is polled, never called")
        }
    };
}

macro_rules! call {
    () => {
        type Future = core::future::Ready<Result<Self::Value, Self::Error>>;
        const KIND: Kind = Kind::Call;

        fn begin(self, _: impl FnOnce() -> JobContext) -> Self::Future {
            unreachable!("a call is called, never polled")
        }
    };
}

impl<F> sealed::Sealed for Plain<F> {}
impl<F> Work for Plain<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    type Value = F::Output;
    type Error = Infallible;
    type Future = Succeeding<F>;
    task!();

    fn begin(self, _: impl FnOnce() -> JobContext) -> Self::Future {
        Succeeding { future: self.0 }
    }
}

impl<C> sealed::Sealed for PlainWith<C> {}
impl<C, F> Work for PlainWith<C>
where
    C: FnOnce(JobContext) -> F + Send + 'static,
    F: Future + Send + 'static,
    F::Output: Send,
{
    type Value = F::Output;
    type Error = Infallible;
    type Future = Succeeding<F>;
    task!();

    fn begin(self, context: impl FnOnce() -> JobContext) -> Self::Future {
        Succeeding { future: (self.0)(context()) }
    }
}

impl<F> sealed::Sealed for Fallible<F> {}
impl<F, T, E> Work for Fallible<F>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    type Value = T;
    type Error = E;
    type Future = F;
    task!();

    fn begin(self, _: impl FnOnce() -> JobContext) -> Self::Future {
        self.0
    }
}

impl<C> sealed::Sealed for FallibleWith<C> {}
impl<C, F, T, E> Work for FallibleWith<C>
where
    C: FnOnce(JobContext) -> F + Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    type Value = T;
    type Error = E;
    type Future = F;
    task!();

    fn begin(self, context: impl FnOnce() -> JobContext) -> Self::Future {
        (self.0)(context())
    }
}

impl<C> sealed::Sealed for Closure<C> {}
impl<C, T> Work for Closure<C>
where
    C: FnOnce(&CallContext) -> T + Send + 'static,
    T: Send + 'static,
{
    type Value = T;
    type Error = Infallible;
    call!();

    fn call(self, context: &CallContext) -> Result<T, Infallible> {
        Ok((self.0)(context))
    }
}

impl<C> sealed::Sealed for FallibleClosure<C> {}
impl<C, T, E> Work for FallibleClosure<C>
where
    C: FnOnce(&CallContext) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    type Value = T;
    type Error = E;
    call!();

    fn call(self, context: &CallContext) -> Result<T, E> {
        (self.0)(context)
    }
}
