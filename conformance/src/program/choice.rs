//! Which hosts and rules are meant, and what there is to say of them.

use std::collections::BTreeSet;

use crate::board::Board;
use crate::contract::{Article, article, articles, is_in_group};
use crate::{Candidate, Rule, board, rules};

pub(super) fn chosen_hosts(names: &[String], candidates: &[Candidate]) -> Result<Vec<Candidate>, String> {
    if names.is_empty() {
        return Ok(candidates.to_vec());
    }
    let all = || candidates.iter().copied().chain(board::ALL);
    for name in names {
        if !all().any(|candidate| candidate.name() == name) {
            let known: Vec<_> = all().map(|candidate| candidate.name()).collect();
            return Err(format!("no host is called {name:?}; there are: {}", known.join(", ")));
        }
    }
    Ok(all().filter(|candidate| names.iter().any(|name| name == candidate.name())).collect())
}

/// Some things take a process of this program.
pub(super) fn no_board(hosts: &[Candidate], what: &str) -> Result<(), String> {
    match hosts.iter().find(|host| host.as_board().is_some()) {
        None => Ok(()),
        Some(board) => Err(format!("{} is a board under an emulator; {what} on hosts of this machine", board.name())),
    }
}

pub(super) fn chosen_rules(ids: &[String], groups: &[String]) -> Result<Vec<&'static Rule>, String> {
    for id in ids {
        if !rules::all().any(|rule| rule.id().eq_ignore_ascii_case(id)) {
            return Err(not_here(id));
        }
    }
    for group in groups {
        if !rules::all().any(|rule| rule.group().eq_ignore_ascii_case(group)) {
            return Err(not_here(group));
        }
    }
    let all = ids.is_empty() && groups.is_empty();
    let named = |name: &str, list: &[String]| list.iter().any(|listed| listed.eq_ignore_ascii_case(name));
    Ok(rules::all().filter(|rule| all || named(rule.id(), ids) || named(rule.group(), groups)).collect())
}

/// Why a rule, or a whole group, cannot be examined.
fn not_here(what: &str) -> String {
    if left_out().any(|article| is_in_group(article, what)) {
        return format!("{what} is in the contract, but this program was built without the feature that has it");
    }
    let groups: BTreeSet<_> = rules::all().map(Rule::group).collect();
    let groups: Vec<_> = groups.into_iter().collect();
    format!("the contract has no {what:?}; groups in the program: {}; --list shows the rules", groups.join(", "))
}

/// The rules of the contract that this build does not have.
fn left_out() -> impl Iterator<Item = &'static Article> {
    articles().iter().filter(|article| !rules::all().any(|rule| rule.id() == article.id))
}

pub(super) fn list(hosts: &[Candidate], chosen: &[&Rule]) -> String {
    let mut text = String::new();
    for host in hosts {
        text += &format!("host {} {} ({})\n", host.name(), host.version(), host.profile());
    }
    for rule in chosen {
        text += &format!("{:4} {}\n", rule.id(), rule.title());
    }
    let ids: Vec<&str> = left_out().map(|article| article.id.as_str()).collect();
    if !ids.is_empty() {
        text += &format!("not in this build: {}\n", ids.join(" "));
    }
    text
}

pub(super) fn explain(id: &str, candidates: &[Candidate]) -> Result<String, String> {
    let article = article(id).ok_or_else(|| not_here(id))?;
    let mut text = format!("{} ({})\n\n{}\n", article.id, article.chapter, article.text);
    if let Some(reading) = &article.reading {
        text += &format!("\nReading: {reading}\n");
    }
    match rules::all().find(|rule| rule.id() == article.id) {
        None => text += &format!("\n{}\n", not_here(&article.id)),
        Some(rule) => {
            text += &format!("\nExamined by: {}\n", rule.name());
            if rule.is_once() {
                text += "It says nothing of a host, and is examined on the first one only.\n";
            }
            for candidate in candidates {
                // An image without a heap says itself what it does not ask.
                if candidate.as_board().is_some_and(Board::has_no_heap) {
                    continue;
                }
                let missing = rule.needs().beyond(candidate.profile()).to_string();
                if !missing.is_empty() {
                    text +=
                        &format!("Not applicable on {}: it declares a target without {missing}\n", candidate.name());
                }
            }
        }
    }
    Ok(text)
}
