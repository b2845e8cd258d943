//! Interrupts for a thread: a signal whose handler checks a token, sent again and again while the thread is at work.
#![allow(
    unsafe_code,
    reason = "signals are the operating system's; this file installs one handler and sends to one thread"
)]

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::thread;

use countermand_core::Token;

/// What the handler checks.
static CHECKED: AtomicPtr<Token> = AtomicPtr::new(ptr::null_mut());
/// How often it did.
static CHECKS: AtomicU64 = AtomicU64::new(0);
/// One at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Runs `act` while signals interrupt this thread, each of which checks `token`; `act` may ask how many have. Returns how many
/// did, or `None` where that cannot be set up.
pub(crate) fn under_interrupts(token: &Token, act: impl FnOnce(&dyn Fn() -> u64)) -> Option<u64> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    CHECKS.store(0, Ordering::SeqCst);
    CHECKED.store(ptr::from_ref(token).cast_mut(), Ordering::SeqCst);
    let before = install()?;
    // SAFETY: asks for this thread's own name; there is nothing to get wrong.
    let this = unsafe { libc::pthread_self() };
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let _done = SetOnDrop(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                // SAFETY: the scope ends, on `this` thread, only after this loop has; so the thread is there.
                unsafe { libc::pthread_kill(this, libc::SIGUSR1) };
                thread::yield_now();
            }
        });
        act(&|| CHECKS.load(Ordering::SeqCst));
    });
    // SAFETY: `SIG_IGN` is a disposition, and `before` what `sigaction` gave us for this signal. Nobody sends it any more; one that
    // is still on its way is thrown away when the signal is ignored, so that the default does not end the process.
    unsafe {
        libc::signal(libc::SIGUSR1, libc::SIG_IGN);
        libc::sigaction(libc::SIGUSR1, &before, ptr::null_mut());
    }
    CHECKED.store(ptr::null_mut(), Ordering::SeqCst);
    Some(CHECKS.load(Ordering::SeqCst))
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

fn install() -> Option<libc::sigaction> {
    // SAFETY: `sigaction` is a C struct for which all zeroes is valid: no handler, no flags, and an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handle as extern "C" fn(libc::c_int) as usize;
    action.sa_flags = libc::SA_RESTART;
    let mut before = MaybeUninit::uninit();
    // SAFETY: both pointers are to structs of the right type; the handler does nothing but atomics and the check, which is what
    // is examined here.
    let result = unsafe { libc::sigaction(libc::SIGUSR1, &action, before.as_mut_ptr()) };
    // SAFETY: on success `before` has been written.
    (result == 0).then(|| unsafe { before.assume_init() })
}

extern "C" fn handle(_: libc::c_int) {
    let token = CHECKED.load(Ordering::SeqCst);
    // SAFETY: not null only while `under_interrupts` borrows the token.
    if let Some(token) = unsafe { token.as_ref() } {
        std::hint::black_box(token.is_cancelled());
        CHECKS.fetch_add(1, Ordering::SeqCst);
    }
}
