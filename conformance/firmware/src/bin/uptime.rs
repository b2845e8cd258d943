//! 400 days: sleeps, time-outs and deadlines over the places where smaller counts of ticks wrap.
//!
//! Nobody waits for them. The count of interrupts is set forward to shortly before the place, and the interrupts of the emulated timer carry it over: the
//! same sums are done as after so many days.
#![no_std]
#![no_main]

use core::future::pending;
use core::time::Duration;

use countermand_core::{Instant, Job, Outcome, Phase, Shutdown, Timers, Token, WorkerConfig};
use countermand_firmware::{Board, clock, line, set_up, superloop};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Where counts of milliseconds, microseconds and nanoseconds in 32 bits wrap, counts of the tick in 31 and 32 bits, and what the contract names (C4).
const PLACES: [Duration; 6] = [
    Duration::from_micros(1 << 32),
    Duration::from_millis(1 << 31),
    Duration::from_millis(1 << 32),
    Duration::from_millis(1 << 33),
    DAY.saturating_mul(400),
    // Where microseconds lose a bit as a double does; 285 years.
    Duration::from_micros(1 << 53),
];

#[cortex_m_rt::entry]
fn entry() -> ! {
    set_up();
    superloop::run::<Board, _>(WorkerConfig::new().lanes(4).drivers(2), |worker| async move {
        // It waits through all of it, and nothing of it is due.
        let patient = Job::task(pending::<()>()).run_timeout(Duration::MAX);
        let patient = worker.submit(patient).await.expect("there is a place");
        let distant = worker.submit(Job::task(pending::<()>()).run_timeout(DAY * 401)).await.expect("there is a place");
        for place in PLACES {
            clock::set_forward(place - Duration::from_millis(10));
            let before = clock::now();
            assert!(before < at(place), "{place:?} is past before it came");
            let late = Job::task(pending::<()>()).run_timeout(Duration::from_millis(20));
            let late = worker.submit(late).await.expect("there is a place");
            let nap = Job::task_with(|context| async move {
                let begun = context.now();
                context.sleep(Duration::from_millis(30)).await;
                context.now().saturating_since(begun)
            });
            let nap = worker.submit(nap).await.expect("there is a place");
            let dated = Token::with_deadline(at(place));
            assert!(!dated.expire_due(before), "a deadline was due {place:?} too early");
            assert!(matches!(late.await, Outcome::TimedOut { phase: Phase::Running, .. }), "over {place:?}");
            let slept = nap.await.completed().expect("a sleep comes to its end");
            assert!(
                slept >= Duration::from_millis(30) && slept < Duration::from_secs(1),
                "slept {slept:?} over {place:?}"
            );
            let after = clock::now();
            assert!(after > at(place), "the clock did not go over {place:?}");
            assert!(dated.expire_due(after), "a deadline at {place:?} was not due");
            assert!(!patient.is_finished(), "a time-out that is none was due at {place:?}");
            assert_eq!(distant.is_finished(), place > DAY * 401, "a time-out of 401 days at {place:?}");
        }
        assert!(matches!(distant.await, Outcome::TimedOut { .. }));
        // D8: beyond the clock is no deadline.
        assert_eq!(Instant::from_nanos(u64::MAX).checked_add(Duration::from_nanos(1)), None);
        let report = worker.shutdown(Shutdown::Abort).await;
        assert!(report.counts.balances(), "{:?}", report.counts);
        assert!(matches!(patient.await, Outcome::Cancelled { .. }));
    })
    .expect("the settings can be");
    sparse_timers();
    line::say("uptime: six places up to 285 years passed, 400 days among them");
    line::leave(true)
}

fn at(place: Duration) -> Instant {
    Instant::ORIGIN.checked_add(place).expect("within the clock")
}

/// The core's timers alone, over all of the places at a time.
fn sparse_timers() {
    let mut timers = Timers::growing();
    for (number, place) in PLACES.iter().enumerate().rev() {
        timers.insert(at(*place), number);
    }
    for (number, place) in PLACES.iter().enumerate() {
        let early = Instant::from_nanos(at(*place).as_nanos() - 1);
        assert!(timers.pop_due(early).is_none(), "a timer was due before {place:?}");
        assert_eq!(timers.pop_due(at(*place)).map(|due| due.1), Some(number), "the timer at {place:?}");
    }
}
