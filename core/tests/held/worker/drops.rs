//! What is dropped, where, and how often.

use core::future::ready;
use core::mem;

use countermand_core::{HeldJob, HeldToken};

use super::{Captured, SECOND, Seen, World, completed, gated, stuck};

pub(super) fn x1_a_dropped_handle_detaches() {
    static SEEN: [Seen; 2] = [const { Seen::new() }; 2];
    static GATE: HeldToken<'static> = HeldToken::new();
    let mut world = World::new();
    let goes_on = world.submit(HeldJob::task(gated(Captured(&SEEN[0]), &GATE)));
    let goes_too = world.submit(HeldJob::task(gated(Captured(&SEEN[1]), &GATE))).cancel_on_drop();
    world.run();
    drop((goes_on, goes_too));
    world.run();
    assert_eq!((SEEN[0].counts(), SEEN[1].counts()), ((1, 0), (1, 1)));
    GATE.cancel();
    world.run();
    assert_eq!((SEEN[0].counts(), world.worker.occupied()), ((2, 1), 0));
    let counts = world.worker.counts();
    assert_eq!((counts.completed, counts.cancelled), (1, 1));
}

pub(super) fn x2_dropped_once() {
    static SEEN: [Seen; 5] = [const { Seen::new() }; 5];
    let mut world = World::new();
    // The output and what was captured, read, dropped unread, cancelled, queued.
    let pass_on = |seen| async move { (Captured(seen), Captured(seen)) };
    let mut read = world.submit(HeldJob::task(pass_on(&SEEN[0])));
    let unread = world.submit(HeldJob::task(pass_on(&SEEN[1])));
    world.run();
    drop(completed(&mut read));
    drop(unread);
    let early = world.submit(HeldJob::task(pass_on(&SEEN[2])));
    drop(early);
    world.run();
    let cut = world.submit(HeldJob::task(stuck(Captured(&SEEN[3]))));
    world.run();
    let queued = world.submit(HeldJob::task(stuck(Captured(&SEEN[4]))));
    cut.cancel();
    queued.cancel();
    world.run();
    drop((cut, queued));
    assert_eq!(SEEN.each_ref().map(|seen| seen.counts().1), [2, 2, 2, 1, 1]);
    assert_eq!(world.worker.occupied(), 0);
}

pub(super) fn x3_dropped_by_the_driver() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let running = world.submit(HeldJob::task(stuck(Captured(&SEEN))));
    world.run();
    let queued = world.submit(HeldJob::task(stuck(Captured(&SEEN)))).cancel_on_drop();
    running.cancel();
    drop(queued);
    assert_eq!(SEEN.counts().1, 0, "whoever cancels drops nothing");
    world.run();
    assert_eq!(SEEN.counts(), (1, 2));
}

pub(super) fn x4_what_nobody_reads_is_released() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    for round in 1..=16 {
        drop(world.submit(HeldJob::task(async { Captured(&SEEN) })));
        world.run();
        assert_eq!((SEEN.counts().1, world.worker.occupied()), (round, 0));
    }
}

pub(super) fn x5_a_forgotten_handle_keeps_its_slot() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    mem::forget(world.submit(HeldJob::task(async { Captured(&SEEN) })));
    let worker = world.worker;
    // A job that leaves a sleep behind in its slot.
    let slept = world.submit(HeldJob::task(async move { worker.sleep(SECOND).await }));
    world.run();
    slept.cancel();
    world.run();
    drop(slept);
    assert_eq!((world.worker.occupied(), SEEN.counts().1), (1, 0), "its value is there, and nobody reads it");
    let mut others = [(); 3].map(|()| world.submit(HeldJob::task(ready(7))));
    assert!(world.worker.submit(HeldJob::task(ready(0)), world.now).is_err());
    world.run_at(SECOND * 2);
    assert_eq!(others.each_mut().map(completed), [Some(7); 3]);
    assert_eq!(world.worker.counts().completed, 4);
}
