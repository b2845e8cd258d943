//! The contract as text: what `RULES.md` says under each number.

use std::sync::OnceLock;

/// The file itself.
pub(crate) const TEXT: &str = include_str!("../RULES.md");

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
}

impl Article {
    /// The letter before the number.
    pub(crate) fn group(&self) -> &str {
        self.id.trim_end_matches(|c: char| c.is_ascii_digit())
    }
}

/// All rules in the order of the file.
pub(crate) fn articles() -> &'static [Article] {
    static ARTICLES: OnceLock<Vec<Article>> = OnceLock::new();
    ARTICLES.get_or_init(|| parse(TEXT))
}

/// The rule of this number, in either case.
pub(crate) fn article(id: &str) -> Option<&'static Article> {
    articles().iter().find(|article| article.id.eq_ignore_ascii_case(id))
}

/// Whether `what` is the number of this rule or the letter of its group, in either case.
pub(crate) fn is_in_group(article: &Article, what: &str) -> bool {
    article.id.eq_ignore_ascii_case(what) || article.group().eq_ignore_ascii_case(what)
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
                let article =
                    Article { id: id.to_owned(), text: text.to_owned(), chapter: chapter.clone(), reading: None };
                articles.push(article);
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
    fn texts_are_whole() {
        let t12 = article("t12").expect("T12 is in the file");
        assert!(t12.text.starts_with("A callback runs exactly once"), "{t12:?}");
        assert!(t12.text.ends_with("Their order is unspecified."), "{t12:?}");
        assert_eq!(t12.chapter, "Token");
        let last_of_x = article("X5").expect("X5 is in the file");
        assert!(last_of_x.text.ends_with("the counts show it."), "{last_of_x:?}");
    }
}
