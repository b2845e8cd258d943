//! Whoever has figures.

use std::sync::Arc;

use crate::Reading;

/// Has figures, and writes them down when asked. Every closure over `&mut Reading` is one.
///
/// # For implementers
///
/// `read` is called at each scrape, on the thread of whoever scrapes. It SHOULD only look, and MUST NOT wait. A counter MUST NOT shrink
/// from one call to the next.
pub trait Figures: Send + Sync {
    /// Writes the figures down as they are now.
    fn read(&self, reading: &mut Reading);
}

impl<F: Fn(&mut Reading) + Send + Sync> Figures for F {
    fn read(&self, reading: &mut Reading) {
        self(reading);
    }
}

impl<F: Figures + ?Sized> Figures for Arc<F> {
    fn read(&self, reading: &mut Reading) {
        (**self).read(reading);
    }
}
