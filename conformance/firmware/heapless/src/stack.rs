//! How deep the stack was: what lies below it is painted, and looked at afterwards.
#![allow(unsafe_code, reason = "reads and writes memory below the stack, which is nobody's")]

use core::ptr;

const PAINT: u32 = 0xC0FF_EE11;

/// Left below the frame of whoever paints, for the painting itself.
const MARGIN: usize = 128;

unsafe extern "C" {
    /// Where the statics end, by the linker script of `cortex-m-rt`.
    static mut __sheap: u32;
}

/// Memory below the stack that was painted.
#[derive(Debug)]
pub struct Painted {
    top: usize,
}

impl Painted {
    /// Paints what lies below the stack of the caller, who has no heap there: where there is one, it lies in a static.
    #[must_use]
    #[inline(never)]
    pub fn new() -> Self {
        let here = 0_u32;
        let top = ((&raw const here).addr() - MARGIN) & !3;
        let mut at = (&raw mut __sheap).addr();
        while at < top {
            // SAFETY: between the statics and the stack, where there is memory and nobody's.
            unsafe { ptr::with_exposed_provenance_mut::<u32>(at).write_volatile(PAINT) };
            at += 4;
        }
        Self { top }
    }

    /// How many bytes between the statics and the stack were never used since: with none, it may have run into them.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.top - (&raw mut __sheap).addr() + MARGIN - self.depth()
    }

    /// How many bytes below the caller of [`new`](Self::new) were used since, the margin included.
    #[must_use]
    pub fn depth(&self) -> usize {
        let mut at = (&raw mut __sheap).addr();
        // SAFETY: as in `new`.
        while at < self.top && unsafe { ptr::with_exposed_provenance::<u32>(at).read_volatile() } == PAINT {
            at += 4;
        }
        self.top - at + MARGIN
    }
}

impl Default for Painted {
    fn default() -> Self {
        Self::new()
    }
}
