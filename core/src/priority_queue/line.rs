//! How one who may have to wait takes its turn, and gives up its place in line: the same for senders and receivers.

use core::task::{Context, Poll, Waker};

use super::state::{State, Turn};
use super::wakes::{let_go, wake};
use super::{PriorityQueue, Standing};
use crate::size::Size;

impl<T, S: Size> PriorityQueue<T, S> {
    /// Takes `step` under the lock, with a waker or without; if it asks for one, once more with one. The waker is cloned, and what is left of it dropped, when the lock is
    /// open (T8).
    #[inline]
    pub(super) fn poll_turn<R>(
        &self,
        mut waker: Option<Waker>,
        cx: &Context<'_>,
        mut step: impl FnMut(&mut State<T, S>, &mut Option<Waker>) -> Turn<R>,
    ) -> Poll<R> {
        loop {
            match self.state.with(|state| step(state, &mut waker)) {
                Turn::Bring => waker = Some(cx.waker().clone()),
                Turn::Now(now) => {
                    let_go(waker);
                    return Poll::Ready(now);
                }
                Turn::Waiting => {
                    let_go(waker);
                    return Poll::Pending;
                }
            }
        }
    }

    /// One that stood in line gives up by `leave`, which hands out its own waker and that of whom it makes way for.
    #[inline]
    pub(super) fn leave_line(
        &self,
        standing: &mut Standing,
        leave: impl FnOnce(&mut State<T, S>, &mut Standing) -> (Option<Waker>, Option<Waker>),
    ) {
        if standing.is_some() {
            self.give_up(standing, leave);
        }
    }

    #[inline(never)]
    fn give_up(
        &self,
        standing: &mut Standing,
        leave: impl FnOnce(&mut State<T, S>, &mut Standing) -> (Option<Waker>, Option<Waker>),
    ) {
        let (own, next) = self.state.with(|state| leave(state, standing));
        wake(next);
        let_go(own);
    }
}
