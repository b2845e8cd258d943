//! What reading a setting costs that can change while it is read, and what loading costs.
//!
//! Each contender reads the number of lanes out of the same configuration: the reader of countermand; `arc-swap` as it is usually read and
//! through its cache, each in the idiom of its documentation; a counter of generations beside an `Arc`, which is what one writes by
//! hand; a lock. The limit is one atomic load of a number that is nothing but itself. The reads of one configuration are timed alone and while
//! another thread puts a new one in force every millisecond.
#![allow(missing_docs, reason = "criterion's macros make public items without any")]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use arc_swap::{ArcSwap, Cache};
use countermand::config::{ExecutionConfig, Format, Live, Loader, template};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Read by hand: a counter says whether the copy at hand is still the one in force.
struct Generations {
    number: AtomicU64,
    current: Mutex<Arc<ExecutionConfig>>,
}

struct Generation {
    shared: Arc<Generations>,
    seen: u64,
    value: Arc<ExecutionConfig>,
}

impl Generation {
    #[inline]
    fn read(&mut self) -> &ExecutionConfig {
        let number = self.shared.number.load(Ordering::Acquire);
        if number != self.seen {
            self.value = Arc::clone(&self.shared.current.lock().expect("nobody panics"));
            self.seen = number;
        }
        &self.value
    }
}

fn reads(criterion: &mut Criterion, group: &str, change: bool) {
    let loader = |lanes: u32| Loader::new().text("a.toml", Format::Toml, format!("worker.lanes = {lanes}"));
    let live = Live::new(loader(64), |_| {}).expect("it is valid");
    let config = || Arc::new(ExecutionConfig::default());
    let swap = Arc::new(ArcSwap::new(config()));
    let generations = Arc::new(Generations { number: AtomicU64::new(0), current: Mutex::new(config()) });
    let lock = RwLock::new(config());
    let number = AtomicU32::new(64);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        if change {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    live.reload().expect("it is valid");
                    swap.store(config());
                    *generations.current.lock().expect("nobody panics") = config();
                    generations.number.fetch_add(1, Ordering::Release);
                    *lock.write().expect("nobody panics") = config();
                    number.fetch_max(64, Ordering::Release);
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        }
        let mut group = criterion.benchmark_group(group);
        let mut reader = live.reader();
        let mut cache = Cache::new(Arc::clone(&swap));
        let mut generation = Generation { value: config(), shared: Arc::clone(&generations), seen: 0 };
        group.bench_function("one atomic load, the limit", |b| b.iter(|| black_box(&number).load(Ordering::Acquire)));
        group.bench_function("Reader::read", |b| b.iter(|| black_box(&mut reader).read().worker.lanes));
        group.bench_function("arc-swap, load", |b| b.iter(|| black_box(&swap).load().worker.lanes));
        group.bench_function("arc-swap, Cache", |b| b.iter(|| black_box(&mut cache).load().worker.lanes));
        group.bench_function("a counter and an Arc", |b| b.iter(|| black_box(&mut generation).read().worker.lanes));
        group.bench_function("RwLock", |b| b.iter(|| black_box(&lock).read().expect("nobody panics").worker.lanes));
        group.finish();
        stop.store(true, Ordering::Relaxed);
    });
}

fn reading(criterion: &mut Criterion) {
    reads(criterion, "reading a setting", false);
    reads(criterion, "reading a setting that changes every millisecond", true);
}

/// The curve over the size. What is done grows with it (ten times the subsystems, ten times the instructions); beyond some hundreds the
/// values no longer fit into the caches, and the time grows faster.
fn loading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("loading");
    let template = Loader::new().text("template.toml", Format::Toml, template());
    group.bench_function("the template", |b| b.iter(|| template.load().expect("it is valid")));
    for count in [1, 10, 100, 1_000] {
        let text: String = (0..count).map(|number| format!("[subsystem.s{number}.worker]\nlanes = 8\n")).collect();
        group.throughput(Throughput::Elements(count));
        let loader = Loader::new().text("subsystems.toml", Format::Toml, text);
        group.bench_function(BenchmarkId::new("subsystems", count), |b| b.iter(|| loader.load().expect("it is valid")));
    }
    group.finish();
}

criterion_group!(benches, reading, loading);
criterion_main!(benches);
