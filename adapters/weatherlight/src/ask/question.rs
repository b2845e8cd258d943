//! What can be asked, as it is written on the line.

use countermand::Stream;
use serde_json::{Value, json};

/// Which dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// These.
    These(Vec<u64>),
    /// All.
    All,
}

/// See the head of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// What became of all packets?
    Ledger,
    /// What is in this stream, and, with `true`, what comes?
    Tail(Stream, bool),
    /// Which dead letters are there?
    DeadLetters,
    /// What is this dead letter?
    DeadLetter(u64),
    /// Route these once more.
    Replay(Numbers),
    /// Throw these away.
    Purge(Numbers),
}

impl Question {
    /// The line, without its end.
    pub(crate) fn line(&self) -> String {
        let numbers = |what: &str, numbers: &Numbers| match numbers {
            Numbers::All => json!({ "ask": what, "all": true }),
            Numbers::These(numbers) => json!({ "ask": what, "numbers": numbers }),
        };
        let line = match self {
            Self::Ledger => json!({ "ask": "ledger" }),
            Self::Tail(stream, follow) => json!({ "ask": "tail", "stream": stream.name(), "follow": follow }),
            Self::DeadLetters => json!({ "ask": "dead_letters" }),
            Self::DeadLetter(number) => json!({ "ask": "dead_letter", "number": number }),
            Self::Replay(which) => numbers("replay", which),
            Self::Purge(which) => numbers("purge", which),
        };
        line.to_string()
    }

    /// The question on this line.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub(crate) fn read(line: &[u8]) -> Result<Self, String> {
        let line: Value = serde_json::from_slice(line).map_err(|error| format!("the question is not JSON: {error}"))?;
        let numbers = || match (line["all"].as_bool(), line["numbers"].as_array()) {
            (Some(true), None) => Ok(Numbers::All),
            (None | Some(false), Some(numbers)) => {
                let numbers: Option<Vec<u64>> = numbers.iter().map(Value::as_u64).collect();
                numbers.map(Numbers::These).ok_or_else(|| "numbers must be whole numbers".to_owned())
            }
            _ => Err("it must say either \"numbers\" or \"all\": true".to_owned()),
        };
        match line["ask"].as_str() {
            Some("ledger") => Ok(Self::Ledger),
            Some("tail") => {
                let named = |stream: &Stream| line["stream"] == stream.name();
                let stream = Stream::ALL.into_iter().find(named).ok_or("stream must be \"normal\" or \"emergency\"")?;
                Ok(Self::Tail(stream, line["follow"].as_bool().unwrap_or(false)))
            }
            Some("dead_letters") => Ok(Self::DeadLetters),
            Some("dead_letter") => {
                line["number"].as_u64().map(Self::DeadLetter).ok_or_else(|| "number must be a whole number".to_owned())
            }
            Some("replay") => numbers().map(Self::Replay),
            Some("purge") => numbers().map(Self::Purge),
            _ => Err("ask must be ledger, tail, dead_letters, dead_letter, replay or purge".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_what_is_read() {
        let questions = [
            Question::Ledger,
            Question::Tail(Stream::Emergency, true),
            Question::Tail(Stream::Normal, false),
            Question::DeadLetters,
            Question::DeadLetter(7),
            Question::Replay(Numbers::These(vec![1, 2])),
            Question::Purge(Numbers::All),
        ];
        for question in questions {
            assert_eq!(Question::read(question.line().as_bytes()), Ok(question));
        }
        for nonsense in ["", "{}", "{\"ask\":\"tail\"}", "{\"ask\":\"purge\"}", "{\"ask\":\"purge\",\"numbers\":[-1]}"]
        {
            assert!(Question::read(nonsense.as_bytes()).is_err(), "{nonsense}");
        }
    }
}
