//! Two reports side by side: whether they speak of the same contract, and where their verdicts differ.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::json::Suite;

/// Whether they agree, and for people what they do not agree in.
///
/// # Errors
///
/// When one of them is no report, with its line and column.
pub(crate) fn compare(names: [&str; 2], texts: [&str; 2]) -> Result<(bool, String), String> {
    let [old, new] =
        [0, 1].map(|nth| serde_json::from_str::<Suite>(texts[nth]).map_err(|error| format!("{}: {error}", names[nth])));
    let (old, new) = (old?, new?);
    let mut out = String::new();
    for (name, suite) in names.iter().zip([&old, &new]) {
        let _ = writeln!(out, "{name}: {}, contract {}", suite.suite, suite.contract);
    }
    let same_contract = old.contract == new.contract;
    let _ = writeln!(out, "the contract is {}", if same_contract { "the same" } else { "another" });
    let [old, new] = [verdicts(&old), verdicts(&new)];
    let mut differing = 0;
    let mut rewritten: Vec<&str> = Vec::new();
    for (key, (text, verdict)) in &new {
        let line = match old.get(key) {
            None => format!("{verdict}, and was not examined before"),
            Some((_, before)) if before != verdict => format!("{before} before, {verdict} now"),
            Some(_) => String::new(),
        };
        if old.get(key).is_some_and(|(before, _)| before != text) && !rewritten.contains(&key.1) {
            rewritten.push(key.1);
        }
        if !line.is_empty() {
            differing += 1;
            let _ = writeln!(out, "{} {}: {line}", key.0, key.1);
        }
    }
    for (key, (_, verdict)) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        differing += 1;
        let _ = writeln!(out, "{} {}: {verdict} before, and not examined now", key.0, key.1);
    }
    if !rewritten.is_empty() {
        let _ = writeln!(out, "rules whose text is another: {}", rewritten.join(" "));
    }
    let _ = writeln!(out, "{differing} of {} verdicts differ", new.len().max(old.len()));
    Ok((differing == 0 && rewritten.is_empty() && same_contract, out))
}

/// By host and rule: the hash of the text, and the verdict.
fn verdicts(suite: &Suite) -> BTreeMap<(&str, &str), (&str, &str)> {
    let mut verdicts = BTreeMap::new();
    for host in &suite.hosts {
        for rule in &host.rules {
            verdicts.insert((&*host.name, &*rule.id), (&*rule.text, &*rule.verdict));
        }
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(contract: &str, rules: &[(&str, &str, &str)]) -> String {
        let rules: Vec<_> = rules
            .iter()
            .map(|(id, text, verdict)| {
                serde_json::json!({ "id": id, "text": text, "verdict": verdict, "why": null, "runs": 1, "raced": 0,
                    "less_than": null, "millis": 3 })
            })
            .collect();
        let host = serde_json::json!({ "name": "sim", "version": "1", "profile": [], "rules": rules });
        serde_json::json!({ "suite": "s", "seed": 1, "contract": contract, "hosts": [host] }).to_string()
    }

    #[test]
    fn what_differs_is_named() {
        let names = ["old.json", "new.json"];
        let old = report("c", &[("T1", "a", "pass"), ("T2", "b", "pass")]);
        let (same, text) = compare(names, [&old, &old]).expect("they are reports");
        assert!(same && text.contains("0 of 2 verdicts differ") && text.contains("the contract is the same"), "{text}");
        let new = report("d", &[("T1", "a", "fail"), ("T2", "c", "pass"), ("T3", "e", "pass")]);
        let (same, text) = compare(names, [&old, &new]).expect("they are reports");
        assert!(!same, "{text}");
        for line in [
            "sim T1: pass before, fail now",
            "sim T3: pass, and was not examined before",
            "rules whose text is another: T2",
            "the contract is another",
            "2 of 3 verdicts differ",
        ] {
            assert!(text.lines().any(|seen| seen == line), "{line}: {text}");
        }
        let (_, back) = compare(names, [&new, &old]).expect("they are reports");
        assert!(back.contains("sim T3: pass before, and not examined now"), "{back}");
        assert!(compare(names, [&old, "{}"]).expect_err("no report").starts_with("new.json: missing field"));
    }
}
