//! Lines on their way to the log, which is written on a thread of its own: whoever has something to say never waits for whoever reads it.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How many lines wait at the most; what is beyond that is lost, and counted.
const MOST: usize = 4_096;

/// How long the end waits before it asks again.
const BREATH: Duration = Duration::from_millis(1);

/// See the head of the file.
pub(crate) struct Lines {
    to: SyncSender<Said>,
    lost: Arc<AtomicU64>,
}

enum Said {
    Line(String),
    /// Everything before this is to be written, and then whoever asks is told.
    Flush(Sender<()>),
}

impl Lines {
    /// They are written to `out`. `lost` is the line that tells how many were lost.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub(crate) fn new(
        out: impl Write + Send + 'static,
        lost: impl Fn(u64) -> String + Send + 'static,
    ) -> io::Result<Self> {
        let (to, lines) = sync_channel(MOST);
        let count = Arc::new(AtomicU64::new(0));
        let counted = count.clone();
        let work = move || write(&lines, out, &counted, lost);
        thread::Builder::new().name("weatherlight-log".to_owned()).spawn(work)?;
        Ok(Self { to, lost: count })
    }

    /// Has a line written, which is given without its end.
    pub(crate) fn say(&self, line: String) {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.to.try_send(Said::Line(line)) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all that was said has been written, but no longer than so long.
    ///
    /// # Returns
    ///
    /// Whether it has been written.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let left = || until.saturating_duration_since(Instant::now());
        let (told, done) = channel();
        let mut asked = Said::Flush(told);
        // There may be no place for the question yet.
        while let Err(TrySendError::Full(again)) = self.to.try_send(asked) {
            if left().is_zero() {
                return false;
            }
            asked = again;
            thread::sleep(BREATH);
        }
        done.recv_timeout(left()).is_ok()
    }
}

fn write(lines: &Receiver<Said>, mut out: impl Write, lost: &AtomicU64, told: impl Fn(u64) -> String) {
    // Where the log cannot be written there is nobody to tell.
    let mut put = |line: &str| drop(writeln!(out, "{line}"));
    for said in lines {
        match said {
            Said::Line(line) => put(&line),
            // Whoever asked may have lost patience.
            Said::Flush(asked) => drop(asked.send(())),
        }
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            put(&told(count));
        }
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("lost", &self.lost).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Takes nothing until it may.
    struct Stuck {
        gate: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Once the other end has gone it is stuck no more.
            let _ = self.gate.recv();
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_says_something_never_waits_and_what_is_lost_is_counted() {
        let (go, gate) = channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let stuck = Stuck { gate, written: written.clone() };
        let lines = Lines::new(stuck, |lost| format!("{lost} lost")).unwrap();
        let said = MOST + 100;
        for number in 0..said {
            lines.say(format!("line {number}"));
        }
        assert!(!lines.flush(Duration::ZERO));
        drop(go);
        assert!(lines.flush(Duration::from_secs(60)));
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let count = |line: &str| line.strip_suffix(" lost").map_or(0, |count| count.parse::<usize>().unwrap());
        let lost: usize = text.lines().map(count).sum();
        assert!((1..=100).contains(&lost), "{lost} lost");
        assert_eq!(text.lines().filter(|line| line.starts_with("line ")).count() + lost, said);
    }
}
