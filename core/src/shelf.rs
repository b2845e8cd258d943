//! A bounded store that is first in, first out within each priority.

use core::fmt;
use core::iter;

use crate::Priority;
#[cfg(feature = "alloc")]
use crate::size::Heap;
use crate::size::{Fixed, NONE, Size, at};

/// A bounded store with a row for each priority, first in, first out within each row (Q2).
///
/// The job queue and the telemetry router keep their things on it. All operations take constant time, removal from the
/// middle of a row too; they never drop an item, but hand it out. Dropping the shelf drops what is on it.
///
/// `S` says where the places are: [`Heap`](crate::Heap) or [`Fixed<N>`](crate::Fixed).
///
/// ```
/// use countermand_core::{Fixed, Priority, Shelf};
/// let mut shelf: Shelf<&str, Fixed<3>> = Shelf::new();
/// let first = shelf.push(Priority::Normal, "first").unwrap();
/// shelf.push(Priority::Normal, "second").unwrap();
/// shelf.push(Priority::Critical, "alarm").unwrap();
/// assert_eq!(shelf.push(Priority::Critical, "one too many"), Err("one too many"));
/// assert_eq!(shelf.remove(first), Some("first"));
/// assert_eq!(shelf.highest(), Some(Priority::Critical));
/// assert_eq!(shelf.pop(Priority::Normal), Some("second"));
/// assert_eq!(shelf.remove(first), None);
/// ```
///
/// # Implementation notes
///
/// Doubly linked rows through numbered places. A binary heap, which is the usual way, is not first in, first out among
/// equals and removes from its middle only by search. Four rings cannot remove from the middle without leaving gaps,
/// and a gap is a place lost (Q4).
///
/// Invariants:
/// 1. Every place below `used` is in exactly one row or in the list of free places; none above has ever been used.
/// 2. A bit of `nonempty` is set exactly while its row has an item.
/// 3. No two pushes get the same number, so a key that outlived its item fits no other (D7).
pub struct Shelf<T, S: Size> {
    places: S::Places<Place<T>>,
    /// Counted from the places that there are in any case.
    beyond: u32,
    used: u32,
    free: u32,
    len: u32,
    nonempty: u8,
    pushes: u64,
    rows: [Row; Priority::COUNT],
}

/// What a push gives: names the item for as long as it is on that shelf, and nothing afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    number: u64,
    link: u32,
}

#[derive(Clone, Copy)]
struct Row {
    oldest: u32,
    newest: u32,
    len: u32,
}

struct Place<T> {
    /// Of the push that filled it last.
    number: u64,
    /// The next newer in the row; the next free place, where this one is free.
    newer: u32,
    older: u32,
    /// In which row it stands.
    priority: Priority,
    item: Option<T>,
}

impl<T> Place<T> {
    const FREE: Self = Self { number: 0, newer: NONE, older: NONE, priority: Priority::Low, item: None };
}

#[cfg(feature = "alloc")]
impl<T> Shelf<T, Heap> {
    /// An empty shelf for at most `capacity` items (and never more than 4,294,967,294). Allocates nothing yet.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::of(alloc::vec::Vec::new(), u32::try_from(capacity).unwrap_or(u32::MAX).min(u32::MAX - 1))
    }
}

impl<T, const N: usize> Shelf<T, Fixed<N>> {
    /// An empty shelf for at most `N` items.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(N < u32::MAX as usize, "a shelf has at most 4,294,967,294 places") }
        Self::of([const { Place::FREE }; N], 0)
    }
}

impl<T, const N: usize> Default for Shelf<T, Fixed<N>> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, S: Size> Shelf<T, S> {
    const fn of(places: S::Places<Place<T>>, beyond: u32) -> Self {
        let rows = [Row { oldest: NONE, newest: NONE, len: 0 }; Priority::COUNT];
        Self { places, beyond, used: 0, free: NONE, len: 0, nonempty: 0, pushes: 0, rows }
    }

