//! The shelf against a model of four plain rows.
#![cfg(feature = "std")]

use std::collections::VecDeque;
use std::rc::Rc;

use countermand_core::{Fixed, Heap, Key, Priority, Shelf, Size};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Push(Priority),
    Pop(Priority),
    PopNewest(Priority),
    /// The n-th key ever given, by remainder: live ones and stale ones.
    Remove(usize),
}

fn priority() -> impl Strategy<Value = Priority> {
    prop::sample::select(&Priority::ALL[..])
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => priority().prop_map(Step::Push),
        2 => priority().prop_map(Step::Pop),
        1 => priority().prop_map(Step::PopNewest),
        2 => any::<usize>().prop_map(Step::Remove),
    ]
}

#[derive(Default)]
struct Model {
    rows: [VecDeque<(usize, Key)>; 4],
    keys: Vec<Key>,
}

impl Model {
    fn len(&self) -> usize {
        self.rows.iter().map(VecDeque::len).sum()
    }

    fn remove(&mut self, key: Key) -> Option<usize> {
        self.rows.iter_mut().find_map(|row| {
            let position = row.iter().position(|(_, other)| *other == key)?;
            row.remove(position).map(|(item, _)| item)
        })
    }
}

fn agrees<S: Size>(mut shelf: Shelf<usize, S>, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    for (item, step) in steps.iter().enumerate() {
        match *step {
            Step::Push(priority) => match shelf.push(priority, item) {
                Ok(key) => {
                    prop_assert!(model.len() < shelf.capacity());
                    prop_assert!(!model.keys.contains(&key), "a key was given twice");
                    model.keys.push(key);
                    model.rows[priority.index()].push_back((item, key));
                }
                Err(back) => {
                    prop_assert_eq!(back, item);
                    prop_assert_eq!(model.len(), shelf.capacity());
                }
            },
            Step::Pop(priority) => {
                let expected = model.rows[priority.index()].pop_front().map(|(item, _)| item);
                prop_assert_eq!(shelf.peek(priority).copied(), expected);
                prop_assert_eq!(shelf.pop(priority), expected);
            }
            Step::PopNewest(priority) => {
                let expected = model.rows[priority.index()].pop_back().map(|(item, _)| item);
                prop_assert_eq!(shelf.pop_newest(priority), expected);
            }
            Step::Remove(n) => {
                if let Some(&key) = model.keys.get(n % model.keys.len().max(1)) {
                    let expected = model.remove(key);
                    prop_assert_eq!(shelf.get(key).copied(), expected);
                    prop_assert_eq!(shelf.remove(key), expected);
                    prop_assert_eq!(shelf.get_mut(key), None);
                }
            }
        }
        prop_assert_eq!(shelf.len(), model.len());
        prop_assert_eq!(shelf.is_empty(), model.len() == 0);
        let has = |priority: &Priority| !model.rows[priority.index()].is_empty();
        prop_assert_eq!(shelf.highest(), Priority::ALL.into_iter().rev().find(has));
        prop_assert_eq!(shelf.lowest(), Priority::ALL.into_iter().find(has));
        for priority in Priority::ALL {
            prop_assert_eq!(shelf.len_of(priority), model.rows[priority.index()].len());
            prop_assert_eq!(shelf.oldest(priority), model.rows[priority.index()].front().map(|(_, key)| *key));
            prop_assert_eq!(shelf.nonempty() & (1 << priority.index()) != 0, has(&priority));
        }
        let listed: Vec<_> = shelf.iter().map(|(priority, key, item)| (priority, *item, key)).collect();
        let expected: Vec<_> = Priority::ALL
            .into_iter()
            .rev()
            .flat_map(|priority| model.rows[priority.index()].iter().map(move |(item, key)| (priority, *item, *key)))
            .collect();
        prop_assert_eq!(listed, expected);
    }
    Ok(())
}

proptest! {
    #[test]
    fn q2_agrees_with_four_rows(steps in prop::collection::vec(step(), 0..400)) {
        agrees(Shelf::with_capacity(100), &steps)?;
        agrees(Shelf::with_capacity(7), &steps)?;
        agrees(Shelf::<_, Fixed<7>>::new(), &steps)?;
    }
}

#[test]
fn nothing_fits_on_an_empty_shelf() {
    assert_eq!(Shelf::with_capacity(0).push(Priority::Critical, 1), Err(1));
    assert_eq!(Shelf::<_, Fixed<0>>::new().push(Priority::Critical, 1), Err(1));
}

#[test]
fn it_is_full_when_a_push_is_refused_and_not_before() {
    fn fill<S: Size>(mut shelf: Shelf<u8, S>) {
        for item in 0..3 {
            assert!(!shelf.is_full());
            assert!(shelf.push(Priority::Normal, item).is_ok());
        }
        assert!(shelf.is_full() && shelf.push(Priority::Critical, 3) == Err(3));
        assert_eq!((shelf.pop(Priority::Normal), shelf.is_full()), (Some(0), false));
    }
    fill(Shelf::with_capacity(3));
    fill(Shelf::<u8, Fixed<3>>::new());
}

#[test]
fn q2_first_in_first_out_over_many_chunks() {
    let mut shelf = Shelf::with_capacity(usize::MAX);
    let keys: Vec<Key> = (0..1000).map(|item| shelf.push(Priority::Normal, item).unwrap()).collect();
    for key in keys.iter().skip(1).step_by(2) {
        assert!(shelf.remove(*key).is_some());
    }
    for item in 1000..1500 {
        shelf.push(Priority::Normal, item).unwrap();
    }
    let order: Vec<i32> = std::iter::from_fn(|| shelf.pop(Priority::Normal)).collect();
    let expected: Vec<i32> = (0..1000).step_by(2).chain(1000..1500).collect();
    assert_eq!(order, expected);
}

#[test]
fn x2_every_item_is_dropped_exactly_once() {
    let item = Rc::new(());
    let mut shelf: Shelf<Rc<()>, Heap> = Shelf::with_capacity(3);
    let first = shelf.push(Priority::Low, item.clone()).unwrap();
    shelf.push(Priority::Low, item.clone()).unwrap();
    shelf.push(Priority::High, item.clone()).unwrap();
    assert!(shelf.push(Priority::High, item.clone()).is_err());
    assert_eq!(Rc::strong_count(&item), 4);
    drop(shelf.remove(first));
    assert_eq!(Rc::strong_count(&item), 3);
    drop(shelf);
    assert_eq!(Rc::strong_count(&item), 1);
}
