//! What has passed a check, and proves it by its type.

use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;

/// A value that has passed a check of a [`Guard`](crate::Guard), which `By` names. Only the guard makes one, so whoever is given one need not
/// look again, and nobody acts on an unchecked value by mistake: the code that does so does not compile (G2).
///
/// ```
/// use countermand_core::{Event, Guard, Known, KernelId, SubsystemId};
///
/// fn load(kernel: Known<KernelId>) -> String {
///     format!("loading {kernel}")
/// }
///
/// let guard = Guard::new(SubsystemId::new("kasmina")?, |event: &Event| eprintln!("{event}"));
/// let kernel = guard.known(KernelId::new("k1")?, &|id: &KernelId| id.as_str() == "k1")?;
/// assert_eq!(load(kernel), "loading k1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It cannot be forged, made of an unchecked value, or made of a value that passed another check:
///
/// ```compile_fail,E0451
/// # use countermand_core::{Checked, KernelId};
/// fn forge(id: KernelId) -> Checked<KernelId> {
///     Checked { value: id, by: core::marker::PhantomData }
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use countermand_core::{KernelId, Known};
/// fn load(kernel: Known<KernelId>) {}
/// fn act(id: KernelId) { load(id) }
/// ```
///
/// ```compile_fail,E0308
/// # use countermand_core::{KernelId, Known, Present};
/// fn load(kernel: Known<KernelId>) {}
/// fn act(id: Present<KernelId>) { load(id) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "a check that nobody acts on was made for nothing"]
pub struct Checked<T, By = Presence> {
    value: T,
    by: PhantomData<fn() -> By>,
}

/// Was there: [`Guard::require`](crate::Guard::require), [`Guard::find`](crate::Guard::find), [`Guard::prefetch`](crate::Guard::prefetch).
pub type Present<T> = Checked<T, Presence>;

/// Was known to a registry: [`Guard::known`](crate::Guard::known), [`Guard::known_or`](crate::Guard::known_or).
pub type Known<T> = Checked<T, Knowledge>;

/// Was allowed by a policy: [`Guard::fallback`](crate::Guard::fallback).
pub type Allowed<T> = Checked<T, Permission>;

/// The check that something is there. There are no values of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Presence {}

/// The check that a registry knows something. There are no values of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Knowledge {}

/// The check that a policy allows something. There are no values of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {}

impl<T, By> Checked<T, By> {
    /// For the guard, when the value has passed.
    pub(super) const fn pass(value: T) -> Self {
        Self { value, by: PhantomData }
    }

    /// The value, without the proof.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T, By> Deref for Checked<T, By> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Display, By> fmt::Display for Checked<T, By> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: fmt::Debug, By> fmt::Debug for Checked<T, By> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Checked").field(&self.value).finish()
    }
}
