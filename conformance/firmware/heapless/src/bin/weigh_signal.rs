//! embassy-sync's signal that one waits for, with a number.
#![no_std]
#![no_main]

use countermand_heapless::weighed;
use countermand_heapless::weighed::keep;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;

static SIGNAL: Signal<CriticalSectionRawMutex, u32> = Signal::new();

weighed! {
    waits: {
        keep(SIGNAL.wait().await);
    },
    acts: {
        SIGNAL.signal(7);
    }
}
