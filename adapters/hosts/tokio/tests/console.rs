//! What `tokio-console` is told: it reads the spans that tokio makes of its tasks, and so does this.
#![cfg(all(tokio_unstable, feature = "console"))]

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use countermand_core::{Shutdown, WorkerConfig};
use countermand_tokio::Tokio;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes the names of tasks down.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<Vec<String>>>);

impl Subscriber for Names {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.name() == "runtime.spawn"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Names {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "task.name" {
            self.0.lock().expect("not poisoned").push(format!("{value:?}"));
        }
    }
}

#[test]
fn attendants_are_named_for_their_worker() {
    let names = Names::default();
    tracing::subscriber::with_default(names.clone(), || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let config = WorkerConfig::new().name("ingest").lanes(4).drivers(2);
            let worker = Tokio::current().expect("inside").start(config).expect("a worker");
            worker.shutdown(Shutdown::Drain).await;
        });
    });
    let mut names = names.0.lock().expect("not poisoned").clone();
    names.sort();
    // What `block_on` runs is a task without a name.
    names.retain(|name| !name.is_empty());
    assert_eq!(names, ["ingest/driver-0", "ingest/driver-1", "ingest/keeper"]);
}
