//! Hosts that lie: each is one of ours with one promise of [`Host`] broken, and names the rules that must see it.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use countermand_core::{Alarm, Assembly, Call, Host, Instant, Worker, WouldDeadlock};

use crate::hosts::TokioCurrentThread;
use crate::{Candidate, Examinee, LocalFuture, Profile, SendFuture};

/// A lying host, and who must see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Liar {
    pub(crate) candidate: Candidate,
    pub(crate) defect: &'static str,
    /// Whether it keeps something from coming at all.
    pub(crate) stalls: bool,
    pub(crate) rules: &'static [&'static str],
}

/// All of them. They stand on a runtime of one thread, where each wrong step is felt.
pub(crate) const ALL: &[Liar] = &[
    liar::<DeafAlarm>(),
    liar::<EagerAlarm>(),
    liar::<BackwardClock>(),
    liar::<ClaimsThreads>(),
    liar::<DropsCalls>(),
    liar::<BlocksAnyway>(),
    liar::<DoesNothing>(),
    liar::<PollsNobody>(),
    liar::<DropsAttendants>(),
    liar::<PanicsWhenDropped>(),
];

const fn liar<L: Lie>() -> Liar {
    let candidate = Candidate::of::<Lying<TokioCurrentThread, L>>();
    Liar { candidate, defect: L::DEFECT, stalls: L::STALLS, rules: L::RULES }
}

/// One promise, broken. What a lie says nothing about is handed on to the host beneath.
trait Lie: Send + Sync + 'static {
    const NAME: &'static str;
    const DEFECT: &'static str;
    const RULES: &'static [&'static str];
    const STALLS: bool = false;

    fn runs_main() -> bool {
        true
    }

    fn launch<E: Examinee, H: Host<Alarm: Send>>(beneath: &E, assembly: Assembly<H>) -> Worker {
        beneath.launch(assembly)
    }

    fn dropped() {}

    fn now(beneath: Instant) -> Instant {
        beneath
    }

    fn poll_at<A: Alarm>(beneath: Pin<&mut A>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        beneath.poll_at(at, cx)
    }

    fn offload<H: Host>(beneath: &H, call: Call) -> Result<(), Call> {
        beneath.offload(call)
    }

    fn has_threads<H: Host>(beneath: &H) -> bool {
        beneath.has_threads()
    }

    fn block<H: Host>(beneath: &H, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        beneath.block(wait)
    }
}

struct DeafAlarm;

impl Lie for DeafAlarm {
    const NAME: &'static str = "DeafAlarm";
    const DEFECT: &'static str = "the host's alarm never wakes anybody";
    const RULES: &'static [&'static str] = &["L6"];
    const STALLS: bool = true;

    fn poll_at<A: Alarm>(_: Pin<&mut A>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

struct EagerAlarm;

impl Lie for EagerAlarm {
    const NAME: &'static str = "EagerAlarm";
    const DEFECT: &'static str = "the host's alarm wakes at once, whatever time it is set to";
    const RULES: &'static [&'static str] = &["L4"];

    fn poll_at<A: Alarm>(beneath: Pin<&mut A>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        cx.waker().wake_by_ref();
        beneath.poll_at(at, cx)
    }
}

struct BackwardClock;

impl Lie for BackwardClock {
    const NAME: &'static str = "BackwardClock";
    const DEFECT: &'static str = "every third reading of the host's clock is a second early";
    const RULES: &'static [&'static str] = &["C4"];

    fn now(beneath: Instant) -> Instant {
        static READINGS: AtomicU64 = AtomicU64::new(0);
        let back =
            if READINGS.fetch_add(1, Ordering::Relaxed) % 3 == 2 { Duration::from_secs(1) } else { Duration::ZERO };
        Instant::from_nanos(beneath.as_nanos().saturating_sub(u64::try_from(back.as_nanos()).unwrap_or(0)))
    }
}

struct ClaimsThreads;

impl Lie for ClaimsThreads {
    const NAME: &'static str = "ClaimsThreads";
    const DEFECT: &'static str = "the host declares that it runs blocking closures, and refuses each";
    const RULES: &'static [&'static str] = &["B1"];

    fn offload<H: Host>(_: &H, call: Call) -> Result<(), Call> {
        Err(call)
    }

    fn has_threads<H: Host>(_: &H) -> bool {
        false
    }
}

struct DropsCalls;

impl Lie for DropsCalls {
    const NAME: &'static str = "DropsCalls";
    const DEFECT: &'static str = "the host says that it runs a blocking closure, and drops it";
    const RULES: &'static [&'static str] = &["B1"];
    const STALLS: bool = true;

    fn offload<H: Host>(_: &H, call: Call) -> Result<(), Call> {
        drop(call);
        Ok(())
    }
}

struct BlocksAnyway;

