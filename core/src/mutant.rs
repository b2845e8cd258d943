//! Defects that can be switched on one at a time, so that the conformance suite can show that it would see them.
//!
//! Only in builds with the feature `mutants`, which no published build turns on.

#[cfg(feature = "alloc")]
use core::sync::atomic::AtomicBool;
use core::sync::atomic::{AtomicU8, Ordering};

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident = $rule:literal, $defect:literal;)*) => {
        /// A defect, named for what it does wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Mutant {
            $(#[doc = $defect] $name,)*
        }

        impl Mutant {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The number of the rule that must see it.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$name => $rule,)* }
            }

            /// What it does wrong.
            #[must_use]
            pub const fn defect(self) -> &'static str {
                match self { $(Self::$name => $defect,)* }
            }

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

mutants! {
    FiresOneTickEarly = "D3", "a deadline is due one nanosecond early";
    LifoWithinPriority = "Q2", "the newest queued job of a priority starts first";
    NoAgeing = "Q3", "the weighted discipline always serves the highest level";
    StaleTimerHitsNext = "D7", "the key of a past timer names whichever timer has its place now";
    ClockWraps = "C4", "timers compare milliseconds in 32 bits, which wrap after 49.7 days";

    // token
    BothToldFirst = "T1", "every caller of cancel is told that it was first";
    CheckForgets = "T2", "a check that found the token cancelled makes it uncancelled again";
    CheckAllocates = "T4", "a check allocates";
    WakesThenSets = "T5", "waiters are woken before the flag is set";
    WaiterDoesNotLookAgain = "T6", "a waiter does not look at the flag again when it registers";
    KeepsTheFirstWaker = "T6", "a second poll with another waker keeps the first";
    WakesTwice = "T7", "each waiter is woken twice";
    WakesUnderTheLock = "T8", "wakers and callbacks are called while the lock is held";
    DropsReplacedWakerUnderTheLock = "T8", "a waker that is replaced is dropped while the lock is held";
    PanicEndsTheLoop = "T9", "after a waker or callback that panics, no other is told";
    LaterCauseOverwrites = "T10", "a later cancel overwrites the cause";
    DisarmedGuardCancels = "T11", "a disarmed guard cancels its token";
    RelaxedFlag = "T3", "what came before a cancel may come after a check that saw it";
    ForgetsCallbackWhenCancelled = "T12", "a callback registered after the cancellation is never called";
    LosesACallbackOnARace = "T12", "a callback registered while the token is cancelled is called by neither side";
    UnregisterClaimsTooMuch = "T13", "unregister says that it prevented the run, and does not";
    NeverClonesIntoRoot = "T14", "a clone of the token that is never cancelled allocates a root";

    // tree
    ChildCancelsParent = "R1", "cancelling a child cancels its parent";
    LooksOneLevelUp = "R2", "a check looks at the parent and no further";
    ParentSeenWhenPolledOnly = "R3", "only a poll looks at the ancestors, a check does not";
    ChildLinkedAfterSweep = "R4", "a child that registers while its parent is cancelled is put on the list after the sweep";
    MiddleDropCutsOff = "R5", "dropping the handles of a middle node cuts its descendants off";
    ParentKeepsDeadChildren = "R6", "a dropped child stays in memory";
    LinkedHearsFirstParentOnly = "R7", "a linked token looks at its first parent only";
    RecursesPerLevel = "R8", "dropping a chain recurses once for each level";
    ShieldHidesOwnCancel = "R9", "a shield hides the cancellation of its own token too";

    // deadlines of tokens
    ChildOverridesDeadline = "D1", "a child's own deadline hides an ancestor's shorter one";
    ExpiryIsARequest = "D6", "an expired deadline cancels with the cause of a request";
    ExpiresTheInnermost = "D9", "of several due deadlines the innermost is the one that is cancelled";

    // jobs and lanes
    DeadlineIgnoredWhileRunning = "D2", "a running job's deadline is not compared with the clock";
    PastDeadlinePolledOnce = "D4", "a job whose deadline is past is polled once all the same";
    RunTimeoutFromSubmit = "D5", "a run time-out counts from submit";
    QueueTimeoutFromTheStart = "D5", "a queue time-out counts from when the job starts";
    ClassifiedByTheClock = "D6", "a cancelled job counts as timed out if its deadline has passed when it settles";
    OverflowIsDueAtOnce = "D8", "a duration beyond the clock wraps to a deadline in the past";
    SettlesTwice = "J1", "an abandoned call settles again when its closure ends";
    PollsAJobCancelledWhileQueued = "J2", "a job that was cancelled in the queue is polled";
    ReadyThrownAway = "J3", "a value is thrown away when a request came in the same poll";
    PollsAfterTheRequest = "J4", "a task goes on being polled after a request";
    GraceIsIgnored = "J5", "a task is dropped at once whatever its grace";
    EveryCancelIsFirst = "J6", "every cancel of a job is told that it was first";
    OutcomeBeforeDrop = "J7", "the outcome is there before the task is dropped";
    PlaceFreedAfterTheOutcome = "J7", "the outcome is there before the place is free";
    WaitPanicsForItsJob = "J8", "a wait for a job that was cancelled panics";
    LateValueIsLost = "J9", "a value that comes too late is dropped and not counted";
    DroppedWaitLosesTheResult = "J10", "a wait that is dropped takes the result with it";
    TokenIsNobodysChild = "J11", "a job's token has no parent";
    WaitingThreadIsNotWoken = "J12", "a thread that waits is not woken when the job settles";
    CancelledCallLosesItsValue = "B1", "the value of a call that was cancelled while it ran is thrown away";
    CancelledCallIsReportedStopped = "B1", "a call that is cancelled settles while its closure runs";
    CancelledCallBeginsAllTheSame = "B2", "a call that is cancelled before its thread begins it is run";
    AbandonsWithoutPermission = "B3", "a call is abandoned at its deadline though the job did not allow it";
    AbandonedCallLeavesItsLane = "B3", "the lane of an abandoned call is free while its closure runs";
    AbortWaitsForCallsForEver = "B4", "an abort waits for calls without limit";
    PanicEndsTheLane = "P1", "the lane of a job that panicked is never free again";
    DestructorPanicStrandsTheHandle = "P2", "a job whose destructor panics during a cancel never settles";
    UsersWakersOnTheList = "P3", "event-listener's list wakes those who wait for the end itself, and breaks when one panics";
    HookPanicsAreNotContained = "P4", "a panic of an observer's hook unwinds through the worker";
    ShieldDoesNotHold = "R9", "a job is dropped inside of a shielded section";
    DroppingAHandleCancels = "X1", "dropping a handle cancels its job";
    PanickedTaskIsForgotten = "X2", "what a task captured that panicked is never dropped";
    DropsOnTheCancellersThread = "X3", "a queued job is dropped on the thread that cancelled it";
    DetachedResultsPileUp = "X4", "the result of a detached job is never released";

    // queue
    BoundCheckedBeforeTheLock = "Q1", "whether there is room is looked up before the lock is taken";
    OneLaneMoreThanTheLimit = "Q1", "each driver has one lane more than its share";
    CancelledEntryKeepsItsPlace = "Q4", "a queued job that is cancelled keeps its place";
    DismissedForGood = "Q4", "a job with a parent that waited for its place is told of no cancel";
    FreedCapacityWakesNobody = "Q4", "a place that becomes free wakes no waiting submitter";
    EvictedJobVanishes = "Q5", "a job that made room never settles";
    EvictsItsEquals = "Q5", "a job of the same priority is made to make room";
    WaitsAgainstThePolicy = "Q5", "a submit waits for a place though the policy is to reject";
    DroppedSubmitStaysInLine = "Q6", "a waiting submit that is dropped keeps its place in the line";
    CancelledSubmitterKeepsItsPermit = "Q6", "a waiting submit that is dropped keeps the place it was granted";
    QueueTimeoutWaitsForALane = "Q7", "a queue time-out is noticed only when a lane gets to the job";
    FloodFillsTheReserve = "Q8", "reserved places are open to everybody";
    ForgottenPlaceHoldsUpTheLine = "X5", "a submitter that does not come for its place holds up those behind it";
    LastSubmitterFirst = "Q9", "of the waiting submitters the last one is served first";

    // the public queue
    GrantsAreForgotten = "Q1", "places that are promised to waiting senders count as free";
    ForceEvictsItsEquals = "Q5", "an item of the same priority is made to make room";
    FreedPlaceGoesToNobody = "Q5", "a place that becomes free is promised to no waiting sender";
    DroppedSendKeepsItsGrant = "Q6", "a waiting send that is dropped keeps the place it was granted";
    ReserveIsOpenToItems = "Q8", "reserved places are open to every item";
    LastSenderFirst = "Q9", "of the waiting senders the last one is served first";
    SenderJoinsAClosedLine = "S1", "a send that found the queue full does not look again when it leaves its waker, and waits though the queue is closed";
    ReceiverParksWithoutLooking = "L5", "a receiver that found nothing does not look again when it leaves its waker";
    DroppedReceiveKeepsItsWake = "L6", "a receive that is dropped passes on no wake";
    CloseWakesUnderTheLock = "T8", "those who wait are told of the end while the lock is held";

    // worker
    ClosingFlagReadOutsideTheLock = "S1", "whether the worker is closed is looked up when a submit begins, and not again under the lock";
    DrainReturnsBeforeTheLastDestructor = "S2", "a drain is over before the last result is dropped";
    ShutdownForgetsWaitingSubmitters = "S3", "waiting submitters are not told of a shutdown";
    PollInProgressCountsAsHeldUp = "S3", "an abort gives up a driver for held up that is in the middle of a poll";
    AbortAsksNobody = "S3", "an abort does not ask the jobs that run";
    DrainLimitIsIgnored = "S4", "a drain with a limit never turns into an abort";
    ZeroLimitIsNone = "S4", "a drain with a limit of zero waits for ever";
    ReportForgetsWhoWasCutOff = "S4", "the report does not say who was cut off";
    DrainRelaxesAnAbort = "S5", "a drain that is asked for after an abort takes its place";
    InsiderJoinsItself = "S5", "a job that waits for the end of its own worker waits for itself";
    VanishedRuntimeStrandsJobs = "S6", "the jobs in the lanes of a driver that is dropped never settle";
    CountsAPanicTwice = "S7", "a panic is counted twice";
    OneDriverTooMany = "L1", "there is one driver more than was asked for, with a lane of its own";
    HeldDriverKeepsItsRing = "L3", "a driver that begins a poll stays on the list of those that are idle";
    LanesShareOneLock = "L3", "all lanes of all drivers share one lock while one of them is in a poll";
    StallsAreNotReported = "L3", "a job that holds its driver is not reported";
    ParksWithoutLooking = "L5", "a driver that parks does not look whether it was rung meanwhile";
    LowestLaneFirst = "L2", "the lane with the lowest number always goes first";
    BusyWhenIdle = "L4", "an idle driver wakes up every microsecond";
    NotifiesOnlyTheFirst = "L6", "a driver is rung only for a job that finds the queue empty";
    BlocksInsideOfADriver = "C3", "a blocking wait in a job's poll is not refused";
    TrustsABackwardClock = "C4", "a clock that goes back is believed";

    // telemetry
    MisspeltPriorityIsNormal = "E1", "an indicator that names no priority makes a packet NORMAL";
    OneCriticalReroutesTheRest = "E15", "after one CRITICAL packet the others go to the emergency stream too";
    NormalAheadOfHigh = "E2", "what is NORMAL goes ahead of what is HIGH";
    RefusedGoesLast = "E3", "what a sink refuses for now goes behind all that waits";
    CriticalIsShed = "E4", "a CRITICAL packet is shed when its room is full";
    LimiterSwallowsRepeats = "E4", "above the rate of CRITICAL, repeats are told together though nobody keeps each";
    ShedIsNotCounted = "E5", "what is shed is counted in the ledger, but not by source, and is not published";
    UnstartedEndsUntold = "E7", "the end of a job that was never started is not told";
    DeadLettersAreNotCounted = "E8", "a packet that becomes a dead letter is in no column of the ledger";
    SinksInSequence = "E9", "a sink is served only while no other has a batch";
    RefusalAdvances = "E10", "a packet that a sink refuses for now counts as delivered";
    FlushesOnTheNextPacketOnly = "E11", "a batch that is not full waits for the next packet, however long";
    RouterFeedsItself = "E16", "what happens to the router's reports is reported, and at once";

    // journal
    AcknowledgesBeforeTheSync = "E6", "the journal acknowledges what it has not synced";
    StopsAtTheFirstBadRecord = "E12", "recovery ends at the first record that is not whole";
    NoReserve = "E13", "on a full disk what is CRITICAL is refused like anything else";
    DeadLettersPurgedAtStart = "E14", "dead letters are purged when the journal is opened";

    // guard
    BlankIdentifierAccepted = "G1", "an identifier may be blank";
    LongIdentifierIsCut = "G1", "an identifier that is too long is cut, and accepted";
    ChecksAfterTheSideEffect = "G2", "a fallback is made before it is looked up whether it is allowed";
    ReportsAndLetsPass = "G2", "an identifier that the registry does not know is reported, and let through";
    ViolationReportedTwice = "G2", "a violation yields two events";
    FallbackWithoutPermission = "G3", "a fallback that no policy allows is used";
    FallbackUsedSilently = "G3", "only the first use of an allowed fallback is reported";
    PreflightStopsAtTheFirst = "G4", "a preflight ends with its first violation";
    CycleIsNotNamed = "G4", "of a cycle only its first check is named";
    SkipsNothing = "G4", "a check is made although what it comes after did not pass";

    // configuration
    EnvironmentOverFlags = "G5", "a variable counts for more than a flag";
    UnknownVariableIgnored = "G6", "a variable with our prefix that names no setting is ignored";
    FieldsSwappedOneByOne = "G7", "a reload puts the new values in force one after the other";
    SecretIsShown = "G8", "the debug output of a secret shows it";
}

