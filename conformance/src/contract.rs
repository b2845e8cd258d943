//! The contract as text: what `RULES.md` says under each number, and what `ORIGINS.md` adds.

use std::sync::OnceLock;

#[cfg(feature = "program")]
use sha2::{Digest as _, Sha256};

/// The file itself.
pub(crate) const TEXT: &str = include_str!("../RULES.md");

/// Where the rules come from, and which have no mutant.
pub(crate) const ORIGINS: &str = include_str!("../ORIGINS.md");

/// A rule as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Article {
    /// `J4`.
    pub(crate) id: String,
    /// The text after the number, as one line.
    pub(crate) text: String,
    /// The heading it stands under, such as `Job`.
    pub(crate) chapter: String,
    /// A stricter or clearer reading, where one is recorded.
    pub(crate) reading: Option<String>,
    /// A bug that was found in public, which it would have shown.
    pub(crate) origin: Option<String>,
    /// Why no mutant breaks it, or why none that is run can show it.
    pub(crate) unbroken: Option<String>,
}

impl Article {
    /// The letter before the number.
    pub(crate) fn group(&self) -> &str {
        self.id.trim_end_matches(|c: char| c.is_ascii_digit())
    }

    /// What tells this text, with its reading, from any other: the first eight bytes of its SHA-256, in hexadecimal.
    #[cfg(feature = "program")]
    pub(crate) fn hash(&self) -> String {
        let mut hash = Sha256::new();
        self.write_to(&mut hash);
        hex(&hash.finalize())
    }

    #[cfg(feature = "program")]
    fn write_to(&self, hash: &mut Sha256) {
        for part in [&self.id, &self.text, self.reading.as_deref().unwrap_or_default()] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
    }
}

/// What tells the whole contract from any other: as for one rule, over all of them in their order.
#[cfg(feature = "program")]
pub(crate) fn hash() -> String {
    let mut hash = Sha256::new();
    articles().iter().for_each(|article| article.write_to(&mut hash));
    hex(&hash.finalize())
}

#[cfg(feature = "program")]
fn hex(digest: &[u8]) -> String {
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// All rules in the order of the file.
pub(crate) fn articles() -> &'static [Article] {
    static ARTICLES: OnceLock<Vec<Article>> = OnceLock::new();
    ARTICLES.get_or_init(|| {
        let mut articles = parse(TEXT);
        for (chapter, id, text) in notes(ORIGINS) {
            if let Some(article) = articles.iter_mut().find(|article| article.id == id) {
                let place = if chapter == "Origins" { &mut article.origin } else { &mut article.unbroken };
                *place = Some(text);
            }
        }
        articles
    })
}

/// The rule of this number, in either case.
pub(crate) fn article(id: &str) -> Option<&'static Article> {
    articles().iter().find(|article| article.id.eq_ignore_ascii_case(id))
}

/// Whether `what` is the number of this rule or the letter of its group, in either case.
pub(crate) fn is_in_group(article: &Article, what: &str) -> bool {
    article.id.eq_ignore_ascii_case(what) || article.group().eq_ignore_ascii_case(what)
}

/// What is said in this file of each number, with the heading that it stands under. Each is one line.
fn notes(file: &str) -> Vec<(String, String, String)> {
    let mut chapter = "";
    let mut notes = Vec::new();
    for line in file.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            chapter = heading;
        } else if let Some((id, text)) = line.strip_prefix("- **").and_then(|rest| rest.split_once("** ")) {
            notes.push((chapter.to_owned(), id.to_owned(), text.to_owned()));
        }
    }
    notes
}

