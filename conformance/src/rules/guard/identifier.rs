//! Identifiers, and what is none.

use countermand_core::{
    BlueprintId, CheckId, DependencyPolicy, Event, Guard, IdError, IdFault, Identifier, KernelId, Reason, RunId,
    SeedId, SubsystemId, TrainingRunId, identifier,
};

use crate::{Bench, Check, Flaw, ensure, ensure_eq};

identifier! {
    /// One that a user makes.
    struct TenantId = "tenant";
}

/// Said again here, and in another way than the core says it.
const ALLOWED: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+-";

/// How many of those are letters and digits.
const NAMING: usize = 62;

const LONGEST: usize = 96;

pub(super) async fn g1_an_empty_identifier_cannot_be_constructed(bench: &Bench) -> Check {
    let runs = kind::<TenantId>(bench)?
        + kind::<RunId>(bench)?
        + kind::<TrainingRunId>(bench)?
        + kind::<BlueprintId>(bench)?
        + kind::<KernelId>(bench)?
        + kind::<SeedId>(bench)?
        + kind::<SubsystemId>(bench)?
        + kind::<CheckId>(bench)?;
    for text in ["", " ", "\n", "a b", "ä"] {
        ensure!(DependencyPolicy::new(text).is_err(), "there is a policy of the dependency {text:?}");
        let policy = DependencyPolicy::new("kernel").and_then(|policy| policy.allow(text, "a good reason"));
        ensure!(policy.is_err(), "a policy allows the fallback {text:?}");
    }
    through_the_guard()?;
    Ok(runs)
}

fn is_sound(text: &str) -> bool {
    text.len() <= LONGEST
        && text.chars().all(|character| ALLOWED.contains(character))
        && text.chars().any(|character| ALLOWED[..NAMING].contains(character))
}

fn kind<K: Identifier>(bench: &Bench) -> Result<u64, Flaw> {
    let mut runs = 0;
    let mut look = |text: &str| {
        runs += 1;
        one::<K>(text)
    };
    for blank in ["", " ", "  ", "\t", "\r\n", "\u{a0}", "\u{3000}", "\u{200b}", "-", "...", "/"] {
        look(blank)?;
    }
    // Every character alone, in front, inside, and at the end.
    for character in (0..=0x2ff_u32).chain([0x2028, 0xfeff, 0x1f600]).filter_map(char::from_u32) {
        for text in [format!("{character}"), format!("{character}a"), format!("a{character}b"), format!("a{character}")]
        {
            look(&text)?;
        }
    }
    for length in [LONGEST - 1, LONGEST, LONGEST + 1, 255, 256, 65_535, 65_536, 65_632, 1_000_000] {
        look(&"x".repeat(length))?;
        look(&" ".repeat(length))?;
    }
    let mut random = bench.random();
    for _ in 0..bench.rounds(500) {
        let length = random.usize(0..LONGEST + 4);
        let allowed = ALLOWED.as_bytes();
        let mut text: String = (0..length).map(|_| char::from(allowed[random.usize(0..allowed.len())])).collect();
        if random.bool() {
            let place = random.usize(0..=length);
            text.insert(place, random.char(..));
        }
        look(&text)?;
    }
    Ok(runs)
}

fn one<K: Identifier>(text: &str) -> Result<(), Flaw> {
    let shown: String = text.chars().take(40).collect();
    match text.parse::<K>() {
        Ok(id) => {
            ensure!(is_sound(text), "{shown:?} ({} bytes) was accepted as a {} identifier", text.len(), K::KIND);
            ensure_eq!(id.as_ref(), text, "the text of an identifier");
        }
        Err(error) => {
            ensure!(!is_sound(text), "{shown:?} was refused as a {} identifier: {error}", K::KIND);
            says_what(text, &error)?;
        }
    }
    Ok(())
}

/// The error names the kind, and the first fault that there is.
fn says_what(text: &str, error: &IdError) -> Result<(), Flaw> {
    let said = error.to_string();
    ensure!(said.starts_with(error.kind), "an error of a {} identifier reads {said:?}", error.kind);
    ensure!(said.len() < 512 && !said.contains(char::is_control), "what is said of a bad identifier is no short line");
    match error.fault {
        IdFault::Empty => ensure!(text.is_empty(), "{said}"),
        IdFault::Blank => ensure!(!text.chars().any(|character| ALLOWED[..NAMING].contains(character)), "{said}"),
        IdFault::TooLong { length } => ensure!(length == text.len() && length > LONGEST, "{said}"),
        IdFault::Forbidden { character, at } => {
            let first = text.char_indices().find(|(_, character)| !ALLOWED.contains(*character));
            ensure_eq!(Some((at, character)), first, "the first forbidden character of {text:?}");
        }
        other => ensure!(false, "there is a fault that the suite does not know: {other:?}"),
    }
    Ok(())
}

/// A text of somebody else's becomes an identifier or a violation.
fn through_the_guard() -> Result<(), Flaw> {
    let guard = Guard::new(super::id("kasmina")?, |_: &Event| {});
    let kernel = guard.identify::<KernelId>("k1").map_err(|error| Flaw::Broken(error.to_string()))?;
    ensure_eq!(kernel.as_str(), "k1", "the kernel that was identified");
    for text in ["", " ", "k 1", "k1\n"] {
        match guard.identify::<KernelId>(text) {
            Ok(kernel) => ensure!(false, "{text:?} identified the kernel {kernel:?}"),
            Err(violation) => ensure_eq!(violation.reason(), Reason::InvalidIdentifier, "why {text:?} is none"),
        }
    }
    Ok(())
}