impl Mutant {
    /// Those that no run on the processors at hand can show, and only the model checker sees.
    pub const BY_MODELS: &'static [Self] = &[Self::RelaxedFlag];

    /// Those that keep something from coming at all: that it is waited for in vain, or for ever, is a proper death of theirs.
    pub const STALLS: &'static [Self] = &[
        Self::WakesUnderTheLock,
        Self::DropsReplacedWakerUnderTheLock,
        Self::WaiterDoesNotLookAgain,
        Self::KeepsTheFirstWaker,
        Self::WaitingThreadIsNotWoken,
        Self::DestructorPanicStrandsTheHandle,
        Self::CancelledEntryKeepsItsPlace,
        Self::DismissedForGood,
        Self::FreedCapacityWakesNobody,
        Self::CloseWakesUnderTheLock,
        Self::EvictedJobVanishes,
        Self::ShutdownForgetsWaitingSubmitters,
        Self::DrainLimitIsIgnored,
        Self::ZeroLimitIsNone,
        Self::AbortWaitsForCallsForEver,
        Self::InsiderJoinsItself,
        Self::VanishedRuntimeStrandsJobs,
        Self::LanesShareOneLock,
        Self::ParksWithoutLooking,
        Self::NotifiesOnlyTheFirst,
        Self::BlocksInsideOfADriver,
    ];

    /// Those that end the process.
    pub const CRASHES: &'static [Self] = &[Self::RecursesPerLevel];
}

