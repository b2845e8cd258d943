//! Work that does not escape: a scope ends when all that was begun in it has, and what is not needed any more is cancelled.
//!
//! ```sh
//! cargo run -p countermand --example scope --features runtime-tokio
//! ```

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countermand::{CallContext, Job, Outcome, Shutdown, Tokio, Worker, WorkerConfig};

const CHUNK: u64 = 10_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let worker = Tokio::current()?.start(WorkerConfig::new().name("numbers").lanes(4).capacity(256))?;
    println!("{} primes are below 1,000,000", primes_below(&worker, 1_000_000).await?);

    let running = Arc::new(AtomicUsize::new(0));
    let (found, cancelled) = factor_of(&worker, 600_851_475_143, &running).await?;
    println!("{found:?} is the first factor of 600851475143 that anybody found");
    println!("{} searches run after the scope", running.load(Ordering::SeqCst));
    println!("some of the others were cancelled: {}", if cancelled > 0 { "yes" } else { "no" });

    let report = worker.shutdown(Shutdown::Drain).await;
    println!("the books balance: {}", if report.counts.balances() { "yes" } else { "no" });
    Ok(())
}

/// Counts in chunks, as many at a time as there are lanes.
async fn primes_below(worker: &Worker, end: u64) -> Result<u64, Box<dyn Error>> {
    worker
        .scope(|scope| async move {
            let mut counts = Vec::new();
            for begin in (0..end).step_by(CHUNK as usize) {
                let chunk = begin..(begin + CHUNK).min(end);
                counts.push(
                    scope.submit(Job::call(move |_| chunk.filter(|number| is_prime(*number)).count() as u64)).await?,
                );
            }
            let mut all = 0;
            for count in counts {
                all += count.await.completed().ok_or("a chunk was not counted")?;
            }
            Ok(all)
        })
        .await
}

/// Searches in several places at once; the first who finds something ends it for all. What was found, and how many were cancelled.
async fn factor_of(worker: &Worker, number: u64, running: &Arc<AtomicUsize>) -> Result<(u64, usize), Box<dyn Error>> {
    worker
        .scope(|scope| async move {
            let mut searches = Vec::new();
            // The factors are 71, 839, 1471 and 6857; whoever searches the last ones searches for a long time.
            for place in
                [2..1_000, 1_000_000_000..2_000_000_000, 2_000_000_000..3_000_000_000, 3_000_000_000..4_000_000_000]
            {
                let (running, done) = (running.clone(), scope.token().clone());
                searches.push(
                    scope
                        .submit(Job::call(move |cx| {
                            running.fetch_add(1, Ordering::SeqCst);
                            let found = search(number, place, cx);
                            running.fetch_sub(1, Ordering::SeqCst);
                            if found.is_some() {
                                done.cancel();
                            }
                            found
                        }))
                        .await?,
                );
            }
            let (mut found, mut cancelled) = (None, 0);
            for search in searches {
                match search.await {
                    Outcome::Completed(Some(factor)) => found = Some(factor),
                    // It was told, and gave up; or it had not begun.
                    Outcome::Completed(None) | Outcome::Cancelled { .. } => cancelled += 1,
                    other => return Err(format!("a search: {:?}", other.class()).into()),
                }
            }
            Ok((found.ok_or("nobody found anything")?, cancelled))
        })
        .await
}

/// A closure is told of a cancel by its token, and looks now and then.
fn search(number: u64, mut place: Range<u64>, cx: &CallContext) -> Option<u64> {
    place
        .find(|candidate| cx.is_cancelled() || number.is_multiple_of(*candidate))
        .filter(|candidate| number.is_multiple_of(*candidate))
}

fn is_prime(number: u64) -> bool {
    number >= 2
        && (2..).take_while(|divisor| divisor * divisor <= number).all(|divisor| !number.is_multiple_of(divisor))
}
