//! The clock: the interrupts of SysTick, counted in sixty-four bits, and what has passed of the present period; and embassy's time driver upon it.

use core::cell::{Cell, RefCell};
use core::task::Waker;
use core::time::Duration;

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};
use cortex_m_rt::exception;
use countermand_core::Instant;
use critical_section::Mutex;
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

/// Cycles of the processor in a microsecond.
const CYCLES: u32 = 25;

/// Microseconds between two interrupts.
const PERIOD: u32 = 1_000;

/// A thirty-two bit count of these periods wraps after 49.7 days.
static PERIODS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

/// What else an interrupt does.
static ACT: Mutex<Cell<Option<fn()>>> = Mutex::new(Cell::new(None));

pub(crate) fn start(mut timer: SYST) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(PERIOD * CYCLES - 1);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}

/// Microseconds since the origin.
#[must_use]
pub fn micros() -> u64 {
    critical_section::with(|section| {
        let mut periods = PERIODS.borrow(section).get();
        let mut left = SYST::get_current();
        // The timer has begun anew, and its interrupt waits for the end of this section.
        if SCB::is_pendst_pending() {
            periods += 1;
            left = SYST::get_current();
        }
        let passed = (PERIOD * CYCLES - 1).saturating_sub(left) / CYCLES;
        periods.saturating_mul(u64::from(PERIOD)).saturating_add(u64::from(passed))
    })
}

/// The same, for the core.
#[must_use]
pub fn now() -> Instant {
    Instant::from_nanos(micros().saturating_mul(1_000))
}

/// The same, for the suite.
#[must_use]
pub fn since_the_origin() -> Duration {
    Duration::from_micros(micros())
}

/// Sets the count of interrupts forward, as if the board had been up that long.
pub fn set_forward(to: Duration) {
    let periods = u64::try_from(to.as_micros()).unwrap_or(u64::MAX) / u64::from(PERIOD);
    critical_section::with(|section| {
        let count = PERIODS.borrow(section);
        count.set(count.get().max(periods));
    });
}

/// From now on each interrupt also does this.
pub fn on_interrupt(act: Option<fn()>) {
    critical_section::with(|section| ACT.borrow(section).set(act));
}

#[exception]
fn SysTick() {
    let act = critical_section::with(|section| {
        let count = PERIODS.borrow(section);
        count.set(count.get() + 1);
        DRIVER.queue.borrow(section).borrow_mut().next_expiration(micros());
        ACT.borrow(section).get()
    });
    if let Some(act) = act {
        act();
    }
}

struct Timers {
    queue: Mutex<RefCell<Queue>>,
}

embassy_time_driver::time_driver_impl!(static DRIVER: Timers = Timers { queue: Mutex::new(RefCell::new(Queue::new())) });

impl Driver for Timers {
    fn now(&self) -> u64 {
        micros()
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        // The next interrupt looks.
        critical_section::with(|section| self.queue.borrow(section).borrow_mut().schedule_wake(at, waker));
    }
}
