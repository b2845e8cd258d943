//! All semantics of a running job, in one place: what happens to it when its lane has a turn.
//!
//! ```text
//!   take ──► due or cancelled? ──► dropped, settled unstarted          J2, D4
//!              │ no
//!              ▼
//!   ┌──► due by the clock? cancel with cause Deadline                  D2, D6
//!   │    request outstanding, not shielded, grace over? ──► dropped    J4, J5, R9
//!   │    poll ──Ready──► the value wins                                J3
//!   │      │ Pending
//!   │    request outstanding …? ──► dropped in the same turn           J4
//!   └──── stay
//! ```
//!
//! The body is always dropped, under `contain`, before the outcome is fixed (J7, P2); the driver frees the place in between.

use core::task::{Context, Poll};

use crate::clockwork::Clockwork;
use crate::job::conditions::Limit;
use crate::job::head::Head;
use crate::job::runner::{Lent, Loan, Runner};
use crate::job::verdict::Verdict;
use crate::sync::Arc;
use crate::{Cause, CauseKind, Instant};

/// A job in a lane.
pub(crate) struct Occupant {
    body: Body,
    watch: Watch,
}

/// A task is here; the body of a call is lent to a thread.
enum Body {
    Task(Runner),
    Call(Lent),
}

/// The times of a running job.
#[derive(Default)]
struct Watch {
    /// When the request that is outstanding was made: for a deadline its time, else when the lane first saw it.
    requested: Option<Instant>,
    /// A call that runs on after all its times: nothing more is due.
    over: bool,
}

/// What became of a job in its turn.
pub(crate) enum Turn {
    /// It stays in its lane.
    Stay(Occupant),
    /// It is over: free the place, then settle.
    Over(Runner, Verdict),
    /// Its closure has ended, and it is settled where that ran, or was long ago (B3): free the place, then let go.
    Vacant(Occupant),
}

/// Looks at a job that has come out of the queue. `Err` if it must not be started: its body was dropped, it is to be settled.
#[inline]
pub(crate) fn admit(mut runner: Runner, now: Instant) -> Result<Runner, (Runner, Verdict)> {
    let head = runner.head();
    head.start_the_clock(now);
    if !mutant!(PastDeadlinePolledOnce) {
        // A time that is out when the job would start keeps it from starting, a run time-out of zero too (D4).
        head.expire_running(now);
        if head.queue_due().is_some_and(|at| at.is_due(now)) {
            head.cancel(Cause::DEADLINE); // D5
        }
    }
    // It has been taken, and this is the look afterwards: a cancel from here on rings the lane.
    match head.cause() {
        Some(cause) if !mutant!(PollsAJobCancelledWhileQueued) => {
            runner.discard();
            Err((runner, Verdict::Requested { cause, started: false })) // J2
        }
        _ => Ok(runner),
    }
}

/// The first turn of a task that was admitted at the same `now`. One that is ready at once never comes to lie in its lane.
#[inline]
pub(crate) fn first(runner: Runner, now: Instant, cx: &mut Context<'_>, clockwork: &Arc<Clockwork>) -> Turn {
    // The hook that was told of the start may have asked it to stop, or waited for who did. Else `admit` has only just looked.
    if runner.head().is_observed() && !mutant!(PollsAJobCancelledWhileQueued) {
        if let Some(cause) = runner.head().cause() {
            return unstarted(runner, cause); // J2: grace is for what has begun.
        }
    }
    poll(runner, Watch::default(), false, now, cx, clockwork)
}

impl Occupant {
    /// A call that was given to a thread.
    pub(crate) fn call(lent: Lent) -> Self {
        Self { body: Body::Call(lent), watch: Watch::default() }
    }

    pub(crate) fn head(&self) -> &Head {
        match &self.body {
            Body::Task(runner) => runner.head(),
            Body::Call(lent) => lent.head(),
        }
    }

    /// When it must have a turn at the latest.
    #[inline]
    pub(crate) fn next_due(&self) -> Option<Instant> {
        match &self.body {
            Body::Task(runner) => self.watch.next_due(runner.head(), true),
            Body::Call(lent) => self.watch.next_due(lent.head(), lent.head().conditions.abandonable),
        }
    }

    /// One turn: at most one poll.
    #[inline]
    pub(crate) fn turn(self, now: Instant, cx: &mut Context<'_>, clockwork: &Arc<Clockwork>) -> Turn {
        match self.body {
            Body::Task(runner) => turn_task(runner, self.watch, now, cx, clockwork),
            Body::Call(lent) => turn_call(lent, self.watch, now),
        }
    }

    /// Whether it is a call whose closure has ended.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(&self.body, Body::Call(lent) if lent.has_ended())
    }

    /// The worker's host is gone: there will be no further turn. `Err` if it settled before.
    pub(crate) fn evict(self, now: Instant) -> Result<(Runner, Verdict), Self> {
        self.head().expire_running(now); // D2
        match self.body {
            Body::Task(mut runner) => {
                let cause = runner.head().cancel(Cause::SHUTDOWN);
                runner.discard();
                Ok((runner, Verdict::Requested { cause, started: true }))
            }
            Body::Call(lent) => match lent.ask() {
                Loan::Refused(runner) => Ok(refused(runner)),
                Loan::Out(lent) => {
                    lent.head().cancel(Cause::SHUTDOWN);
                    let lent = match lent.withdraw() {
                        Ok(runner) => return Ok(refused(runner)),
                        Err(lent) => lent,
                    };
                    if lent.abandon(now) {
                        return Err(Self::call(lent));
                    }
                    // It ended in between, or had been abandoned before.
                    match lent.ask() {
                        Loan::Refused(runner) => Ok(refused(runner)),
                        Loan::Out(lent) | Loan::Over(lent) => Err(Self::call(lent)),
                    }
                }
                Loan::Over(lent) => Err(Self::call(lent)),
            },
        }
    }
}

