//! The heap of timers, for those that fit no run: four children a node, ordered by time and then by the number of the insertion.

use super::{NONE, Timers, order};
use crate::Instant;
use crate::size::Size;

/// How many children a node of the heap has.
const ARITY: u32 = 4;

/// When an item is due, and where it is.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) at: Instant,
    pub(super) number: u64,
    pub(super) slot: u32,
}

impl Node {
    pub(super) const NONE: Self = Self { at: Instant::ORIGIN, number: 0, slot: NONE };

    #[inline]
    pub(super) fn order(&self) -> u128 {
        order(self.at, self.number)
    }

    #[inline]
    pub(super) fn is_before(&self, other: &Self) -> bool {
        self.order() < other.order()
    }

    /// Where the earliest is of those nodes from `first` on that have one parent.
    #[inline]
    pub(super) fn earliest(nodes: &[Self], first: usize) -> Option<usize> {
        let below = nodes.get(first..)?;
        let sooner = |one: (u128, usize), other: (u128, usize)| if other.0 < one.0 { other } else { one };
        let least = match below {
            [a, b, c, d, ..] => {
                let (one, other) = (sooner((a.order(), 0), (b.order(), 1)), sooner((c.order(), 2), (d.order(), 3)));
                sooner(one, other)
            }
            few => few.iter().map(Self::order).zip(0..).reduce(sooner)?,
        };
        Some(first + least.1)
    }
}

impl<T, S: Size> Timers<T, S> {
    /// The nodes in use.
    pub(super) fn nodes(&self) -> &[Node] {
        S::all(&self.nodes).get(..self.len as usize).unwrap_or_default()
    }

    /// Writes `node` at `position` and tells its slot.
    #[inline]
    fn set(&mut self, position: u32, node: Node) {
        if let Some(place) = S::all_mut(&mut self.nodes).get_mut(position as usize) {
            *place = node;
        }
        if let Some(slot) = S::all_mut(&mut self.slots).get_mut(node.slot as usize) {
            slot.position = position;
        }
    }

    /// Puts `node` into the hole at `hole`, or where it belongs above it.
    fn rise(&mut self, mut hole: u32, node: Node) {
        while let Some(above) = hole.checked_sub(1).map(|before| before / ARITY) {
            match self.nodes().get(above as usize) {
                Some(&parent) if node.is_before(&parent) => self.set(hole, parent),
                _ => break,
            }
            hole = above;
        }
        self.set(hole, node);
    }

    /// Moves the hole at `hole` down to where nothing is below it. What fills it is usually one of the latest, so it is
    /// cheaper to let it rise from there than to compare it all the way down.
    fn sink(&mut self, mut hole: u32) -> u32 {
        loop {
            let first = (hole as usize).saturating_mul(ARITY as usize).saturating_add(1);
            let child = Node::earliest(self.nodes(), first);
            let Some((child, &earliest)) = child.and_then(|child| Some((child, self.nodes().get(child)?))) else {
                return hole;
            };
            self.set(hole, earliest);
            hole = child as u32;
        }
    }

    /// Puts a node into the heap.
    pub(super) fn push(&mut self, node: Node) {
        // There are never more nodes in use than slots, so there is room for this one too.
        let _ = S::open(&mut self.nodes, self.len, self.limit, Node::NONE);
        self.len += 1;
        self.rise(self.len - 1, node);
    }

    /// Takes the node at `position` out of the heap.
    pub(super) fn pull(&mut self, position: u32) {
        let Some(&last) = self.nodes().last() else { return };
        self.len -= 1;
        if position != self.len {
            let hole = self.sink(position);
            self.rise(hole, last);
        }
    }
}
