//! Of the rules of tokens without a heap those that are about callbacks.

use countermand_core::{HeldCallback, HeldToken};
use portable_atomic::{AtomicU32, Ordering};

use super::{PULLED, TOLD};

static T12_TOKENS: [HeldToken<'static>; 2] = [HeldToken::below(&T12_ROOT), HeldToken::new()];
static T12_ROOT: HeldToken<'static> = HeldToken::new();
/// How often the callback of the live token was called, and that of the cancelled one.
static T12_CALLS: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

pub(super) fn t12_called_once() {
    static LATER: HeldCallback = HeldCallback::new(&T12_TOKENS[0], |cause| {
        // Under no lock, and the tree says what the callback is told (T5).
        assert_eq!((T12_TOKENS[0].cause(), T12_ROOT.cancel()), (Some(cause), false));
        T12_CALLS[0].fetch_add(1, Ordering::SeqCst);
    });
    static AT_ONCE: HeldCallback = HeldCallback::new(&T12_TOKENS[1], |cause| {
        assert_eq!(cause, TOLD);
        T12_CALLS[1].fetch_add(1, Ordering::SeqCst);
    });
    let calls = || T12_CALLS.each_ref().map(|calls| calls.load(Ordering::SeqCst));
    LATER.register();
    LATER.register();
    assert_eq!(calls(), [0, 0]);
    assert!(T12_ROOT.cancel_with(PULLED));
    assert_eq!(calls(), [1, 0], "by whoever cancels");
    T12_TOKENS[0].cancel();
    assert!(!LATER.unregister());
    assert!(T12_TOKENS[1].cancel_with(TOLD));
    AT_ONCE.register();
    assert_eq!(calls(), [1, 1], "at once, where it is cancelled already");
}

static T13_TOKEN: HeldToken<'static> = HeldToken::new();
static T13_CALLS: AtomicU32 = AtomicU32::new(0);
static T13_INSIDE: HeldCallback = HeldCallback::new(&T13_TOKEN, |_| {
    assert!(!T13_INSIDE.unregister(), "from inside it prevents nothing, and comes back");
    T13_CALLS.fetch_add(1, Ordering::SeqCst);
});

pub(super) fn t13_withdrawn_or_called() {
    static WITHDRAWN: HeldCallback = HeldCallback::new(&T13_TOKEN, |_| panic!("it was withdrawn"));
    WITHDRAWN.register();
    T13_INSIDE.register();
    assert!(WITHDRAWN.unregister(), "it prevents the call");
    assert!(!WITHDRAWN.unregister(), "there is nothing left to prevent");
    T13_TOKEN.cancel();
    assert_eq!(T13_CALLS.load(Ordering::SeqCst), 1);
    assert!(!T13_INSIDE.unregister(), "it was called");
}
