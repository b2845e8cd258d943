//! What an alarm waits for at the door of a router that is flooded with ten times what its sinks take.
//!
//! One sink takes ordinary packets, each in 50 µs: 20,000 a second. A thread sends it 200,000 a second; beside it, another sends 200
//! CRITICAL packets a second, one in a thousand. Timed is how long `offer` keeps the sender of each CRITICAL one, and how long it is until its receipt says that it is
//! delivered. Before that, the same alarms go to the same router without a flood. In the end, every alarm must be delivered, and what was
//! sent must be delivered, shed or pending to the packet.
//!
//! `cargo bench -p countermand-benches --bench flood [-- --seconds N] [--plot FILE]`

use std::error::Error;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant as Clock};

use countermand::{
    Batch, Fate, Host, Job, Label, Ledger, Level, Outlet, OutletConfig, PacketId, Priority, Receipt, Router,
    RouterConfig, Shutdown, Sink, Source, Stream, Tokio, Worker, WorkerConfig,
};
use hdrhistogram::Histogram;
use plotters::prelude::*;

const FLOOD_PER_MILLISECOND: u64 = 200;
const ALARM_EVERY: Duration = Duration::from_millis(5);
const PER_PACKET: Duration = Duration::from_micros(50);

type Delivery = Pin<Box<dyn Future<Output = Batch<u64>> + Send>>;

/// Takes each packet in its time.
struct Paced(Duration);

impl Sink<u64> for Paced {
    type Delivery = Delivery;

    fn deliver(&mut self, mut batch: Batch<u64>) -> Delivery {
        let time = self.0 * u32::try_from(batch.len()).expect("a batch is small");
        Box::pin(async move {
            if !time.is_zero() {
                tokio::time::sleep(time).await;
            }
            batch.acknowledge_rest();
            batch
        })
    }
}

/// What was measured of the alarms.
struct Alarms {
    /// Nanoseconds in `offer`.
    intake: Histogram<u64>,
    /// Nanoseconds from `offer` to the receipt's answer.
    delivery: Histogram<u64>,
    sent: u64,
}

/// Sends an alarm every so often, and waits for each until it is delivered.
fn alarms(router: &Router<u64>, host: &Tokio, runtime: &tokio::runtime::Handle, lasting: Duration) -> Alarms {
    let histogram = || Histogram::new(3).expect("three digits are possible");
    let mut alarms = Alarms { intake: histogram(), delivery: histogram(), sent: 0 };
    let begun = Clock::now();
    while begun.elapsed() < lasting {
        let label =
            Label::new(PacketId::new(u128::MAX - u128::from(alarms.sent)), Source::of("alarm"), Level::Critical);
        let offered = Clock::now();
        let receipt: Receipt = router.offer(host.now(), label, alarms.sent).expect("there is room for alarms");
        alarms.intake.record(nanos(offered)).expect("it fits");
        let fate = runtime.block_on(receipt);
        alarms.delivery.record(nanos(offered)).expect("it fits");
        assert_eq!(fate, Fate::Delivered, "an alarm was lost");
        alarms.sent += 1;
        thread::sleep(ALARM_EVERY.saturating_sub(offered.elapsed()));
    }
    alarms
}

fn nanos(since: Clock) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).expect("it did not take centuries").max(1)
}

/// Sends ordinary packets at ten times the rate that their sink takes, until it is told to stop. How many it sent.
fn flood(router: &Router<u64>, host: &Tokio, stop: &AtomicBool) -> u64 {
    let begun = Clock::now();
    let mut sent = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        let due = begun.elapsed().as_millis() as u64 * FLOOD_PER_MILLISECOND;
        while sent < due {
            let label = Label::new(PacketId::new(u128::from(sent)), Source::of("flood"), Level::Info).weight(200);
            router.post(host.now(), label, sent).expect("what is not CRITICAL is taken in, or shed");
            sent += 1;
        }
        thread::sleep(Duration::from_millis(1));
    }
    sent
}

/// A router whose outlets are served by jobs of a worker.
fn start(host: &Tokio) -> Result<(Worker, Router<u64>), Box<dyn Error>> {
    let outlets = vec![OutletConfig::new("ordinary", Stream::Normal), OutletConfig::new("alarms", Stream::Emergency)];
    let (router, outlets) = Router::new(RouterConfig::default(), outlets, |_, _, _| 0)?;
    let worker = host.start(WorkerConfig::new().lanes(2).drivers(2))?;
    for (outlet, sink) in outlets.into_iter().zip([Paced(PER_PACKET), Paced(Duration::ZERO)]) {
        serve(&worker, outlet, sink)?;
    }
    Ok((worker, router))
}

