//! An alarm is routed into a journal, and is in it.

use countermand::sinks::journal::Journal;
use countermand::{
    Event, Fate, Instant, Job, Label, Level, OutletConfig, Payload, Router, RouterConfig, Shutdown, Source, Stream,
    Timestamp,
};

use crate::Tried;
use crate::board::on_worker;

pub(crate) fn tried() -> Tried {
    let file = std::env::temp_dir().join(format!("outside-{}.journal", std::process::id()));
    let (journal, _) = Journal::open(&file, Default::default())?;
    let outlets = Stream::ALL.map(|stream| OutletConfig::new(stream.name(), stream).keeps());
    let scribe = |event: &Event, label: &Label, _age| Payload::of_event(event, label, Timestamp::new(1_795_629_600, 0));
    let (router, outlets) = Router::new(RouterConfig::default(), outlets.into(), scribe)?;
    let sinks = || journal.sink("journal");
    let receipt = on_worker(|worker| async move {
        for outlet in outlets {
            let sink = sinks();
            let served = Job::task_with(move |context| async move { drop(outlet.run(context, sink).await) });
            drop(worker.submit(served).await?); // it goes on
        }
        let receipt = router
            .reporter(Source::of("tolaria"), 1, || Instant::ORIGIN)
            .report(&Event::new("fire", Level::Critical))?;
        router.close();
        worker.shutdown(Shutdown::Drain).await;
        Ok::<_, Box<dyn std::error::Error>>(receipt)
    })?;
    assert_eq!(receipt.fate(), Some(Fate::Delivered));
    assert_eq!(journal.tail(Stream::Emergency, None, 10)?.len(), 1);
    drop(journal);
    std::fs::remove_file(file)?;
    Ok(())
}
