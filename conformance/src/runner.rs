//! Does many things, two at a time, and hands each result to whoever collects them.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

/// How many children run at a time. Rules race threads and measure idleness; more would disturb each other.
const PARALLEL: usize = 2;

/// Does `work` for each of `items`. `told` hears of each as it is done, with its place.
///
/// # Errors
///
/// The first trouble of the surroundings; what had not begun by then is not begun.
pub(crate) fn each<T: Sync, R: Clone + Send>(
    items: &[T],
    work: impl Fn(&T) -> io::Result<R> + Sync,
    mut told: impl FnMut(usize, &R),
) -> io::Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let mut done: Vec<Option<R>> = vec![None; items.len()];
    thread::scope(|scope| {
        let (results, arrivals) = channel();
        for _ in 0..PARALLEL {
            let (results, next, stopped, work) = (results.clone(), &next, &stopped, &work);
            scope.spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else { return };
                    if results.send((place, work(item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(results);
        for (place, result) in arrivals {
            match result {
                Ok(result) => {
                    told(place, &result);
                    done[place] = Some(result);
                }
                Err(error) => {
                    stopped.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(())
    })?;
    Ok(done.into_iter().flatten().collect())
}
