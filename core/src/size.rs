//! Where tools keep what they hold: on the heap, growing, or in an array of a fixed length.

mod rows;

#[cfg(not(countermand_loom))]
pub(crate) use rows::Chains;
#[cfg(feature = "alloc")]
pub(crate) use rows::Rings;
pub(crate) use rows::Rows;

mod sealed {
    #[expect(unnameable_types, reason = "that it cannot be named is what seals Size")]
    pub trait Sealed {}
    #[cfg(feature = "alloc")]
    impl Sealed for super::Heap {}
    impl<const N: usize> Sealed for super::Fixed<N> {}
}

/// Where a [`Shelf`](crate::Shelf) or [`Timers`](crate::Timers) keeps its places: [`Heap`] or [`Fixed`].
///
/// The code of the tools is the same for both.
pub trait Size: sealed::Sealed + 'static {
    /// Places with numbers from 0 on.
    #[doc(hidden)]
    type Places<P>;

    #[doc(hidden)]
    fn all<P>(places: &Self::Places<P>) -> &[P];

    #[doc(hidden)]
    fn all_mut<P>(places: &mut Self::Places<P>) -> &mut [P];

    /// How many places there are in any case. What a tool knows of its capacity it counts from here, so that one in a static is all zeros.
    #[doc(hidden)]
    const PLACES: usize;

    /// A row for each priority, of which only the ends are touched.
    #[doc(hidden)]
    type Rows<T>: Rows<T>;

    /// Writes `place` at `index`, the first that was never written, which is less than `limit`.
    #[doc(hidden)]
    fn open<P>(places: &mut Self::Places<P>, index: u32, limit: u32, place: P) -> Result<(), P>;
}

/// Places on the heap.
///
/// They are made when they are first needed, each time as many as there are: a capacity of a million costs nothing until a
/// million things are there at once, and what has grown once is used again without allocation.
#[cfg(feature = "alloc")]
#[derive(Debug)]
#[non_exhaustive]
pub struct Heap;

/// `N` places in the owner itself, without a heap.
#[derive(Debug)]
#[non_exhaustive]
pub struct Fixed<const N: usize>;

/// No place. One is named in links by its number and one more, so that what is in a static and has nothing in it is all zeros, and weighs nothing in flash.
pub(crate) const NONE: u32 = 0;

/// The number of the place that a link names; of none, a number that no place has.
#[inline]
pub(crate) const fn at(link: u32) -> usize {
    link.wrapping_sub(1) as usize
}

/// How many places the heap gives at the least.
#[cfg(feature = "alloc")]
const FEWEST: usize = 8;

#[cfg(feature = "alloc")]
impl Size for Heap {
    const PLACES: usize = 0;
    type Places<P> = alloc::vec::Vec<P>;
    type Rows<T> = rows::Rings<T>;

    fn all<P>(places: &Self::Places<P>) -> &[P] {
        places
    }

    fn all_mut<P>(places: &mut Self::Places<P>) -> &mut [P] {
        places
    }

    fn open<P>(places: &mut Self::Places<P>, index: u32, limit: u32, place: P) -> Result<(), P> {
        if index >= limit || index as usize != places.len() {
            return Err(place);
        }
        if places.len() == places.capacity() {
            // Doubled, but never beyond what can be used.
            places.reserve_exact(places.len().max(FEWEST).min((limit - index) as usize));
        }
        places.push(place);
        Ok(())
    }
}

impl<const N: usize> Size for Fixed<N> {
    const PLACES: usize = N;
    type Places<P> = [P; N];
    type Rows<T> = rows::Chains<T, N>;

    fn all<P>(places: &[P; N]) -> &[P] {
        places
    }

    fn all_mut<P>(places: &mut [P; N]) -> &mut [P] {
        places
    }

    fn open<P>(places: &mut [P; N], index: u32, _limit: u32, place: P) -> Result<(), P> {
        match places.get_mut(index as usize) {
            Some(old) => {
                *old = place;
                Ok(())
            }
            None => Err(place),
        }
    }
}
