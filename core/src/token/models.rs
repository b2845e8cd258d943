//! A host for tests: it counts what it is told.
#![allow(unsafe_code, reason = "a node in memory of the test's")]

use core::ptr::NonNull;
use std::boxed::Box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Token;
use super::hosted::{Hooks, Hosted};

/// What a host was told, outside of what is modelled.
#[derive(Default)]
pub(super) struct Told {
    pub(super) cancelled: AtomicUsize,
    pub(super) contained: AtomicUsize,
    pub(super) released: AtomicUsize,
}

impl Told {
    pub(super) fn get(&self) -> [usize; 3] {
        [&self.cancelled, &self.contained, &self.released].map(|count| count.load(Ordering::SeqCst))
    }
}

#[repr(C)]
struct Guest {
    hosted: Hosted,
    told: Arc<Told>,
}

const HOOKS: Hooks = Hooks {
    cancelled: |host| {
        // SAFETY: the host is a guest, of which the node is the first field, and is there.
        unsafe { host.cast::<Guest>().as_ref() }.told.cancelled.fetch_add(1, Ordering::SeqCst);
    },
    contain: |host, f| {
        // SAFETY: as above.
        unsafe { host.cast::<Guest>().as_ref() }.told.contained.fetch_add(1, Ordering::SeqCst);
        f();
    },
    release: |host| {
        // SAFETY: as above, for the last time.
        let guest = unsafe { Box::from_raw(host.cast::<Guest>().as_ptr()) };
        guest.told.released.fetch_add(1, Ordering::SeqCst);
    },
};

/// The token of a guest below `root`, which outlives it, or also below a parent.
pub(super) fn guest(root: &Token, parent: Option<&Token>) -> (Token, Arc<Told>) {
    let told = Arc::new(Told::default());
    // SAFETY: promised by the caller; the guest stays where it is.
    let hosted = unsafe { Hosted::new(root, parent, u64::MAX, NonNull::from(&HOOKS)) };
    let guest = Guest { hosted, told: told.clone() };
    let guest = NonNull::from(Box::leak(Box::new(guest)));
    // SAFETY: just made; its one count is that of the token.
    let token = unsafe {
        Hosted::settle_in(guest.cast(), 1);
        guest.as_ref().hosted.attend();
        Hosted::token(guest.cast())
    };
    (core::mem::ManuallyDrop::into_inner(token), told)
}

/// It does not want to be told any more.
pub(super) fn dismiss(token: &Token) {
    token.node().and_then(|node| node.up.hosted()).expect("a guest").dismiss();
}
