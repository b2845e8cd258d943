//! A token that one waits for, with the cause of its cancel.
#![no_std]
#![no_main]

use countermand_core::{Cause, Detail, HeldToken};
use countermand_heapless::weighed;
use countermand_heapless::weighed::keep;

static TOKEN: HeldToken<'static> = HeldToken::new();

weighed! {
    waits: {
        if let Detail::Code(code) = TOKEN.cancelled().await.detail() {
            keep(code);
        }
    },
    acts: {
        TOKEN.cancel_with(Cause::REQUESTED.with_code(7));
    }
}
