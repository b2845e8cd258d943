//! Examines one rule of the contract on tokens without a heap, and says what it found as a child process of the suite's program does.
#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "the rules make wakers by hand")]

use core::panic::PanicInfo;
use core::pin::{Pin, pin};
use core::sync::atomic::Ordering;
use core::task::{Context, Poll, Waker};

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::{entry, exception};
use countermand_core::{Cause, HeldToken};
use countermand_heapless::line::{self, LONGEST, complain, leave, say};
use countermand_heapless::stack::Painted;
use portable_atomic::AtomicU32;

#[path = "../../../../../core/tests/held/rules.rs"]
mod rules;

/// No use of a token alone is deeper than this.
const DEEPEST: usize = 512;

/// Those that only a board can show.
const HERE: &[rules::Rule] = &[("T4", t4_a_handler_checks_and_cancels)];

#[entry]
fn main() -> ! {
    let mut text = [0; LONGEST];
    let arguments = line::arguments(&mut text);
    let mut words = arguments.split_ascii_whitespace();
    if arguments == "stack" {
        let depth = depth();
        say(format_args!("stack: {depth} bytes"));
        leave(depth <= DEEPEST);
    }
    let (Some("__examine"), Some(_), Some(number), Some(_), mutant) =
        (words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        panic!("an image is called with `__examine HOST RULE SEED [MUTANT]` or `stack`, not with {arguments:?}")
    };
    switch_on(mutant);
    let mut known = rules::ALL.iter().chain(HERE).filter(|rule| rule.0 == number).peekable();
    if known.peek().is_none() {
        say(format_args!(
            "\u{1e}{{\"verdict\":\"not-applicable\",\"why\":\"not run: its examination needs a heap\",\"runs\":0,\"left_out\":[],\"raced\":0}}"
        ));
        leave(true);
    }
    for (_, rule) in known {
        rule();
    }
    say(format_args!(
        "\u{1e}{{\"verdict\":\"pass\",\"why\":\"\",\"runs\":1,\"left_out\":[\"tokens alone, of the kind that needs no heap\"],\"raced\":0}}"
    ));
    leave(true)
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    let mut text = [0; LONGEST];
    let number = line::arguments(&mut text).split_ascii_whitespace().nth(2).unwrap_or("the image");
    complain(format_args!("{number} is broken: {info}"));
    leave(false)
}

#[cfg(feature = "mutants")]
fn switch_on(name: Option<&str>) {
    use countermand_core::mutant::{Mutant, activate};
    if let Some(name) = name {
        let mutant = Mutant::ALL.iter().copied().find(|mutant| mutant.name() == name);
        activate(Some(mutant.unwrap_or_else(|| panic!("no mutant is called {name:?}"))));
    }
}

#[cfg(not(feature = "mutants"))]
fn switch_on(name: Option<&str>) {
    assert!(name.is_none(), "this image was built without mutants");
}

static PULLED: HeldToken<'static> = HeldToken::new();
static WIRED: HeldToken<'static> = HeldToken::below(&PULLED);

/// How often the handler looked.
static LOOKS: AtomicU32 = AtomicU32::new(0);

#[exception]
fn SysTick() {
    let looks = LOOKS.load(Ordering::SeqCst) + 1;
    LOOKS.store(looks, Ordering::SeqCst);
    // A check, in the middle of whatever the interrupted code does with the same tree.
    let _ = WIRED.is_cancelled();
    if looks == 100 {
        assert!(PULLED.cancel_with(Cause::REQUESTED.with_code(7)), "the handler is the first");
    }
}

fn t4_a_handler_checks_and_cancels() {
    let mut timer = cortex_m::Peripherals::take().expect("they are taken once").SYST;
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(997);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
    let mut cx = Context::from_waker(Waker::noop());
    // Puts itself on the list and takes itself off, all the time, until the handler has cancelled.
    let cause = loop {
        let leaf = pin!(HeldToken::child_of(Pin::static_ref(&WIRED)));
        let mut wait = pin!(leaf.as_ref().cancelled_pinned());
        if let Poll::Ready(cause) = wait.as_mut().poll(&mut cx) {
            break cause;
        }
    };
    timer.disable_interrupt();
    assert_eq!(cause, Cause::REQUESTED.with_code(7));
    assert_eq!((WIRED.cause(), LOOKS.load(Ordering::SeqCst)), (Some(cause), 100));
}

/// How deep the stack is below whoever waits, cancels with three waiting on three levels, and drops.
#[inline(never)]
fn depth() -> usize {
    let painted = Painted::new();
    use_tokens();
    painted.depth()
}

#[inline(never)]
fn use_tokens() {
    let mut cx = Context::from_waker(Waker::noop());
    let root = pin!(HeldToken::new());
    let child = pin!(HeldToken::child_of(root.as_ref()));
    let leaf = pin!(HeldToken::child_of(child.as_ref()));
    let mut one = pin!(root.as_ref().cancelled_pinned());
    let mut two = pin!(child.as_ref().cancelled_pinned());
    let mut three = pin!(leaf.as_ref().cancelled_pinned());
    for wait in [&mut one, &mut two, &mut three] {
        assert!(wait.as_mut().poll(&mut cx).is_pending());
    }
    root.cancel();
    for wait in [&mut one, &mut two, &mut three] {
        assert!(wait.as_mut().poll(&mut cx).is_ready());
    }
}