impl Lie for BlocksAnyway {
    const NAME: &'static str = "BlocksAnyway";
    const DEFECT: &'static str = "the host lets a thread block that its drivers need";
    const RULES: &'static [&'static str] = &["C3"];
    const STALLS: bool = true;

    fn block<H: Host>(_: &H, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        wait();
        Ok(())
    }
}

struct DoesNothing;

impl Lie for DoesNothing {
    const NAME: &'static str = "DoesNothing";
    const DEFECT: &'static str = "the host runs nothing and reports success";
    /// One of each group.
    const RULES: &'static [&'static str] =
        &["T1", "R1", "D1", "J1", "Q1", "S1", "B1", "P1", "L1", "C1", "X1", "E1", "G1"];

    fn runs_main() -> bool {
        false
    }
}

/// One of each group whose rules need attendants at all.
const OF_ATTENDANTS: &[&str] = &["R9", "D4", "J1", "Q4", "S2", "B1", "P1", "L6", "C1", "X1"];

struct PollsNobody;

impl Lie for PollsNobody {
    const NAME: &'static str = "PollsNobody";
    const DEFECT: &'static str = "the host keeps a worker's attendants and never polls them";
    const RULES: &'static [&'static str] = OF_ATTENDANTS;
    const STALLS: bool = true;

    fn launch<E: Examinee, H: Host<Alarm: Send>>(_: &E, assembly: Assembly<H>) -> Worker {
        let (worker, attendants) = assembly.into_parts();
        std::mem::forget(attendants);
        worker
    }
}

struct DropsAttendants;

impl Lie for DropsAttendants {
    const NAME: &'static str = "DropsAttendants";
    const DEFECT: &'static str = "the host drops a worker's attendants at once";
    const RULES: &'static [&'static str] = OF_ATTENDANTS;

    fn launch<E: Examinee, H: Host<Alarm: Send>>(_: &E, assembly: Assembly<H>) -> Worker {
        assembly.into_parts().0
    }
}

struct PanicsWhenDropped;

impl Lie for PanicsWhenDropped {
    const NAME: &'static str = "PanicsWhenDropped";
    const DEFECT: &'static str = "the host's destructor panics";
    const RULES: &'static [&'static str] = &["C2"];

    fn dropped() {
        assert!(std::thread::panicking(), "a host's destructor");
    }
}

/// A host with one lie.
struct LyingHost<H, L: Lie> {
    beneath: Arc<H>,
    lie: PhantomData<L>,
}

impl<H: Host, L: Lie> Host for LyingHost<H, L> {
    type Alarm = LyingAlarm<H::Alarm, L>;

    fn now(&self) -> Instant {
        L::now(self.beneath.now())
    }

    fn alarm(&self) -> Self::Alarm {
        LyingAlarm { beneath: Box::pin(self.beneath.alarm()), lie: PhantomData }
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        L::offload(&*self.beneath, call)
    }

    fn has_threads(&self) -> bool {
        L::has_threads(&*self.beneath)
    }

    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        L::block(&*self.beneath, wait)
    }
}

impl<H, L: Lie> Drop for LyingHost<H, L> {
    fn drop(&mut self) {
        L::dropped();
    }
}

struct LyingAlarm<A, L> {
    beneath: Pin<Box<A>>,
    lie: PhantomData<L>,
}

impl<A: Alarm, L: Lie> Alarm for LyingAlarm<A, L> {
    fn poll_at(self: Pin<&mut Self>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        // Nothing of it is pinned but what is in the box.
        L::poll_at(self.get_mut().beneath.as_mut(), at, cx)
    }
}

impl<A, L> Unpin for LyingAlarm<A, L> {}

/// An examinee with one lie.
struct Lying<E, L> {
    beneath: Rc<E>,
    lie: PhantomData<L>,
}

impl<E: Examinee, L: Lie> Examinee for Lying<E, L> {
    const NAME: &'static str = L::NAME;
    const VERSION: &'static str = E::VERSION;
    type Host = LyingHost<E::Host, L>;

    fn profile() -> Profile {
        E::profile()
    }

    fn run(seed: u64, main: impl FnOnce(Rc<Self>) -> LocalFuture<'static, ()>) {
        if L::runs_main() {
            E::run(seed, |beneath| main(Rc::new(Self { beneath, lie: PhantomData })));
        }
    }

    fn host(&self) -> Arc<Self::Host> {
        Arc::new(LyingHost { beneath: self.beneath.host(), lie: PhantomData })
    }

    fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Worker {
        L::launch(&*self.beneath, assembly)
    }

    fn drives_elsewhere() -> bool {
        E::drives_elsewhere()
    }

    fn spawn(&self, future: SendFuture) -> Result<(), SendFuture> {
        self.beneath.spawn(future)
    }

    fn blocked(wait: &mut dyn FnMut()) {
        E::blocked(wait);
    }

    fn nap(&self, span: Duration) -> LocalFuture<'static, ()> {
        self.beneath.nap(span)
    }
}

impl<E, L: Lie> fmt::Debug for Lying<E, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(L::NAME)
    }
}