#[inline]
fn turn_task(runner: Runner, mut watch: Watch, now: Instant, cx: &mut Context<'_>, clockwork: &Arc<Clockwork>) -> Turn {
    if let Some(cause) = watch.must_go(runner.head(), now).filter(|_| !mutant!(PollsAfterTheRequest)) {
        return dropped(runner, cause);
    }
    let late = watch.requested.is_some() && runner.head().is_timed_out();
    poll(runner, watch, late, now, cx, clockwork)
}

#[inline(always)]
fn poll(
    mut runner: Runner,
    mut watch: Watch,
    late: bool,
    now: Instant,
    cx: &mut Context<'_>,
    clockwork: &Arc<Clockwork>,
) -> Turn {
    if runner.poll(cx, clockwork) == Poll::Ready(()) {
        if mutant!(ReadyThrownAway) {
            if let Some(cause) = runner.head().token.cause() {
                return dropped(runner, cause);
            }
        }
        return Turn::Over(runner, Verdict::Returned { late }); // J3
    }
    match watch.must_go(runner.head(), now) {
        Some(cause) if !mutant!(PollsAfterTheRequest) => dropped(runner, cause), // J4
        _ => Turn::Stay(Occupant { body: Body::Task(runner), watch }),
    }
}

fn turn_call(lent: Lent, mut watch: Watch, now: Instant) -> Turn {
    match lent.ask() {
        Loan::Refused(runner) => {
            let (runner, verdict) = refused(runner);
            Turn::Over(runner, verdict)
        }
        Loan::Over(lent) => Turn::Vacant(Occupant::call(lent)),
        Loan::Out(mut lent) => {
            let over = watch.must_go(lent.head(), now).is_some();
            if watch.requested.is_some() {
                lent = match lent.withdraw() {
                    Ok(runner) => {
                        let (runner, verdict) = refused(runner); // B2
                        return Turn::Over(runner, verdict);
                    }
                    Err(begun) => begun,
                };
            }
            let head = lent.head();
            // Whatever it is asked, a call that runs ends when it ends; there is no further time to watch.
            watch.over |= over;
            let over = over && head.is_timed_out();
            if over && (head.conditions.abandonable || mutant!(AbandonsWithoutPermission)) {
                lent.abandon(now); // B3; the lane stays occupied until the closure ends
                if mutant!(AbandonedCallLeavesItsLane) {
                    return Turn::Vacant(Occupant::call(lent));
                }
            }
            if watch.requested.is_some() && mutant!(CancelledCallIsReportedStopped) {
                lent.abandon(now);
            }
            Turn::Stay(Occupant { body: Body::Call(lent), watch })
        }
    }
}

fn dropped(mut runner: Runner, cause: Cause) -> Turn {
    runner.discard();
    Turn::Over(runner, Verdict::Requested { cause, started: true })
}

/// It was asked to stop between the look before its start and its first poll: by the hook that is told of the start, or by another thread.
fn unstarted(mut runner: Runner, cause: Cause) -> Turn {
    runner.head().unstart();
    runner.discard();
    Turn::Over(runner, Verdict::Requested { cause, started: false })
}

/// The call was never run: the host had no thread for it, or it was cancelled before it began.
fn refused(mut runner: Runner) -> (Runner, Verdict) {
    let cause = runner.head().cancel(Cause::SHUTDOWN);
    runner.head().unstart();
    runner.discard();
    (runner, Verdict::Requested { cause, started: false })
}

impl Watch {
    /// Compares with the clock (D2), then says why the job must go now, if it must.
    #[inline(always)]
    fn must_go(&mut self, head: &Head, now: Instant) -> Option<Cause> {
        head.expire_running(now);
        if head.token.is_cancelled() { self.must_go_by_now(head, now) } else { None }
    }

    fn must_go_by_now(&mut self, head: &Head, now: Instant) -> Option<Cause> {
        let cause = head.token.cause()?;
        let requested = *self.requested.get_or_insert_with(|| match (cause.kind(), head.due()) {
            (CauseKind::Deadline, Some(due)) => due.min(now),
            _ => head.requested(now),
        });
        let grace = if mutant!(GraceIsIgnored) { Limit::ZERO } else { head.conditions.grace };
        let grace_over = grace.after(requested).is_some_and(|end| end.is_due(now));
        (grace_over && (!head.is_shielded() || mutant!(ShieldDoesNotHold))).then_some(cause) // J5, R9
    }

    #[inline]
    fn next_due(&self, head: &Head, ends_by_grace: bool) -> Option<Instant> {
        match self.requested {
            _ if self.over => None,
            None => head.due(),
            Some(requested) if ends_by_grace && !head.is_shielded() => head.conditions.grace.after(requested),
            Some(_) => None,
        }
    }
}