fn parse(file: &str) -> Vec<Article> {
    let mut articles: Vec<Article> = Vec::new();
    let mut chapter = String::new();
    let mut open = false;
    let mut reading_of = None;
    for line in file.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            chapter = heading.split_once(". ").map_or(heading, |(_, name)| name).to_owned();
            (open, reading_of) = (false, None);
        } else if let Some((id, text)) = line.strip_prefix("- **").and_then(|rest| rest.split_once("** ")) {
            open = true;
            if chapter == "Readings" {
                reading_of = articles.iter().position(|article| article.id == id);
                if let Some(place) = reading_of {
                    articles[place].reading = Some(text.to_owned());
                }
            } else if is_number(id) {
                articles.push(Article {
                    id: id.to_owned(),
                    text: text.to_owned(),
                    chapter: chapter.clone(),
                    reading: None,
                    origin: None,
                    unbroken: None,
                });
            } else {
                open = false;
            }
        } else if line.trim().is_empty() {
            open = false;
        } else if open {
            let text = match reading_of {
                Some(place) => articles[place].reading.as_mut(),
                None => articles.last_mut().map(|article| &mut article.text),
            };
            if let Some(text) = text {
                text.push(' ');
                text.push_str(line.trim());
            }
        }
    }
    articles
}

/// A letter and then digits: the words of the glossary are bold too.
fn is_number(id: &str) -> bool {
    let mut chars = id.chars();
    chars.next().is_some_and(|c| c.is_ascii_uppercase()) && id.len() > 1 && chars.all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    #[test]
    fn every_rule_of_the_file_is_code() {
        for article in articles() {
            let known = rules::all().any(|rule| rule.id() == article.id);
            assert!(known, "{} is in the file, and not in the program", article.id);
        }
    }

    #[test]
    fn every_rule_of_the_program_is_in_the_file_once() {
        for rule in rules::all() {
            assert_eq!(articles().iter().filter(|article| article.id == rule.id()).count(), 1, "{rule:?}");
            assert_eq!(rules::all().filter(|other| other.id() == rule.id()).count(), 1, "{rule:?}");
        }
    }

    #[test]
    fn a_function_begins_with_its_number() {
        for rule in rules::all() {
            assert!(rule.name().starts_with(&format!("{}_", rule.id().to_lowercase())), "{rule:?}");
        }
    }

    #[test]
    fn what_is_noted_is_of_a_rule_once() {
        let notes = notes(ORIGINS);
        assert!(notes.len() > 40, "{}", notes.len());
        for (chapter, id, text) in &notes {
            assert!(article(id).is_some_and(|article| article.id == *id), "{id} is in no contract");
            let times = notes.iter().filter(|(other, same, _)| other == chapter && same == id).count();
            assert_eq!(times, 1, "{id} under {chapter}");
            assert!(text.ends_with('.'), "{id}: {text}");
            assert!(chapter != "Origins" || text.contains('#'), "{id} names no bug: {text}");
        }
    }

    #[cfg(all(feature = "program", feature = "mutants"))]
    #[test]
    fn every_rule_has_a_mutant_or_an_argument() {
        let suspects = crate::mutants::Suspect::all();
        for article in articles() {
            let has_mutant = suspects.iter().any(|suspect| suspect.rule() == article.id);
            assert_ne!(has_mutant, article.unbroken.is_some(), "{} has a mutant: {has_mutant}", article.id);
        }
    }

    #[cfg(feature = "program")]
    #[test]
    fn a_word_more_is_another_contract() {
        let t1 = article("T1").expect("T1 is in the file");
        let mut other = t1.clone();
        assert_eq!((other.hash(), t1.hash().len()), (t1.hash(), 16));
        other.text.push('!');
        assert_ne!(other.hash(), t1.hash());
        let mut moved = t1.clone();
        moved.reading = Some(moved.text.split_off(10));
        assert_ne!(moved.hash(), t1.hash());
    }

    #[test]
    fn texts_are_whole() {
        let t12 = article("t12").expect("T12 is in the file");
        assert!(t12.text.starts_with("A callback runs exactly once"), "{t12:?}");
        assert!(t12.text.ends_with("Their order is unspecified."), "{t12:?}");
        assert_eq!(t12.chapter, "Token");
        let last_of_x = article("X5").expect("X5 is in the file");
        assert!(last_of_x.text.ends_with("the counts show it."), "{last_of_x:?}");
    }
}
