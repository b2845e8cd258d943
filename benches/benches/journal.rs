//! How many small packets a second become durable: through the router into the journal with group commit, and one sync for each.
//!
//! All contenders are given the same packets of 200 bytes by one sender, who goes on while at most 8,192 are not durable yet, and is through when the last
//! one is. Ours is the router with the journal behind it, as `weatherlight` has it, and the journal alone; "one sync each" is the same router and
//! journal with batches of one, what one gets by writing each packet when it comes. By hand is an append to a plain file with a sync of data, for
//! each packet, and for every 256: no ids, no order, no recovery, but the disk is the same. The syncs are real, so figures depend on the disk; the ratio
//! is what counts.
//!
//! `cargo bench -p countermand-benches --bench journal [-- --packets N] [--directory DIR]`

use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant as Clock};

use countermand::sinks::journal::{Journal, JournalConfig};
use countermand::{
    Fate, Format, Host, Job, Label, Level, OutletConfig, PacketId, Payload, Router, RouterConfig, Shutdown, Source,
    Stream, Tokio, WorkerConfig,
};

const BYTES: usize = 200;
const WINDOW: usize = 8_192;

fn packet(number: u64) -> (Label, Payload) {
    let label = Label::new(PacketId::new(u128::from(number)), Source::of("flood"), Level::Info).weight(BYTES);
    (label, Payload::new(Format::Protobuf, vec![number as u8; BYTES]))
}

/// Through the router into a journal with batches of at most `batch`.
async fn routed(directory: &Path, packets: u64, batch: usize) -> Result<Duration, Box<dyn Error>> {
    let host = Tokio::current()?;
    let mut config = JournalConfig::default();
    config.max_batch = batch;
    let (journal, _) = Journal::open(directory.join(format!("routed-{batch}")), config)?;
    let mut outlets = vec![
        OutletConfig::new("normal", Stream::Normal).keeps(),
        OutletConfig::new("emergency", Stream::Emergency).keeps(),
    ];
    outlets.iter_mut().for_each(|outlet| outlet.batch = batch.min(4_096));
    let (router, outlets) =
        Router::new(RouterConfig::default(), outlets, |_, _, _| Payload::new(Format::Protobuf, []))?;
    let worker = host.start(WorkerConfig::new().lanes(2).drivers(1))?;
    for outlet in outlets {
        let sink = journal.sink("journal");
        let job = Job::task_with(move |context| async move {
            let _ = outlet.run(context, sink).await;
        });
        drop(worker.try_submit(job).map_err(|refused| format!("no lane for an outlet: {refused}"))?);
    }
    let begun = Clock::now();
    let mut receipts = VecDeque::new();
    for number in 0..packets {
        let (label, payload) = packet(number);
        receipts.push_back(router.offer(host.now(), label, payload)?);
        if receipts.len() >= WINDOW {
            let oldest = receipts.pop_front().expect("there are some");
            assert_eq!(oldest.await, Fate::Delivered);
        }
    }
    for receipt in receipts {
        assert_eq!(receipt.await, Fate::Delivered);
    }
    let spent = begun.elapsed();
    assert_eq!(
        journal.ledger().total.iter().map(|account| account.accepted).sum::<u64>(),
        packets,
        "the journal has them all"
    );
    router.close();
    drop(worker.shutdown(Shutdown::Drain).await);
    Ok(spent)
}

/// Appended to a file by hand, with a sync for every `group`.
fn by_hand(directory: &Path, packets: u64, group: u64) -> Result<Duration, Box<dyn Error>> {
    let mut file = File::create(directory.join(format!("by-hand-{group}")))?;
    let begun = Clock::now();
    let mut buffer = Vec::new();
    for number in 0..packets {
        let (_, payload) = packet(number);
        buffer.extend_from_slice(payload.bytes());
        if (number + 1) % group == 0 || number + 1 == packets {
            file.write_all(&buffer)?;
            file.sync_data()?;
            buffer.clear();
        }
    }
    Ok(begun.elapsed())
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut packets, mut directory): (u64, Option<PathBuf>) = (400_000, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} wants a value"));
        match argument.as_str() {
            "--packets" => packets = value()?.parse()?,
            "--directory" => directory = Some(value()?.into()),
            // Cargo's own.
            "--bench" => {}
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    let scratch = match &directory {
        Some(directory) => tempfile::tempdir_in(directory)?,
        None => tempfile::tempdir()?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    let few = (packets / 100).max(1);
    println!("{:>44} {:>10} {:>12} {:>10}", "", "packets", "a second", "µs each");
    let print = |what: &str, packets: u64, spent: Duration| {
        let seconds = spent.as_secs_f64();
        println!(
            "{what:>44} {packets:>10} {:>12.0} {:>10.2}",
            packets as f64 / seconds,
            seconds * 1e6 / packets as f64
        );
        packets as f64 / seconds
    };
    let grouped =
        print("router and journal, group commit", packets, runtime.block_on(routed(scratch.path(), packets, 4_096))?);
    let single = print("router and journal, one sync each", few, runtime.block_on(routed(scratch.path(), few, 1))?);
    print("a file by hand, one sync each", few, by_hand(scratch.path(), few, 1)?);
    print("a file by hand, a sync for 256", packets, by_hand(scratch.path(), packets, 256)?);
    println!("group commit against one sync each: {:.1} times", grouped / single);
    Ok(())
}
