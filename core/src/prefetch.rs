//! Asks the processor to have memory at hand that is going to be written.
//!
//! Where another processor has written it last, its lines of the cache come over while there is something else to do, and not one after the other when they are used. That is all:
//! no program can see it but by the clock, so it needs no right to the memory, and an address that is nobody's does no harm.
#![allow(unsafe_code, reason = "an instruction of the processor's")]

use core::ptr::NonNull;

/// A line of the cache, in bytes.
const LINE: usize = 64;

/// So many lines, from this address on, are going to be written.
#[inline(always)]
pub(crate) fn to_write<T, const LINES: usize>(from: NonNull<T>) {
    for line in 0..LINES {
        fetch(from.addr().get().wrapping_add(line * LINE));
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
fn fetch(address: usize) {
    // SAFETY: it neither reads nor writes, and never faults. A processor that does not know it does nothing.
    unsafe { core::arch::asm!("prefetchw [{}]", in(reg) address, options(nomem, nostack, preserves_flags)) };
}

/// Elsewhere there is no such instruction, or none that the compiler has.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline(always)]
const fn fetch(_: usize) {}
