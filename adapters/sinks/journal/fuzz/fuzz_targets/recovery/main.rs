//! Any bytes as a journal, and any damage to a journal that was closed, killed or full: it is opened or refused, every record outside of the damage
//! is kept (E12), and what is found is what was written.
//!
//! In `adapters/sinks/journal`:
//! `cargo +nightly fuzz run -s none -O --no-trace-compares recovery -- -runs=1000000 -max_len=98 -len_control=20 -entropic=0 -timeout=20`.
//! Without comparisons, which guess no checksum, and without the weighing of rare features it takes a third of the time; there is no unsafe code here
//! for a sanitizer to look at; `-O` leaves the assertions to `Cargo.toml`. The disk is in memory.
#![no_main]

mod base;
mod damage;
mod findings;

use std::sync::{Arc, LazyLock};

use countermand_journal::{Journal, JournalError, SimulatedDisk};
use futures_lite::future::block_on;
use libfuzzer_sys::fuzz_target;

use base::{Base, config, packet};
use damage::Damaged;
use findings::Findings;

/// With how many packets the last of them have.
static BASES: LazyLock<(Vec<Base>, u64)> = LazyLock::new(|| {
    // The database may panic about what it finds, which is contained; any other panic, on whatever thread, ends it.
    std::panic::set_hook(Box::new(|info| {
        if !info.location().is_some_and(|location| location.file().contains("/redb-")) {
            eprintln!("{info}");
            std::process::abort();
        }
    }));
    base::all()
});

fuzz_target!(|input: &[u8]| {
    let (bases, last) = &*BASES;
    let Some(([choice, base], rest)) = input.split_first_chunk() else { return };
    let damaged = match choice & 7 {
        0 => Damaged::foreign(rest.to_vec()),
        1 => Damaged::foreign([b"redb\x1A\x0A\xA9\x0D\x0A", rest].concat()),
        _ => Damaged::new(&bases[usize::from(*base) % bases.len()], rest),
    };
    let disk = SimulatedDisk::new();
    disk.set_bytes(damaged.database);
    disk.set_reserve_bytes(damaged.reserve);
    // To look at it first takes as long as to open it.
    let verification = (choice & 8 != 0).then(|| disk.verify());

    let (journal, recovery) = match Journal::open_on(Arc::new(disk.clone()), config()) {
        Ok(opened) => opened,
        Err(error) => {
            assert!(matches!(error, JournalError::NotAJournal { .. }), "{error:?}");
            assert!(damaged.in_database.is_empty(), "{error}, and there are {:?}", damaged.in_database);
            assert!(verification.is_none_or(|answer| answer.is_err()), "what is no journal is one to look at");
            // Once it is out of the way, what is in the reserve is taken in.
            disk.set_bytes([]);
            let (journal, recovery) = Journal::open_on(Arc::new(disk), config()).expect("a new journal");
            let found = Findings::of(&journal).packets();
            assert!(found.is_superset(&damaged.in_reserve), "{:?}, but {found:?}: {recovery}", damaged.in_reserve);
            return;
        }
    };
    if let Some(verification) = verification {
        match verification {
            Ok(found) => assert!(
                recovery.created || found.is_whole() == recovery.salvage.is_none(),
                "{found}\nand then: {recovery}"
            ),
            Err(error) => assert!(recovery.created && matches!(error, JournalError::NotAJournal { .. }), "{error}"),
        }
    }
    let found = Findings::of(&journal);
    let whole = &damaged.in_database | &damaged.in_reserve;
    let missing = &whole - &found.packets();
    assert!(missing.is_empty(), "{missing:?} are missing: {recovery}");
    assert_eq!((journal.trouble(), recovery.in_reserve), (None, 0), "{recovery}");

    // What was recovered is a journal like any other: it takes a packet in, is whole, and opens again as it was closed.
    let more = choice & 16 != 0;
    if more {
        let (label, payload) = packet(last + 1);
        block_on(journal.append(label, payload)).expect("there is room");
    }
    drop(journal);
    if choice & 32 != 0 {
        let found = disk.verify().expect("a journal");
        assert!(found.is_whole(), "{found}");
    }
    if choice & 64 != 0 {
        let (journal, again) = Journal::open_on(Arc::new(disk), config()).expect("a journal");
        assert!(again.is_clean() && !again.created, "{recovery}, and then: {again}");
        let still = Findings::of(&journal);
        assert_eq!(still.without(last + 1), found, "{recovery}");
        assert_eq!(still.packets().contains(&(last + 1)), more);
    }
});
