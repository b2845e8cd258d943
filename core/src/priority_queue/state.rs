//! What the lock of a priority queue guards: the items, the lines of those who wait, and whether it is closed. Every method is one step, and hands out
//! whom to wake when the lock is open.
//!
//! Invariants, whenever the lock is open:
//! 1. `taken`, which is how many items there are and how many places are promised, never exceeds the capacity (Q1), and an item of priority `p` enters only while it is below
//!    the limit of `p`: the capacity less the places reserved for higher priorities (Q8).
//! 2. No sender waits that could have been granted a place: so no newcomer overtakes a waiting one of its priority (Q9), unless by force.
//! 3. While a receiver waits, at least as many others have been woken and have not come yet as there are items: a receiver joins the line only of an empty queue, each item takes one
//!    off it, and one that leaves without an item passes its wake on (L6).
//! 4. Once `closed` is set, no item enters and nobody joins a line (S1).

#[cfg(feature = "alloc")]
use alloc::collections::VecDeque;
use core::mem;
use core::task::Waker;

use super::Standing;
use super::error::{RecvError, SendError};
#[cfg(feature = "alloc")]
use super::wakes::HANDFUL;
use super::wakes::Wakes;
#[cfg(not(countermand_loom))]
use crate::size::{Chains, Fixed};
#[cfg(feature = "alloc")]
use crate::size::{Heap, Rings};
use crate::size::{Rows, Size};
use crate::{Discipline, Picker, Priority, Shelf};

/// Receivers stand in one line: the row of this priority.
const LINE: Priority = Priority::Normal;

/// See the head of the file. What every item changes comes first: two threads that hand items on pass few lines of the cache to and fro.
#[repr(C)]
pub(super) struct State<T, S: Size> {
    /// The items, and the places promised.
    taken: usize,
    pub(super) closed: bool,
    /// Nothing is taken from its middle, so they need no shelf.
    items: S::Rows<T>,
    /// How many places may be taken when one more item of each priority enters: counted from those that there are in any case.
    limits: [usize; Priority::COUNT],
    /// Places promised to senders that have not come for them yet.
    granted: usize,
    picker: Picker,
    senders: Shelf<Waker, S>,
    receivers: Shelf<Waker, S>,
}

/// What one who waited finds.
pub(super) enum Turn<R> {
    /// It is its turn, and this came of it.
    Now(R),
    /// It stands in line.
    Waiting,
    /// It would stand in line, if it had a waker.
    Bring,
}

impl<T> Turn<Result<Option<Waker>, SendError<T>>> {
    fn give_back(item: &mut Option<T>, reason: fn(T) -> SendError<T>) -> Self {
        item.take().map_or(Self::Waiting, |item| Self::Now(Err(reason(item))))
    }
}

#[cfg(feature = "alloc")]
impl<T> State<T, Heap> {
    pub(super) fn growing(capacity: usize) -> Self {
        let line = || Shelf::with_capacity(usize::MAX);
        Self::of(Rings::new(), line(), line(), capacity)
    }
}

#[cfg(not(countermand_loom))]
impl<T, const N: usize> State<T, Fixed<N>> {
    pub(super) const fn fixed() -> Self {
        Self::of(Chains::new(), Shelf::new(), Shelf::new(), 0)
    }
}

impl<T, S: Size> State<T, S> {
    const fn of(items: S::Rows<T>, senders: Shelf<Waker, S>, receivers: Shelf<Waker, S>, beyond: usize) -> Self {
        let limits = [beyond; Priority::COUNT];
        Self { items, picker: Picker::STRICT, senders, receivers, taken: 0, granted: 0, limits, closed: false }
    }

    pub(super) fn set_discipline(&mut self, discipline: Discipline) {
        self.picker = Picker::new(discipline);
    }

