//! 400 days in the emulator's own time: a timer that comes each 160 seconds, 216,000 times, and a processor that sleeps in between.
#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "the registers of a timer, and the line of its interrupt")]

use core::cell::Cell;
use core::future::pending;
use core::ptr;
use core::time::Duration;

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use cortex_m_rt::exception;
use countermand_core::{Instant, Job, Outcome, Shutdown, Token, WorkerConfig};
use countermand_firmware::{line, set_up_heap, superloop};
use critical_section::Mutex;

/// The first of the board's timers: control, value, reload, and the register that takes its interrupt back.
const TIMER: usize = 0x4000_0000;

/// It counts down by this many a second, in 32 bits.
const CYCLES: u32 = 25_000_000;

const PERIOD: Duration = Duration::from_secs(160);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const DAYS: u32 = 400;

static TICKS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));
static RUNG: Mutex<Cell<bool>> = Mutex::new(Cell::new(false));

#[derive(Clone, Copy)]
struct Line;

// SAFETY: the line of that timer, on this board.
unsafe impl InterruptNumber for Line {
    fn number(self) -> u16 {
        8
    }
}

fn set(register: usize, value: u32) {
    // SAFETY: one of the registers of the timer, which nobody else uses.
    unsafe { ptr::with_exposed_provenance_mut::<u32>(TIMER + register).write_volatile(value) }
}

// SAFETY: it counts, and takes the interrupt back.
#[exception]
unsafe fn DefaultHandler(_: i16) {
    set(0xC, 1);
    critical_section::with(|section| TICKS.borrow(section).set(TICKS.borrow(section).get() + 1));
    <Board as superloop::Board>::ring();
}

/// The board whose only clock is that timer.
struct Board;

impl superloop::Board for Board {
    fn now() -> Instant {
        let ticks = critical_section::with(|section| TICKS.borrow(section).get());
        Instant::from_nanos(ticks * PERIOD.as_nanos() as u64)
    }

    fn sleep() {
        // With interrupts off, so that none comes between the look and the sleep; one that comes ends it all the same.
        cortex_m::interrupt::disable();
        if !critical_section::with(|section| RUNG.borrow(section).replace(false)) {
            cortex_m::asm::wfi();
        }
        // SAFETY: they were on.
        unsafe { cortex_m::interrupt::enable() }
    }

    fn ring() {
        critical_section::with(|section| RUNG.borrow(section).set(true));
    }
}

fn after(days: u32) -> Instant {
    Instant::ORIGIN.checked_add(DAY * days).expect("within the clock")
}

#[cortex_m_rt::entry]
fn entry() -> ! {
    set_up_heap();
    let reload = CYCLES * PERIOD.as_secs() as u32 - 1;
    set(0x8, reload);
    set(0x4, reload);
    // SAFETY: no section without interrupts is broken by it.
    unsafe { NVIC::unmask(Line) };
    set(0x0, 0b1001);
    superloop::run::<Board, _>(WorkerConfig::new().lanes(4).drivers(2), |worker| async move {
        // Each day it says what time it is; a sleep too short or too long would show.
        let daily = Job::task_with(|context| async move {
            for day in 1..=DAYS {
                context.sleep(DAY).await;
                assert_eq!(context.now(), after(day), "day {day}");
            }
        });
        let daily = worker.submit(daily).await.expect("there is a place");
        let whole = Job::task_with(|context| async move {
            context.sleep(DAY * DAYS).await;
            context.now()
        });
        let whole = worker.submit(whole).await.expect("there is a place");
        let late = Job::task(pending::<()>()).run_timeout(DAY * (DAYS - 1));
        let late = worker.submit(late).await.expect("there is a place");
        let distant = Job::task(pending::<()>()).run_timeout(DAY * (DAYS + 1));
        let distant = worker.submit(distant).await.expect("there is a place");
        let dated = Token::with_deadline(after(DAYS));

        assert!(matches!(late.await, Outcome::TimedOut { .. }));
        assert_eq!(<Board as superloop::Board>::now(), after(DAYS - 1));
        assert!(!dated.expire_due(after(DAYS - 1)), "a deadline was due a day too early");
        assert_eq!(whole.await.completed(), Some(after(DAYS)));
        assert_eq!(daily.await.completed(), Some(()));
        assert_eq!(<Board as superloop::Board>::now(), after(DAYS));
        assert!(dated.expire_due(after(DAYS)) && !distant.is_finished());
        let report = worker.shutdown(Shutdown::Abort).await;
        assert!(report.counts.balances(), "{:?}", report.counts);
        assert!(matches!(distant.await, Outcome::Cancelled { .. }));
    })
    .expect("the settings can be");
    line::say("days: 400 of them passed, tick by tick");
    line::leave(true)
}
