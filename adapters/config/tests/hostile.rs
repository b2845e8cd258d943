//! Input that means harm: whatever it is, an answer without a panic, for work that grows with the input and not with its square.
#![allow(unsafe_code, reason = "an allocator that counts cannot be had without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use countermand_config::{Environment, Format, Limits, Loader, template};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

/// How many bytes were asked for, by all threads.
static BYTES: AtomicUsize = AtomicUsize::new(0);
/// One test at a time has the count to itself.
static ALONE: Mutex<()> = Mutex::new(());

struct Counting;

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`, and the pointer came from the same allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Loads, looks at the whole answer, and says how many bytes that took.
fn work(format: Format, text: &str, limits: Limits) -> usize {
    let before = BYTES.load(Ordering::Relaxed);
    let loader = Loader::new().text("hostile", format, text).limits(limits);
    match loader.load() {
        Ok(loaded) => assert!(!loaded.values().is_empty()),
        Err(error) => assert!(!error.problems().is_empty() && error.to_string().contains("problem")),
    }
    BYTES.load(Ordering::Relaxed) - before
}

/// Shapes of which there can be more and more.
fn shapes(count: usize) -> Vec<(&'static str, Format, String)> {
    let numbered = |text: fn(usize) -> String| (0..count).map(text).collect::<String>();
    vec![
        ("unknown keys", Format::Toml, numbered(|n| format!("key_{n} = 1\n"))),
        ("one key again and again", Format::Toml, "worker.lanes = 1\n".repeat(count)),
        ("one table again and again", Format::Toml, "[worker]\n".repeat(count)),
        ("tables in a list", Format::Toml, "[[worker]]\n".repeat(count)),
        ("brackets", Format::Toml, format!("a = {}", "[".repeat(count))),
        ("inline tables", Format::Toml, format!("a = {}", "{b=".repeat(count))),
        ("a long dotted key", Format::Toml, format!("{}b = 1", "a.".repeat(count))),
        (
            "a long name and many keys below it",
            Format::Toml,
            format!("[{}]\n{}", "k".repeat(count), numbered(|n| format!("k{n}=1\n"))),
        ),
        ("garbage", Format::Toml, "]\n".repeat(count)),
        ("carriage returns", Format::Toml, "\r".repeat(count)),
        ("quotes", Format::Toml, format!("a = '''{}", "'".repeat(count))),
        ("comments", Format::Toml, "# a comment\n".repeat(count)),
        ("subsystems", Format::Toml, numbered(|n| format!("[subsystem.s{n}.worker]\nlanes = {n}\n"))),
        (
            "subsystems and dependencies",
            Format::Toml,
            numbered(|n| format!("[subsystem.s{n}.dependencies.d{n}]\n[dependencies.d{n}]\n")),
        ),
        ("conflicts", Format::Toml, numbered(|n| format!("[dependencies.d{n}]\nfallback_allowed = true\n"))),
        ("words in a list", Format::Toml, format!("telemetry.sinks = [{}]", "\"journal\",".repeat(count))),
        ("keys in one line", Format::Json, format!("{{{}\"z\": 1}}", numbered(|n| format!("\"key_{n}\": 1,")))),
        ("one key again and again", Format::Json, format!("{{{}\"a\": 1}}", "\"a\": 1,".repeat(count))),
        ("brackets", Format::Json, "[".repeat(count)),
        ("braces", Format::Json, "{\"a\":".repeat(count)),
        ("a long text", Format::Json, format!("{{\"worker\": \"{}\"}}", "x".repeat(count))),
        ("a long number", Format::Json, format!("{{\"worker\": {{\"lanes\": {}}}}}", "9".repeat(count))),
        ("escapes", Format::Json, format!("{{\"{}\": 1}}", "\\u0041".repeat(count))),
    ]
}

#[test]
fn work_grows_with_the_input_and_not_with_its_square() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Without limits: what is measured is how reading grows, not how well it is cut off.
    let mut limits = Limits::default();
    (limits.bytes, limits.keys, limits.depth) = (usize::MAX, usize::MAX, 64);
    for ((name, format, small), (_, _, large)) in shapes(500).into_iter().zip(shapes(4_000)) {
        let (few, many) = (work(format, &small, limits), work(format, &large, limits));
        println!("{name}, {format:?}: {few} bytes, then {many}");
        // Eight times the input: less than sixteen times the work, where a square would be sixty-four.
        assert!(many < few.saturating_mul(16) + (1 << 16), "{name}, {format:?}: {few} bytes, then {many}");
    }
}

#[test]
fn the_limits_bound_what_one_input_costs() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let limits = Limits::default();
    // As many things as are read at the most, and as many bytes.
    for (name, format, text) in shapes(limits.keys - 10).into_iter().chain(shapes(limits.bytes / 4)) {
        let text = text.get(..limits.bytes).unwrap_or(&text);
        let bytes = work(format, text, limits);
        println!("{name}, {format:?}: {} bytes read, {bytes} asked for", text.len());
        assert!(bytes < 1_500 * limits.bytes, "{name}, {format:?}: {bytes}");
    }
}

/// Everything that there is to mutate: the broken configurations, the template, its JSON.
fn seeds() -> Vec<(Format, Vec<u8>)> {
    let mut files: Vec<PathBuf> =
        fs::read_dir("tests/broken").expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let of = |path: &PathBuf| match path.extension()?.to_str()? {
        "toml" => Some((Format::Toml, fs::read(path).ok()?)),
        "json" => Some((Format::Json, fs::read(path).ok()?)),
        _ => None,
    };
    let mut seeds: Vec<_> = files.iter().filter_map(of).filter(|(_, bytes)| bytes.len() < 2_000).collect();
    let json = serde_json::to_vec(&countermand_core::config::ExecutionConfig::default()).expect("JSON");
    seeds.extend([(Format::Toml, template().into_bytes()), (Format::Json, json)]);
    seeds
}

#[test]
fn mutated_input_is_answered() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seeds = seeds();
    let mut runner = TestRunner::deterministic();
    let pieces = [
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "=",
        ".",
        ",",
        "\n",
        "\\u",
        "\0",
        "é",
        "# ",
        "\"\"\"",
        "worker",
        "-1",
        "999999999999",
        "null",
    ];
    let edits = proptest::collection::vec((0.0..1.0_f64, 0..4_u8, 0..pieces.len(), 0..20_usize), 1..6);
    let mut runs = 0;
    for round in 0..40 {
        for (index, (format, seed)) in seeds.iter().enumerate() {
            let mut bytes = seed.clone();
            for (place, what, piece, length) in edits.new_tree(&mut runner).expect("edits").current() {
                let at = (place * bytes.len() as f64) as usize;
                let end = (at + length).min(bytes.len());
                match what {
                    0 => drop(bytes.splice(at..end, [])),
                    1 => drop(bytes.splice(at..at, pieces[piece].bytes())),
                    2 => {
                        let part = bytes[at..end].to_vec();
                        drop(bytes.splice(at..at, part));
                    }
                    _ => bytes.truncate(bytes.len() - (bytes.len() - at) / 4),
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            // The other format too, now and then.
            let format = if (round + index) % 10 == 0 { Format::Json } else { *format };
            work(format, &text, Limits::default());
            let environment = Environment::from_text("mutated", &text);
            let answer = Loader::new()
                .environment(environment)
                .flag(text.chars().take(20).collect::<String>(), text.as_ref())
                .load();
            assert!(answer.is_err(), "a flag of nonsense was taken");
            runs += 2;
        }
    }
    println!("{runs} inputs");
    assert!(runs > 4_000);
}