fn serve(worker: &Worker, outlet: Outlet<u64>, sink: Paced) -> Result<(), Box<dyn Error>> {
    let job = Job::task_with(move |context| async move {
        let _ = outlet.run(context, sink).await;
    });
    drop(worker.try_submit(job).map_err(|refused| format!("no lane for an outlet: {refused}"))?);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let (seconds, plot) = arguments()?;
    let lasting = Duration::from_secs(seconds);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    let host = runtime.block_on(async { Tokio::current() })?;

    let (worker, router) = start(&host)?;
    let idle = alarms(&router, &host, runtime.handle(), lasting);
    router.close();
    drop(runtime.block_on(worker.shutdown(Shutdown::Drain)));

    let (worker, router) = start(&host)?;
    let stop = AtomicBool::new(false);
    let (sent, flooded) = thread::scope(|scope| {
        let flooding = scope.spawn(|| flood(&router, &host, &stop));
        let flooded = alarms(&router, &host, runtime.handle(), lasting);
        stop.store(true, Ordering::Relaxed);
        (flooding.join().expect("the flood ends"), flooded)
    });
    let ledger = router.ledger();
    router.close();
    drop(runtime.block_on(worker.shutdown(Shutdown::Abort)));

    audit(&ledger, sent, flooded.sent);
    println!(
        "{sent} ordinary packets in {seconds} s; {} delivered, {} shed, {} pending",
        ledger.delivered[1], ledger.shed[1], ledger.pending[1]
    );
    println!("{} alarms while idle, {} in the flood, all delivered", idle.sent, flooded.sent);
    println!("{:>24} {:>10} {:>10} {:>7}", "nanoseconds", "idle", "flooded", "ratio");
    for (what, idle, flooded) in
        [("offer", &idle.intake, &flooded.intake), ("delivered", &idle.delivery, &flooded.delivery)]
    {
        for quantile in [0.5, 0.9, 0.99] {
            let (idle, flooded) = (idle.value_at_quantile(quantile), flooded.value_at_quantile(quantile));
            println!(
                "{:>17} p{:<5} {idle:>10} {flooded:>10} {:>7.2}",
                what,
                quantile * 100.0,
                flooded as f64 / idle as f64
            );
        }
    }
    if let Some(plot) = plot {
        draw(&plot, &idle.intake, &flooded.intake)?;
        println!("drawn: {}", plot.display());
    }
    Ok(())
}

/// The router's books against what was sent.
fn audit(ledger: &Ledger, sent: u64, alarms: u64) {
    assert!(ledger.balances(), "{ledger:?}");
    let of = |priority: Priority| priority.index();
    assert_eq!(ledger.accepted[of(Priority::Normal)], sent, "{ledger:?}");
    assert_eq!(ledger.delivered[of(Priority::Critical)], alarms, "{ledger:?}");
    assert!(ledger.shed[of(Priority::Normal)] > sent / 2, "it was no flood: {ledger:?}");
}

fn arguments() -> Result<(u64, Option<PathBuf>), Box<dyn Error>> {
    let (mut seconds, mut plot) = (5, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} wants a value"));
        match argument.as_str() {
            "--seconds" => seconds = value()?.parse()?,
            "--plot" => plot = Some(value()?.into()),
            // Cargo's own.
            "--bench" => {}
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    Ok((seconds, plot))
}

/// The share of alarms that were let in within a time, idle and flooded.
fn draw(file: &PathBuf, idle: &Histogram<u64>, flooded: &Histogram<u64>) -> Result<(), Box<dyn Error>> {
    let most = idle.value_at_quantile(0.999).max(flooded.value_at_quantile(0.999)) as f64;
    let area = SVGBackend::new(file, (720, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("An alarm at the door of a flooded router", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d((50.0..most).log_scale(), 0.0..100.0)?;
    chart.configure_mesh().x_desc("nanoseconds in offer").y_desc("% of the alarms").draw()?;
    for (name, histogram, colour) in [("idle", idle, BLUE), ("flooded", flooded, RED)] {
        let points = (1..=999)
            .map(|mille| (histogram.value_at_quantile(f64::from(mille) / 1000.0) as f64, f64::from(mille) / 10.0));
        let line = chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
        line.label(name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE).border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}