    /// The greatest number of items.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.limit() as usize
    }

    #[inline]
    const fn limit(&self) -> u32 {
        self.beyond + S::PLACES as u32
    }

    /// The number of items.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is no item.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a push would be refused.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.len == self.limit()
    }

    /// The number of items of `priority`.
    #[must_use]
    pub const fn len_of(&self, priority: Priority) -> usize {
        self.rows[priority.index()].len as usize
    }

    /// The priorities that have items: bit [`Priority::index`] each. This is what a [`Picker`](crate::Picker) is asked with.
    #[must_use]
    pub const fn nonempty(&self) -> u8 {
        self.nonempty
    }

    /// The most urgent priority that has an item.
    #[must_use]
    pub fn highest(&self) -> Option<Priority> {
        Priority::ALL.get(self.nonempty.checked_ilog2()? as usize).copied()
    }

    /// The least urgent priority that has an item.
    #[must_use]
    pub fn lowest(&self) -> Option<Priority> {
        Priority::ALL.get(self.nonempty.trailing_zeros() as usize).copied()
    }

    /// Puts `item` behind all others of its priority.
    ///
    /// # Errors
    ///
    /// Gives `item` back when the shelf is full.
    pub fn push(&mut self, priority: Priority, item: T) -> Result<Key, T> {
        if self.is_full() {
            return Err(item);
        }
        let limit = self.limit();
        let row = &mut self.rows[priority.index()];
        let number = self.pushes + 1;
        let filled = Place { number, newer: NONE, older: row.newest, priority, item: Some(item) };
        let mut link = self.free;
        if let Some(place) = S::all_mut(&mut self.places).get_mut(at(link)) {
            self.free = place.newer;
            *place = filled;
        } else {
            if let Err(Place { item: Some(item), .. }) = S::open(&mut self.places, self.used, limit, filled) {
                return Err(item);
            }
            self.used += 1;
            link = self.used;
        }
        match S::all_mut(&mut self.places).get_mut(at(row.newest)) {
            Some(newest) => newest.newer = link,
            None => row.oldest = link,
        }
        row.newest = link;
        row.len += 1;
        self.pushes = number;
        self.len += 1;
        self.nonempty |= 1 << priority.index();
        Ok(Key { number, link })
    }

    /// Takes the oldest item of `priority`.
    pub fn pop(&mut self, priority: Priority) -> Option<T> {
        if mutant!(LifoWithinPriority) {
            return self.pop_newest(priority);
        }
        self.take(self.rows[priority.index()].oldest)
    }

    /// Takes the newest item of `priority`.
    pub fn pop_newest(&mut self, priority: Priority) -> Option<T> {
        self.take(self.rows[priority.index()].newest)
    }

    /// The oldest item of `priority`.
    #[must_use]
    pub fn peek(&self, priority: Priority) -> Option<&T> {
        let place = self.place(self.rows[priority.index()].oldest)?;
        place.item.as_ref()
    }

    /// The key of the oldest item of `priority`.
    #[must_use]
    pub fn oldest(&self, priority: Priority) -> Option<Key> {
        let row = &self.rows[priority.index()];
        self.key_at(if mutant!(LifoWithinPriority) { row.newest } else { row.oldest })
    }

    /// Takes the item that `key` names, wherever it stands. The order of the others stays as it was.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        self.take(key.link)
    }

    /// The item that `key` names.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&T> {
        let place = self.place(key.link).filter(|place| place.number == key.number)?;
        place.item.as_ref()
    }

    /// The item that `key` names.
    #[must_use]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = S::all_mut(&mut self.places).get_mut(at(key.link)).filter(|place| place.number == key.number)?;
        place.item.as_mut()
    }

    /// All items: the most urgent priority first, within a priority the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (Priority, Key, &T)> {
        Priority::ALL.into_iter().rev().flat_map(|priority| self.row(priority))
    }

    /// The items of `priority`, the oldest first.
    pub fn row(&self, priority: Priority) -> impl Iterator<Item = (Priority, Key, &T)> {
        let oldest = self.place(self.rows[priority.index()].oldest);
        let link = self.rows[priority.index()].oldest;
        let places = iter::successors(oldest.map(|place| (link, place)), |(_, place)| {
            self.place(place.newer).map(|newer| (place.newer, newer))
        });
        places.filter_map(|(link, place)| {
            Some((place.priority, Key { number: place.number, link }, place.item.as_ref()?))
        })
    }

    fn place(&self, link: u32) -> Option<&Place<T>> {
        S::all(&self.places).get(at(link))
    }

    fn key_at(&self, link: u32) -> Option<Key> {
        self.place(link).map(|place| Key { number: place.number, link })
    }

    fn take(&mut self, link: u32) -> Option<T> {
        let places = S::all_mut(&mut self.places);
        let place = places.get_mut(at(link))?;
        let item = place.item.take()?;
        let (priority, older, newer) = (place.priority, place.older, place.newer);
        place.newer = self.free;
        self.free = link;
        let row = &mut self.rows[priority.index()];
        match places.get_mut(at(older)) {
            Some(older) => older.newer = newer,
            None => row.oldest = newer,
        }
        match places.get_mut(at(newer)) {
            Some(newer) => newer.older = older,
            None => row.newest = older,
        }
        row.len -= 1;
        self.len -= 1;
        if row.len == 0 {
            self.nonempty &= !(1 << priority.index());
        }
        Some(item)
    }
}

impl<T, S: Size> fmt::Debug for Shelf<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows.map(|row| row.len);
        f.debug_struct("Shelf").field("capacity", &self.limit()).field("len_by_priority", &rows).finish()
    }
}
