//! The vital signs of this process: memory, threads, open files.

use std::fs;

use countermand_core::kept_memory;

use crate::Tally;

/// At one moment; what the system does not tell is `None`. Of the heap, what threads keep for jobs to come does not count: it is bounded, and goes with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vitals {
    pub(super) heap_bytes: u64,
    pub(super) heap_blocks: u64,
    pub(super) resident: Option<u64>,
    pub(super) threads: Option<u64>,
    pub(super) files: Option<u64>,
}

impl Vitals {
    pub(super) fn now() -> Self {
        // Read first: the text of it is on the heap too.
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let (resident, threads) =
            (field(&status, "VmRSS:").map(|kilobytes| kilobytes * 1_024), field(&status, "Threads:"));
        drop(status);
        // One of them is the folder itself.
        let files = fs::read_dir("/proc/self/fd").ok().map(|folder| folder.count() as u64 - 1);
        let kept = kept_memory();
        let counted = |live: i64, kept: usize| u64::try_from(live).unwrap_or(0).saturating_sub(kept as u64);
        Self {
            heap_bytes: counted(Tally::live_bytes(), kept.bytes),
            heap_blocks: counted(Tally::live_blocks(), kept.blocks),
            resident,
            threads,
            files,
        }
    }
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_by_their_names() {
        let status = "Name:\tconformance\nVmRSS:\t    1234 kB\nThreads:\t7\n";
        assert_eq!((field(status, "VmRSS:"), field(status, "Threads:")), (Some(1_234), Some(7)));
        assert_eq!(field(status, "VmSwap:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn threads_are_counted() {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || held.recv());
        // This one and that one, and those of other tests.
        assert!(Vitals::now().threads >= Some(2));
        drop(hold);
        let _ = thread.join();
    }
}
