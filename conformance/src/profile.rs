//! What a target has, as an adapter declares it.

use std::fmt;

/// What a target has. A rule that needs what is missing is *not applicable* there, with that reason, never passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    alloc: bool,
    threads: bool,
    unwind: bool,
    pub(crate) blocking: bool,
}

impl Profile {
    /// Nothing.
    pub const NONE: Self = Self { alloc: false, threads: false, unwind: false, blocking: false };

    /// All there is.
    pub const ALL: Self = Self { alloc: true, threads: true, unwind: true, blocking: true };

    /// It has a heap.
    #[must_use]
    pub const fn alloc(self) -> Self {
        Self { alloc: true, ..self }
    }

    /// Jobs and tokens may be used by several threads at once.
    #[must_use]
    pub const fn threads(self) -> Self {
        Self { threads: true, ..self }
    }

    /// A panic unwinds. A build that aborts has that on no target, whatever its adapter declares.
    #[must_use]
    pub const fn unwind(self) -> Self {
        Self { unwind: true, ..self }
    }

    /// What this build has of it.
    #[must_use]
    pub(crate) const fn as_built(self) -> Self {
        Self { unwind: self.unwind && cfg!(panic = "unwind"), ..self }
    }

    /// The host runs blocking closures ([`Host::offload`](countermand_core::Host::offload)).
    #[must_use]
    pub const fn blocking(self) -> Self {
        Self { blocking: true, ..self }
    }

    /// The names of what is there.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [(self.alloc, "alloc"), (self.threads, "threads"), (self.unwind, "unwind"), (self.blocking, "blocking")]
            .into_iter()
            .filter_map(|(there, name)| there.then_some(name))
    }

    /// What is here and not in `other`.
    #[must_use]
    pub const fn beyond(self, other: Self) -> Self {
        Self {
            alloc: self.alloc && !other.alloc,
            threads: self.threads && !other.threads,
            unwind: self.unwind && !other.unwind,
            blocking: self.blocking && !other.blocking,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.names().enumerate() {
            if place > 0 {
                f.write_str(", ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}
