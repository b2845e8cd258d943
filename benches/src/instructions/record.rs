//! What the paths took when it was last decided that this is right. It is changed in a commit that says why.

use std::collections::BTreeMap;
use std::error::Error;
use std::{fs, io};

use serde_json::{Map, Value, json};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// Instructions by the name of their path.
#[derive(Debug, PartialEq)]
pub(super) struct Record {
    /// By which compiler's code.
    pub(super) compiler: String,
    paths: BTreeMap<String, f64>,
}

impl Record {
    pub(super) fn new<'a>(compiler: String, paths: impl IntoIterator<Item = (&'a str, f64)>) -> Self {
        let tenths = |count: f64| (count * 10.0).round() / 10.0;
        let paths = paths.into_iter().map(|(name, count)| (name.to_owned(), tenths(count))).collect();
        Self { compiler, paths }
    }

    /// What is recorded, if anything is.
    pub(super) fn read() -> Result<Option<Self>, Box<dyn Error>> {
        match fs::read_to_string(FILE) {
            Ok(text) => Ok(Some(Self::parse(&text).map_err(|wrong| format!("instructions.json: {wrong}"))?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("instructions.json cannot be read: {error}").into()),
        }
    }

    fn parse(text: &str) -> Result<Self, Box<dyn Error>> {
        let value: Value = serde_json::from_str(text)?;
        let compiler = value["rustc"].as_str().ok_or("there is no text `rustc`")?.to_owned();
        let paths = value["paths"].as_object().ok_or("there is no object `paths`")?;
        let number = |(name, count): (&String, &Value)| {
            let count = count.as_f64().ok_or_else(|| format!("`{name}` is no number"))?;
            Ok((name.clone(), count))
        };
        Ok(Self { compiler, paths: paths.iter().map(number).collect::<Result<_, Box<dyn Error>>>()? })
    }

    fn text(&self) -> String {
        let paths: Map<_, _> = self.paths.iter().map(|(name, count)| (name.clone(), json!(count))).collect();
        format!("{:#}\n", json!({ "rustc": self.compiler, "paths": paths }))
    }

    /// Writes it down, and says where.
    pub(super) fn write(&self) -> Result<&'static str, Box<dyn Error>> {
        fs::write(FILE, self.text()).map_err(|error| format!("instructions.json cannot be written: {error}"))?;
        Ok("instructions.json")
    }

    pub(super) fn of(&self, path: &str) -> Option<f64> {
        self.paths.get(path).copied()
    }

    /// Whether this is more than so many times what is recorded. A path that is not recorded is.
    pub(super) fn is_exceeded_by(&self, path: &str, count: f64, times: f64) -> bool {
        self.of(path).is_none_or(|before| count > before * times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record::new("rustc 1".to_owned(), [("token check", 8.04), ("clone", 11.0)])
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Record::parse(&record().text()).expect("it is whole"), record());
        assert_eq!(record().of("token check"), Some(8.0));
    }

    #[test]
    fn a_tenth_more_is_too_much_and_so_is_what_nobody_recorded() {
        assert!(!record().is_exceeded_by("clone", 12.0, 1.1));
        assert!(record().is_exceeded_by("clone", 12.2, 1.1));
        assert!(record().is_exceeded_by("settle", 1.0, 1.1));
    }

    #[test]
    fn a_broken_record_is_named() {
        let wrong = |text| Record::parse(text).expect_err("it is broken").to_string();
        assert!(wrong("{}").contains("rustc"));
        assert!(wrong(r#"{"rustc": "1", "paths": {"clone": "x"}}"#).contains("`clone` is no number"));
    }
}
