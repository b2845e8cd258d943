//! What Q1 and Q2 have in common: whom they compare, and at what.
//!
//! Room for 1,024 items; senders and receivers are tasks on two threads of tokio's. There are queues with priorities to be had: `async-priority-channel` and
//! embassy-sync's `PriorityChannel`, both a heap, so not first in, first out within a priority. By hand, one takes four channels with a quarter of the room each, looks through
//! them from the most urgent on, and when they are empty waits for an `event-listener` that every sender notifies. The limit is four rings and a bitmap under a lock, with nobody to be woken, on one
//! thread; the note is the same with our `Shelf`.

use std::hint::black_box;
use std::sync::Mutex;

use countermand::{Heap, Priority, Shelf};

use crate::idioms::priority_queue::{
    AsyncPriorityChannel, CAPACITY, Embassy, FourAsyncChannel, FourFlume, FourKanal, Item, Ours, exchange,
};
use crate::idioms::work::sum_below;
use crate::meter::Meter;
use crate::question::{Cases, Goal};

const OURS: &str = "countermand's queue";
const HEAP: &str = "async-priority-channel";
const BY_HAND: &str = "four kanal channels";

/// So many times less than the heap, and than the best by hand.
pub(super) const fn goals(heap: f64, by_hand: f64) -> [Goal; 2] {
    [Goal::times_less("", OURS, HEAP, heap), Goal::times_less("", OURS, BY_HAND, by_hand)]
}

/// The cases of so many senders and as many receivers.
pub(super) fn queues(pairs: u64, cases: &mut Cases) {
    cases.ours(OURS, exchange::<Ours>(pairs));
    cases.peer(HEAP, exchange::<AsyncPriorityChannel>(pairs));
    cases.peer("embassy-sync, PriorityChannel", exchange::<Embassy>(pairs));
    cases.peer(BY_HAND, exchange::<FourKanal>(pairs));
    cases.peer("four flume channels", exchange::<FourFlume>(pairs));
    cases.peer("four async-channel channels", exchange::<FourAsyncChannel>(pairs));
    cases.limit("rings and a bitmap under a lock", rings());
    cases.note("Shelf under a lock", shelf());
}

/// As many at a time as half of the room, in and out again.
const BATCH: u64 = CAPACITY as u64 / 2;

fn through(meter: &mut Meter, mut push: impl FnMut(Item), mut pop: impl FnMut() -> Option<Item>) {
    let items = meter.ops();
    let sum = meter.time(|| {
        let (mut next, mut sum) = (0, 0);
        while next < items {
            for number in next..items.min(next + BATCH) {
                push(black_box(Item { priority: (number & 3) as usize, number }));
            }
            next += BATCH;
            while let Some(item) = pop() {
                sum += item.number;
            }
        }
        sum
    });
    assert_eq!(sum, sum_below(items), "something was lost");
}

/// A ring with room for everything.
struct Ring {
    items: [Item; CAPACITY],
    first: usize,
    len: usize,
}

struct Rings {
    rings: [Ring; 4],
    filled: u8,
}

fn rings() -> impl FnMut(&mut Meter) {
    let ring = |_| Ring { items: [Item { priority: 0, number: 0 }; CAPACITY], first: 0, len: 0 };
    let queue = Box::new(Mutex::new(Rings { rings: std::array::from_fn(ring), filled: 0 }));
    move |meter| {
        let push = |item: Item| {
            let mut queue = queue.lock().expect("nobody panics");
            queue.filled |= 1 << item.priority;
            let ring = &mut queue.rings[item.priority & 3];
            ring.items[(ring.first + ring.len) % CAPACITY] = item;
            ring.len += 1;
        };
        let pop = || {
            let mut queue = queue.lock().expect("nobody panics");
            let highest = queue.filled.checked_ilog2()? as usize & 3;
            let ring = &mut queue.rings[highest];
            let item = ring.items[ring.first];
            ring.first = (ring.first + 1) % CAPACITY;
            ring.len -= 1;
            if ring.len == 0 {
                queue.filled &= !(1 << highest);
            }
            Some(item)
        };
        through(meter, push, pop);
    }
}

fn shelf() -> impl FnMut(&mut Meter) {
    let queue: Mutex<Shelf<Item, Heap>> = Mutex::new(Shelf::with_capacity(CAPACITY));
    move |meter| {
        let push = |item: Item| {
            let mut queue = queue.lock().expect("nobody panics");
            queue.push(Priority::ALL[item.priority], item).expect("there is room");
        };
        let pop = || {
            let mut queue = queue.lock().expect("nobody panics");
            let highest = queue.highest()?;
            queue.pop(highest)
        };
        through(meter, push, pop);
    }
}
