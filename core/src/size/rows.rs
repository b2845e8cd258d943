//! A row for each priority, of which only the ends are touched: what needs no key, and is not taken from the middle.
#![expect(unnameable_types, reason = "they are what `Size` chooses between, and none of its users' business")]

#[cfg(feature = "alloc")]
use alloc::collections::VecDeque;

use super::{NONE, at};
use crate::Priority;

/// First in, first out within each row (Q2). [`Shelf`](crate::Shelf) is the same with keys.
pub trait Rows<T> {
    /// The priorities that have items: bit [`Priority::index`] each.
    fn nonempty(&self) -> u8;

    /// The number of items of `priority`.
    fn len_of(&self, priority: Priority) -> usize;

    /// Puts `item` behind all others of its priority. Gives it back where there is no place.
    fn push(&mut self, priority: Priority, item: T) -> Result<(), T>;

    /// Takes the oldest item of `priority`.
    fn pop(&mut self, priority: Priority) -> Option<T>;

    /// Takes the newest item of `priority`.
    fn pop_newest(&mut self, priority: Priority) -> Option<T>;

    /// The least urgent priority that has an item.
    fn lowest(&self) -> Option<Priority> {
        Priority::ALL.get(self.nonempty().trailing_zeros() as usize).copied()
    }
}

/// On the heap: four rings, each of which grows to what it has held. Bounded by whoever fills them.
///
/// Invariant: a bit of `nonempty`, which every item looks at and so comes first, is set exactly while its row has an item.
#[cfg(feature = "alloc")]
#[derive(Debug)]
#[repr(C)]
pub struct Rings<T> {
    nonempty: u8,
    rows: [VecDeque<T>; Priority::COUNT],
}

#[cfg(feature = "alloc")]
impl<T> Rings<T> {
    pub(crate) const fn new() -> Self {
        Self { rows: [const { VecDeque::new() }; Priority::COUNT], nonempty: 0 }
    }

    #[inline]
    fn take(&mut self, priority: Priority, take: impl FnOnce(&mut VecDeque<T>) -> Option<T>) -> Option<T> {
        let row = &mut self.rows[priority.index()];
        let item = take(row);
        if row.is_empty() {
            self.nonempty &= !(1 << priority.index());
        }
        item
    }
}

#[cfg(feature = "alloc")]
impl<T> Rows<T> for Rings<T> {
    #[inline]
    fn nonempty(&self) -> u8 {
        self.nonempty
    }

    fn len_of(&self, priority: Priority) -> usize {
        self.rows[priority.index()].len()
    }

    #[inline]
    fn push(&mut self, priority: Priority, item: T) -> Result<(), T> {
        self.rows[priority.index()].push_back(item);
        self.nonempty |= 1 << priority.index();
        Ok(())
    }

    #[inline]
    fn pop(&mut self, priority: Priority) -> Option<T> {
        if mutant!(LifoWithinPriority) {
            return self.pop_newest(priority);
        }
        self.take(priority, VecDeque::pop_front)
    }

    fn pop_newest(&mut self, priority: Priority) -> Option<T> {
        self.take(priority, VecDeque::pop_back)
    }
}

/// In the owner: `N` places for all rows together, linked both ways.
///
/// Invariants:
/// 1. Every place below `used` is in exactly one row or in the list of free places; none above has ever been used.
/// 2. A bit of `nonempty` is set exactly while its row has an item.
#[derive(Debug)]
pub struct Chains<T, const N: usize> {
    places: [Place<T>; N],
    used: u32,
    free: u32,
    nonempty: u8,
    rows: [Row; Priority::COUNT],
}

#[derive(Debug)]
struct Place<T> {
    /// The next newer in the row; the next free place, where this one is free.
    newer: u32,
    older: u32,
    item: Option<T>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    oldest: u32,
    newest: u32,
    len: u32,
}

impl<T, const N: usize> Chains<T, N> {
    #[cfg(not(countermand_loom))]
    pub(crate) const fn new() -> Self {
        const { assert!(N < u32::MAX as usize, "rows have at most 4,294,967,294 places") }
        Self {
            places: [const { Place { newer: NONE, older: NONE, item: None } }; N],
            used: 0,
            free: NONE,
            nonempty: 0,
            rows: [Row { oldest: NONE, newest: NONE, len: 0 }; Priority::COUNT],
        }
    }

    fn take(&mut self, priority: Priority, link: u32) -> Option<T> {
        let place = self.places.get_mut(at(link))?;
        let item = place.item.take()?;
        let (older, newer) = (place.older, place.newer);
        place.newer = self.free;
        self.free = link;
        let row = &mut self.rows[priority.index()];
        match self.places.get_mut(at(older)) {
            Some(older) => older.newer = newer,
            None => row.oldest = newer,
        }
        match self.places.get_mut(at(newer)) {
            Some(newer) => newer.older = older,
            None => row.newest = older,
        }
        row.len -= 1;
        if row.len == 0 {
            self.nonempty &= !(1 << priority.index());
        }
        Some(item)
    }
}

impl<T, const N: usize> Rows<T> for Chains<T, N> {
    fn nonempty(&self) -> u8 {
        self.nonempty
    }

    fn len_of(&self, priority: Priority) -> usize {
        self.rows[priority.index()].len as usize
    }

    fn push(&mut self, priority: Priority, item: T) -> Result<(), T> {
        let recycled = self.places.get(at(self.free)).map(|place| place.newer);
        let link = if recycled.is_some() { self.free } else { self.used + 1 };
        let row = &mut self.rows[priority.index()];
        let older = row.newest;
        let Some(place) = self.places.get_mut(at(link)) else { return Err(item) };
        *place = Place { newer: NONE, older, item: Some(item) };
        match recycled {
            Some(next) => self.free = next,
            None => self.used += 1,
        }
        match self.places.get_mut(at(older)) {
            Some(older) => older.newer = link,
            None => row.oldest = link,
        }
        row.newest = link;
        row.len += 1;
        self.nonempty |= 1 << priority.index();
        Ok(())
    }

    fn pop(&mut self, priority: Priority) -> Option<T> {
        if mutant!(LifoWithinPriority) {
            return self.pop_newest(priority);
        }
        self.take(priority, self.rows[priority.index()].oldest)
    }

    fn pop_newest(&mut self, priority: Priority) -> Option<T> {
        self.take(priority, self.rows[priority.index()].newest)
    }
}
