//! A queue as a stream and a sink, filled by what a library spawns.

use countermand::Priority;
use countermand::bridges::futures::{SenderSink, WorkerSpawner};
use countermand::priority_queue::bounded;
use futures_util::task::SpawnExt as _;
use futures_util::{SinkExt as _, StreamExt as _};

use crate::Tried;
use crate::board::on_worker;

pub(crate) fn tried() -> Tried {
    let served: Vec<_> = on_worker(|worker| async move {
        let (sender, receiver) = bounded(1);
        let mut sink = SenderSink::new(sender, Priority::Normal);
        let spawner = WorkerSpawner::new(worker); // whose end would be the worker's
        spawner.spawn(async move {
            for item in 1..=3 {
                sink.send(item).await.expect("somebody receives");
            }
        })?;
        Ok::<_, Box<dyn std::error::Error>>(receiver.collect().await)
    })?;
    assert_eq!(served, [1, 2, 3]);
    Ok(())
}
