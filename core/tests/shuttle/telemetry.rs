//! A scenario of the router: a sink that never answers holds up nobody else (E9).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use countermand_core::{
    Batch, Event, Job, Label, Level, Outcome, OutletConfig, PacketId, Room, Router, RouterConfig, Sink, Source, Stream,
    WorkerConfig,
};
use shuttle::sync::Mutex;
use shuttle::thread;

use crate::explore::explore;
use crate::world::{Gate, World};

/// Acknowledges each batch once its gate is open.
struct Gated {
    gate: Gate,
    seen: Arc<Mutex<Vec<u128>>>,
}

impl Sink<u128> for Gated {
    type Delivery = Pin<Box<dyn Future<Output = Batch<u128>> + Send>>;

    fn deliver(&mut self, mut batch: Batch<u128>) -> Self::Delivery {
        let (pass, seen) = (self.gate.pass(), self.seen.clone());
        Box::pin(async move {
            pass.await;
            seen.lock().unwrap().extend(batch.deliveries().iter().map(|delivery| delivery.parcel.body));
            batch.acknowledge_rest();
            batch
        })
    }
}

#[test]
fn stalled_sink() {
    explore("stalled sink", &["the others had it all"], |seen| {
        let (world, attendants) = World::new(WorkerConfig::new().lanes(3).drivers(2).capacity(3));
        let mut config = RouterConfig::default();
        config.rooms = [Room::new(8, 1_000); 4];
        let streams = [("stalled", Stream::Normal), ("good", Stream::Normal), ("alarms", Stream::Emergency)];
        let outlets = streams.map(|(name, stream)| OutletConfig::new(name, stream)).into();
        let (router, outlets) = Router::new(config, outlets, |_: &Event, label: &Label, _| label.id.number())
            .expect("a good configuration");
        let (stalled, open) = (Gate::default(), Gate::default());
        open.open();
        let lists: [Arc<Mutex<Vec<u128>>>; 3] = Default::default();
        let handles: Vec<_> = outlets
            .into_iter()
            .zip([stalled.clone(), open.clone(), open])
            .zip(&lists)
            .map(|((outlet, gate), list)| {
                let (alive, sink) = (world.alive.clone(), Gated { gate, seen: list.clone() });
                let job = Job::task_with(move |context| async move {
                    outlet.run(context, sink).await;
                    drop(alive);
                });
                world.accepted(world.worker.try_submit(job)).expect("a place")
            })
            .collect();
        let offers: Vec<_> = (0..2u128)
            .map(|own| {
                let (router, world) = (router.clone(), world.clone());
                thread::spawn(move || {
                    for number in [own * 10 + 1, own * 10 + 2] {
                        let label = Label::new(PacketId::new(number), Source::of("here"), Level::Error).weight(1);
                        drop(router.offer(world.worker.now(), label, number).expect("there is room"));
                    }
                })
            })
            .collect();
        offers.into_iter().for_each(|offer| offer.join().unwrap());
        router.close();
        let mut handles = handles.into_iter();
        let first = handles.next().expect("three");
        // Those that are open come to their end while the other has not answered.
        handles.for_each(|handle| assert!(matches!(world.outcome(handle), Outcome::Completed(()))));
        assert_eq!(lists[0].lock().unwrap().len(), 0, "the stalled sink was not stalled");
        let mut all = lists[1].lock().unwrap().clone();
        all.sort_unstable();
        assert_eq!(all, [1, 2, 11, 12]);
        seen.note("the others had it all");
        stalled.open();
        assert!(matches!(world.outcome(first), Outcome::Completed(())));
        let ledger = router.ledger();
        drop(router);
        assert_eq!(lists[0].lock().unwrap().len(), 4, "{ledger:?}");
        world.end(attendants);
    });
}