    pub(super) fn reserve(&mut self, priority: Priority, places: usize) {
        for limit in &mut self.limits[..priority.index()] {
            *limit = Self::limit(*limit).saturating_sub(places).wrapping_sub(S::PLACES);
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.taken - self.granted
    }

    pub(super) fn len_of(&self, priority: Priority) -> usize {
        self.items.len_of(priority)
    }

    pub(super) const fn capacity(&self) -> usize {
        Self::limit(self.limits[Priority::Critical.index()])
    }

    #[inline]
    const fn limit(counted: usize) -> usize {
        counted.wrapping_add(S::PLACES)
    }

    pub(super) const fn granted(&self) -> usize {
        self.granted
    }

    #[inline]
    pub(super) fn has_room(&self, priority: Priority) -> bool {
        let taken = if mutant!(GrantsAreForgotten) { self.len() } else { self.taken };
        let open_to = if mutant!(ReserveIsOpenToItems) { Priority::Critical } else { priority };
        taken < Self::limit(self.limits[open_to.index()])
    }

    /// A newcomer's item enters, if there is room. Gives the receiver to wake.
    #[inline]
    pub(super) fn enter(&mut self, item: T, priority: Priority) -> Result<Option<Waker>, SendError<T>> {
        if self.closed {
            return Err(SendError::Closed(item)); // S1
        }
        if !self.has_room(priority) {
            return Err(SendError::Full(item));
        }
        self.put(item, priority)
    }

    #[cfg_attr(feature = "std", inline)]
    #[cfg_attr(not(feature = "std"), inline(never))]
    fn put(&mut self, item: T, priority: Priority) -> Result<Option<Waker>, SendError<T>> {
        match self.items.push(priority, item) {
            Ok(()) => {
                self.taken += 1;
                Ok(self.call_receiver())
            }
            Err(item) => Err(SendError::Full(item)),
        }
    }

    /// As `enter`; where there is no room, something less urgent makes it. Gives that, and the receiver to wake.
    pub(super) fn force(&mut self, item: T, priority: Priority) -> Result<(Option<T>, Option<Waker>), SendError<T>> {
        let mut evicted = None;
        if !self.closed && !self.has_room(priority) {
            let lower =
                |lowest: &Priority| *lowest < priority || (*lowest == priority && mutant!(ForceEvictsItsEquals));
            match self.items.lowest().filter(lower) {
                Some(lowest) => {
                    evicted = self.items.pop_newest(lowest);
                    self.taken -= usize::from(evicted.is_some());
                }
                None => return Err(SendError::Full(item)),
            }
        }
        let entered = if evicted.is_some() { self.put(item, priority) } else { self.enter(item, priority) };
        entered.map(|receiver| (evicted, receiver))
    }

    /// The item of a sender that stands in line under `standing`, or is new, enters, if it may. One that may not takes its place in line, once it has
    /// brought a waker; what is in `waker` afterwards is not used any more. `item` keeps what stays with its sender.
    #[inline]
    pub(super) fn enter_in_turn(
        &mut self,
        standing: &mut Standing,
        item: &mut Option<T>,
        priority: Priority,
        waker: &mut Option<Waker>,
    ) -> Turn<Result<Option<Waker>, SendError<T>>> {
        let Some(offered) = item.take() else { return Turn::Waiting };
        if standing.is_none() && !(mutant!(SenderJoinsAClosedLine) && waker.is_some()) {
            match self.enter(offered, priority) {
                Err(SendError::Full(offered)) => *item = Some(offered),
                entered => return Turn::Now(entered),
            }
        } else {
            *item = Some(offered);
        }
        self.stand(standing, item, priority, waker)
    }

    /// As `enter_in_turn`, for one that has been told that there is no room.
    fn stand(
        &mut self,
        standing: &mut Standing,
        item: &mut Option<T>,
        priority: Priority,
        waker: &mut Option<Waker>,
    ) -> Turn<Result<Option<Waker>, SendError<T>>> {
        if self.closed && !(mutant!(SenderJoinsAClosedLine) && waker.is_some()) {
            *standing = None;
            return Turn::give_back(item, SendError::Closed); // S1
        }
        if let Some(key) = *standing {
            let Some(own) = self.senders.get_mut(key) else {
                *standing = None;
                self.give_up_grant();
                return match item.take() {
                    Some(offered) => Turn::Now(self.put(offered, priority)),
                    None => Turn::Waiting,
                };
            };
            let Some(new) = waker else { return Turn::Bring };
            mem::swap(own, new);
            return Turn::Waiting;
        }
        let Some(new) = waker.take() else { return Turn::Bring };
        match self.senders.push(priority, new) {
            Ok(key) => {
                *standing = Some(key);
                Turn::Waiting
            }
            Err(new) => {
                *waker = Some(new);
                Turn::give_back(item, SendError::Full)
            }
        }
    }

    /// A sender leaves its line. Gives its waker, and the sender that gets the place it was granted (Q6).
    pub(super) fn leave_senders(&mut self, standing: &mut Standing) -> (Option<Waker>, Option<Waker>) {
        match standing.take() {
            Some(_) if self.closed => (None, None),
            Some(key) => match self.senders.remove(key) {
                Some(old) => (Some(old), None),
                None if mutant!(DroppedSendKeepsItsGrant) => (None, None),
                None => {
                    self.give_up_grant();
                    (None, self.grant())
                }
            },
            None => (None, None),
        }
    }

    /// The item whose turn it is leaves. Gives the sender to wake: it is granted the place.
    #[inline]
    pub(super) fn leave(&mut self) -> Result<(T, Option<Waker>), RecvError> {
        let next = self.picker.pick(self.items.nonempty()).and_then(|priority| self.items.pop(priority));
        match next {
            Some(item) => {
                self.taken -= 1;
                Ok((item, self.grant()))
            }
            None if self.closed => Err(RecvError::Closed),
            None => Err(RecvError::Empty),
        }
    }

    /// The item whose turn it is leaves with a receiver that stands in line under `standing`, or is new. If there is none the receiver takes its place in line,
    /// once it has brought a waker; what is in `waker` afterwards is not used any more.
    #[inline]
    pub(super) fn leave_in_turn(
        &mut self,
        standing: &mut Standing,
        waker: &mut Option<Waker>,
    ) -> Turn<Result<(T, Option<Waker>), RecvError>> {
        if waker.is_none() || !mutant!(ReceiverParksWithoutLooking) {
            let left = self.leave();
            if !matches!(left, Err(RecvError::Empty)) {
                if let Some(key) = standing.take() {
                    // It has what it came for, and withdraws from the line in the same step.
                    *waker = self.receivers.remove(key);
                }
                return Turn::Now(left);
            }
        }
        self.queue_up(standing, waker)
    }

    /// As `leave_in_turn`, for one that has been told that there is nothing.
    fn queue_up(
        &mut self,
        standing: &mut Standing,
        waker: &mut Option<Waker>,
    ) -> Turn<Result<(T, Option<Waker>), RecvError>> {
        let Some(new) = waker.take() else { return Turn::Bring };
        if let Some(own) = standing.and_then(|key| self.receivers.get_mut(key)) {
            *waker = Some(mem::replace(own, new));
            return Turn::Waiting;
        }
        match self.receivers.push(LINE, new) {
            Ok(key) => {
                *standing = Some(key);
                Turn::Waiting
            }
            Err(new) => {
                *waker = Some(new);
                *standing = None;
                Turn::Now(Err(RecvError::Empty))
            }
        }
    }

    /// A receiver leaves its line without an item. Gives its waker, and the receiver that its wake is passed on to (L6).
    pub(super) fn leave_receivers(&mut self, standing: &mut Standing) -> (Option<Waker>, Option<Waker>) {
        let Some(key) = standing.take() else { return (None, None) };
        match self.receivers.remove(key) {
            Some(old) => (Some(old), None),
            None if self.items.nonempty() == 0 || mutant!(DroppedReceiveKeepsItsWake) => (None, None),
            None => (None, self.call_receiver()),
        }
    }

    /// Takes a handful of those who wait off their lines.
    pub(super) fn pop_waiting(&mut self, wakes: &mut Wakes) {
        while wakes.has_room() {
            let sender = self.senders.highest().and_then(|priority| self.senders.pop(priority));
            let next = if sender.is_some() { sender } else { self.receivers.pop(LINE) };
            if next.is_none() {
                return;
            }
            wakes.push(next);
        }
    }

    /// The front of `items` enters, a handful at the most, as far as there is room. Gives the receivers to wake.
    #[cfg(feature = "alloc")]
    pub(super) fn enter_some(&mut self, items: &mut VecDeque<T>, priority: Priority, wakes: &mut Wakes) -> usize {
        let mut count = 0;
        while !self.closed && wakes.has_room() && count < HANDFUL && self.has_room(priority) {
            let Some(item) = items.pop_front() else { break };
            match self.put(item, priority) {
                Ok(receiver) => wakes.push(receiver),
                Err(back) => {
                    items.push_front(back.into_item());
                    break;
                }
            }
            count += 1;
        }
        count
    }

    /// Items leave, a handful at the most, and are given to `take`. Gives the senders to wake.
    #[cfg(feature = "alloc")]
    pub(super) fn leave_some(&mut self, limit: usize, wakes: &mut Wakes, mut take: impl FnMut(T)) -> usize {
        let mut count = 0;
        while count < limit && wakes.has_room() {
            let Ok((item, sender)) = self.leave() else { break };
            take(item);
            wakes.push(sender);
            count += 1;
        }
        count
    }

    /// Takes any item out. Nobody is told: the queue is closed.
    #[cfg(feature = "alloc")]
    pub(super) fn discard(&mut self) -> Option<T> {
        let item = self.items.lowest().and_then(|priority| self.items.pop_newest(priority));
        self.taken -= usize::from(item.is_some());
        item
    }

    #[inline]
    fn call_receiver(&mut self) -> Option<Waker> {
        if self.receivers.is_empty() { None } else { self.receivers.pop(LINE) }
    }

    /// Promises a free place to the first waiting sender that may have it.
    #[inline]
    fn grant(&mut self) -> Option<Waker> {
        if self.senders.is_empty() { None } else { self.grant_first() }
    }

    fn grant_first(&mut self) -> Option<Waker> {
        let priority = self.senders.highest()?;
        // The highest has the widest limit: if it may not enter, nobody may.
        if !self.has_room(priority) || mutant!(FreedPlaceGoesToNobody) {
            return None;
        }
        let first =
            if mutant!(LastSenderFirst) { self.senders.pop_newest(priority) } else { self.senders.pop(priority) };
        let promised = usize::from(first.is_some());
        self.granted += promised;
        self.taken += promised;
        first
    }

    /// One that was promised a place has come for it, or does not want it any more.
    const fn give_up_grant(&mut self) {
        self.granted -= 1;
        self.taken -= 1;
    }
}