/// 0 for none, else the mutant's number plus one.
static ACTIVE: AtomicU8 = AtomicU8::new(0);

/// Switches `mutant` on, and every other off.
pub fn activate(mutant: Option<Mutant>) {
    ACTIVE.store(mutant.map_or(0, |mutant| mutant as u8 + 1), Ordering::SeqCst);
}

/// Whether `mutant` is switched on. For the loader of the configuration, which is examined with the core.
#[doc(hidden)]
#[must_use]
pub fn is(mutant: Mutant) -> bool {
    ACTIVE.load(Ordering::Relaxed) == mutant as u8 + 1
}

/// Whether somebody holds the one lock of all lanes.
#[cfg(feature = "alloc")]
static ONE_LOCK: AtomicBool = AtomicBool::new(false);

/// The one lock of all lanes, which only a defect has.
#[cfg(feature = "alloc")]
pub(crate) struct OneLock;

#[cfg(feature = "alloc")]
impl OneLock {
    pub(crate) fn take() -> Self {
        while ONE_LOCK.swap(true, Ordering::Acquire) {
            core::hint::spin_loop();
        }
        Self
    }
}

#[cfg(feature = "alloc")]
impl Drop for OneLock {
    fn drop(&mut self) {
        ONE_LOCK.store(false, Ordering::Release);
    }
}
