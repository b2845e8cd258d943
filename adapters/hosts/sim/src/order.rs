//! Who runs next: the set of those that are ready, and the rule that picks one of them.

use std::collections::{BTreeSet, VecDeque};

use crate::rng::Rng;

/// By which rule the next of those that are ready is picked.
///
/// A run draws uniform or biased from its seed, since each finds races that the other misses: uniform mixes finely, biased
/// starves somebody for a long while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// Any of them, with equal chance.
    Uniform,
    /// Each has a rank drawn from the seed and the highest runs; one turn in thirty-two it is given another rank.
    Biased,
    /// First ready, first run, as on a plain executor. The seed decides nothing.
    Fifo,
}

/// Those that are ready, each once.
pub(crate) struct Ready {
    order: Order,
    /// Uniform and FIFO.
    listed: VecDeque<u64>,
    /// Biased: rank, then number.
    ranked: BTreeSet<(u64, u64)>,
}

impl Ready {
    pub(crate) const fn new(order: Order) -> Self {
        Self { order, listed: VecDeque::new(), ranked: BTreeSet::new() }
    }

    /// Goes on by another rule; those that are ready stay so.
    pub(crate) fn reorder(&mut self, order: Order, rank: impl Fn(u64) -> u64) {
        let ranked = std::mem::take(&mut self.ranked);
        let all: Vec<u64> = self.listed.drain(..).chain(ranked.into_iter().map(|(_, who)| who)).collect();
        self.order = order;
        all.into_iter().for_each(|who| self.push(who, rank(who)));
    }

    pub(crate) fn push(&mut self, who: u64, rank: u64) {
        match self.order {
            Order::Uniform | Order::Fifo => self.listed.push_back(who),
            Order::Biased => {
                self.ranked.insert((rank, who));
            }
        }
    }

    pub(crate) fn pick(&mut self, rng: &mut Rng) -> Option<u64> {
        match self.order {
            Order::Fifo => self.listed.pop_front(),
            Order::Biased => self.ranked.pop_last().map(|(_, who)| who),
            Order::Uniform => {
                let place = if self.listed.len() > 1 { rng.below(self.listed.len() as u64) } else { 0 };
                self.listed.swap_remove_back(usize::try_from(place).unwrap_or(0))
            }
        }
    }

    /// The rank its next turn is decided by, if that changes now.
    pub(crate) fn new_rank(&self, rng: &mut Rng) -> Option<u64> {
        (self.order == Order::Biased && rng.below(32) == 0).then(|| rng.next_u64())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.ranked.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(order: Order, seed: u64) -> Vec<u64> {
        let mut rng = Rng::new(seed);
        let mut ready = Ready::new(order);
        (0..8).for_each(|who| ready.push(who, crate::rng::mix(who ^ seed)));
        std::iter::from_fn(|| ready.pick(&mut rng)).collect()
    }

    #[test]
    fn each_is_picked_once_and_fifo_keeps_the_order() {
        for order in [Order::Uniform, Order::Biased, Order::Fifo] {
            let mut picked = all(order, 3);
            assert_eq!(picked, all(order, 3), "{order:?} is not reproducible");
            assert_eq!(picked == all(order, 4), order == Order::Fifo, "{order:?}");
            picked.sort_unstable();
            assert_eq!(picked, [0, 1, 2, 3, 4, 5, 6, 7]);
        }
        assert_eq!(all(Order::Fifo, 9), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn another_rule_keeps_who_is_ready() {
        let mut ready = Ready::new(Order::Fifo);
        (0..4).for_each(|who| ready.push(who, 0));
        ready.reorder(Order::Biased, |who| 10 - who);
        assert!(!ready.is_empty());
        let picked: Vec<u64> = std::iter::from_fn(|| ready.pick(&mut Rng::new(0))).collect();
        assert_eq!(picked, [0, 1, 2, 3]);
    }
}
