//! The house stands straight: a file of the core names only what lies below it, no two files of a room name each other, and one file alone names the environment.
#![cfg(feature = "std")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The floors from the ground up, each with its rooms: files, or folders with all that is in them. A floor may have steps, of which a
/// higher one names the lower. A room names only what is lower than itself; the words and the environment of the ground lean on
/// each other.
const FLOORS: [&[&[&str]]; 6] = [
    // Ground: words, environment.
    &[&[
        "cause",
        "errand",
        "error",
        "host",
        "id",
        "instant",
        "observer",
        "origin",
        "outcome",
        "priority",
        "rejected",
        "shutdown",
        "step",
        "telemetry",
        "text", // words
        "contain",
        "mutant",
        "size",
        "spelt",
        "sync", // environment
    ]],
    // Tools.
    &[
        &[
            "bell",
            "bits",
            "books",
            "discipline",
            "histogram",
            "port",
            "prefetch",
            "roster",
            "shelf",
            "slot",
            "spin",
            "stock",
            "timers",
            "turn",
        ],
        &["metrics"],
    ],
    // Holdings.
    &[
        &["config", "ending", "guard", "held", "priority_queue", "token"],
        &["held_router", "policies", "router", "timed"],
        &["clockwork"],
    ],
    // Jobs.
    &[&["job"], &["handle", "queue"]],
    // Machine.
    &[
        &["call", "held_worker", "lane", "places"],
        &["driver_port"],
        &["shared"],
        &["watchdog", "wind_down"],
        &["driver"],
        &["keeper"],
    ],
    // Door.
    &[&["submit", "wait"], &["worker"], &["delivery", "drive", "preflight", "scope"], &["assembly"]],
];

/// What the house takes from its surroundings only through `sync`, which swaps it for the target and for the model checker; and clocks,
/// which it takes from nowhere. (`mutant` keeps the switch of the defects, which must not be swapped; `origin` translates the
/// times of `std` that hosts read, and decides nothing.)
const ENVIRONMENT: [&[&str]; 9] = [
    &["core", "sync"],
    &["std", "sync"],
    &["alloc", "sync"],
    &["portable_atomic"],
    &["critical_section"],
    &["loom"],
    &["shuttle"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
];

#[test]
fn a_room_names_only_what_is_below() {
    let source = source();
    let roof = &source["lib"];
    // Which room a name comes from that the roof hands out, as `Cause` comes from `cause`.
    let handed: BTreeMap<&str, &str> =
        roof.iter().filter_map(|path| Some((path.last()?.as_str(), path.first()?.as_str()))).collect();
    let mut faults = Vec::new();
    let mut named = 0;
    for (file, paths) in source.iter().filter(|(file, _)| *file != "lib") {
        let room = file.split('/').next().expect("a path has a first part");
        let Some(own) = step_of(room) else {
            faults.push(format!("{file}.rs stands on no floor: give `{room}` its place in FLOORS"));
            continue;
        };
        for path in paths {
            let Some(first) = first_below_the_roof(file, path) else { continue };
            named += 1;
            let other = handed.get(first).copied().unwrap_or(first);
            let lower = match step_of(other) {
                Some(step) => step < own || (step == (0, 0) && own == (0, 0)),
                None => false,
            };
            if other != room && !lower {
                faults.push(format!("{file}.rs names {}, but `{other}` is not below `{room}`", path.join("::")));
            }
        }
    }
    println!("{} files name {named} things of the house", source.len());
    assert!(source.len() > 10 && named > 10, "the files of the house were not found");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn no_two_files_of_a_room_name_each_other() {
    let source = source();
    let names: BTreeMap<&str, Vec<&str>> = source
        .iter()
        .map(|(file, paths)| {
            let named = paths.iter().filter_map(|path| named_beside(file, path));
            let named = named.filter_map(|other| Some(source.get_key_value(&other)?.0.as_str()));
            (file.as_str(), named.filter(|other| other != file).collect())
        })
        .collect();
    let circles: Vec<String> = names.keys().filter_map(|file| circle_at(&names, file)).collect();
    let arrows: usize = names.values().map(Vec::len).sum();
    println!("{arrows} times a file names another of its room");
    assert!(arrows > 100, "the files of the rooms were not found");
    assert!(circles.is_empty(), "{} circles:\n{}", circles.len(), circles.join("\n"));
}

#[test]
fn one_file_names_the_environment() {
    let mut faults = Vec::new();
    let mut by_sync = 0;
    for (file, paths) in source() {
        for path in paths {
            let forbidden = ENVIRONMENT
                .iter()
                .any(|forbidden| path.iter().zip(*forbidden).filter(|(a, b)| a == b).count() == forbidden.len());
            match file.as_str() {
                "mutant" | "origin" => {}
                "sync" => by_sync += usize::from(forbidden),
                _ if forbidden => faults.push(format!("{file}.rs names {}; only sync.rs may", path.join("::"))),
                _ => {}
            }
        }
    }
    assert!(by_sync > 3, "sync.rs itself was not seen to name anything");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_crooked_house_is_seen() {
    let text = r#"
        use crate::{a::{B, C as D}, e::*, self};
        #[cfg(test)]
        mod tests { use crate::unseen; }
        /// [`crate::unseen`]
        fn f() { m! { crate::g::h(super::i::J) } std::sync::Mutex::new("crate::unseen"); }
        #[cfg(all(test, feature = "std"))]
        use crate::unseen;
        use std::{fmt, sync::{Arc, Mutex}};
    "#;
    let paths: Vec<String> = paths_of(text.parse().expect("Rust")).iter().map(|path| path.join("::")).collect();
    let expected = "crate::a::B crate::a::D crate::e::* crate::self crate::g::h super::i::J std::sync::Mutex::new std::fmt std::sync::Arc std::sync::Mutex";
    assert_eq!(paths.join(" "), expected);
    assert_eq!(first_below_the_roof("a", &["super".into(), "b".into()]), Some("b"));
    assert_eq!(first_below_the_roof("a/b", &["super".into(), "c".into()]), None);
    assert_eq!(first_below_the_roof("a/b", &["super".into(), "super".into(), "c".into()]), Some("c"));
    assert_eq!(first_below_the_roof("a/mod", &["super".into(), "c".into()]), Some("c"));
    let beside = |file, path: &str| named_beside(file, &path.split("::").map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(beside("a/b", "super::c::D").as_deref(), Some("a/c"));
    assert_eq!(beside("a/b", "crate::a::c::D").as_deref(), Some("a/c"));
    assert_eq!((beside("a/b", "crate::e::c::D"), beside("a", "super::c::D")), (None, None));
    let names = BTreeMap::from([("a", vec!["b"]), ("b", vec!["c"]), ("c", vec!["b"])]);
    assert_eq!((circle_at(&names, "a"), circle_at(&names, "b").as_deref()), (None, Some("b names c names b")));
}

/// The floor of a room, and its step on that floor.
fn step_of(room: &str) -> Option<(usize, usize)> {
    let on_floor = |floor: usize| Some((floor, FLOORS[floor].iter().position(|step| step.contains(&room))?));
    (0..FLOORS.len()).find_map(on_floor)
}

/// The name directly below the crate's root that `path`, written in `file`, leads to.
fn first_below_the_roof<'a>(file: &str, path: &'a [String]) -> Option<&'a str> {
    let up = path.iter().take_while(|part| *part == "super").count();
    let depth = file.trim_end_matches("/mod").split('/').count();
    match path.first()?.as_str() {
        "crate" => path.get(1),
        "super" if up >= depth => path.get(up),
        _ => None,
    }
    .map(String::as_str)
}

/// The file beside `file`, in the same folder of its room, that `path` leads to. What a folder's face hands on is no way to a file.
fn named_beside(file: &str, path: &[String]) -> Option<String> {
    let (folder, _) = file.rsplit_once('/')?;
    let above: Vec<&str> = match path.first()?.as_str() {
        "super" if !file.ends_with("/mod") => vec!["super"],
        "crate" => std::iter::once("crate").chain(folder.split('/')).collect(),
        _ => return None,
    };
    let other = path.strip_prefix(&above.iter().map(|&part| part.to_owned()).collect::<Vec<_>>()[..])?.first()?;
    Some(format!("{folder}/{other}"))
}

/// The shortest way from a file back to itself, if there is one.
fn circle_at(names: &BTreeMap<&str, Vec<&str>>, file: &str) -> Option<String> {
    let mut ways: Vec<Vec<&str>> = vec![vec![file]];
    let mut seen = Vec::new();
    let mut next = 0;
    while let Some(way) = ways.get(next).cloned() {
        next += 1;
        for &other in &names[way[way.len() - 1]] {
            if other == file {
                return Some(way.join(" names ") + " names " + file);
            }
            if !seen.contains(&other) {
                seen.push(other);
                ways.push([&way[..], &[other]].concat());
            }
        }
    }
    None
}

/// All files of the crate, by their paths without ending, each with all paths that it names outside of its tests.
fn source() -> BTreeMap<String, Vec<Vec<String>>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    let named = files.into_iter().map(|file| {
        let text = fs::read_to_string(&file).expect("a readable file");
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.strip_prefix(&src).expect("below src").with_extension("");
        (name.to_str().expect("UTF-8").replace('\\', "/"), paths_of(tokens))
    });
    // Tests and models may look anywhere.
    named.filter(|(name, _)| !name.split('/').any(|part| ["tests", "loom", "models"].contains(&part))).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// All paths of at least two parts, in the order of the text, without what stands under `#[cfg(test)]`.
fn paths_of(tokens: TokenStream) -> Vec<Vec<String>> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut paths = Vec::new();
    let mut next = 0;
    while next < tokens.len() {
        match &tokens[next] {
            TokenTree::Punct(hash) if hash.as_char() == '#' && is_cfg_test(tokens.get(next + 1)) => {
                // The item ends with its body or its semicolon.
                next += 2;
                while next < tokens.len() && !ends_item(&tokens[next]) {
                    next += 1;
                }
                next += 1;
            }
            TokenTree::Ident(_) if is_separator(&tokens, next + 1) => {
                let mut leaves = Vec::new();
                next = tree(&tokens, next, &mut Vec::new(), &mut leaves);
                paths.append(&mut leaves);
            }
            TokenTree::Group(group) => {
                paths.append(&mut paths_of(group.stream()));
                next += 1;
            }
            _ => next += 1,
        }
    }
    paths
}

/// Reads one path, or a tree of them as in `use`, from `next` on; returns where it ends.
fn tree(tokens: &[TokenTree], mut next: usize, path: &mut Vec<String>, leaves: &mut Vec<Vec<String>>) -> usize {
    let depth = path.len();
    loop {
        match tokens.get(next) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut at = 0;
                while at < inner.len() {
                    // Past the comma.
                    at = tree(&inner, at, path, leaves) + 1;
                }
                path.truncate(depth);
                return next + 1;
            }
            Some(TokenTree::Ident(part)) => path.push(part.to_string()),
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => path.push("*".into()),
            _ => {}
        }
        next += 1;
        if !is_separator(tokens, next) {
            break;
        }
        // A turbofish ends what names a thing of the house.
        if matches!(tokens.get(next + 2), Some(TokenTree::Punct(angle)) if angle.as_char() == '<') {
            next += 2;
            break;
        }
        next += 2;
    }
    if let (Some(TokenTree::Ident(word)), Some(TokenTree::Ident(name))) = (tokens.get(next), tokens.get(next + 1)) {
        if word == "as" && depth > 0 {
            path.pop();
            path.push(name.to_string());
            next += 2;
        }
    }
    leaves.push(path.clone());
    path.truncate(depth);
    next
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(colon)) if colon.as_char() == ':');
    is_colon(at) && is_colon(at + 1)
}

fn is_cfg_test(attribute: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(attribute)) = attribute else { return false };
    let text = attribute.to_string().replace(char::is_whitespace, "");
    text.starts_with("[cfg(test)") || text.starts_with("[cfg(all(test,") || text.starts_with("[cfg(any(test,")
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    }
}
