//! Says what happens: in the log on standard error, and as packets once there is a router.

use std::fmt;
use std::io::{self, Write, stderr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use countermand::config::LogLevel;
use countermand::{Event, Intake, Level};
use serde_json::{Map, Value, json};

use crate::lines::Lines;
use crate::tuned::Tuned;

/// What the log is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line of text for each event.
    #[default]
    Text,
    /// An object of JSON for each event.
    Json,
}

impl LogFormat {
    /// What is written of an event that happens now, without the end of the line.
    fn line(self, event: &Event) -> String {
        match self {
            Self::Text => text(event, SystemTime::now()),
            Self::Json => json_of(event, SystemTime::now()).to_string(),
        }
    }
}

/// How long the end waits for the log to be written.
const FLUSHED: Duration = Duration::from_millis(500);

/// See the head of the file. A clone is the same voice.
#[derive(Clone)]
pub(crate) struct Voice {
    log: Arc<Log>,
    packets: Arc<OnceLock<Box<dyn Intake + Send + Sync>>>,
}

struct Log {
    format: LogFormat,
    tuned: Tuned,
    lines: Lines,
}

impl Voice {
    /// One that writes to standard error what is at least as bad as is set.
    ///
    /// # Errors
    ///
    /// If the system gives no thread to write on.
    pub(crate) fn new(format: LogFormat, tuned: Tuned) -> io::Result<Self> {
        Self::on(format, tuned, stderr())
    }

    /// One that nobody hears.
    #[cfg(test)]
    pub(crate) fn silent() -> Self {
        use countermand::config::ExecutionConfig;

        use crate::tuned::Dials;

        let tuned = Tuned::new(Dials::from(&ExecutionConfig::default()));
        Self::on(LogFormat::Text, tuned, io::sink()).expect("a thread")
    }

    fn on(format: LogFormat, tuned: Tuned, out: impl Write + Send + 'static) -> io::Result<Self> {
        let lost = move |count| {
            let event = Event::new("weatherlight.log_lines_lost", Level::Warning);
            format.line(&event.describe("nobody read them in time").with("count", count))
        };
        let lines = Lines::new(out, lost)?;
        Ok(Self { log: Arc::new(Log { format, tuned, lines }), packets: Arc::default() })
    }

    /// Waits until the log has been written, but not for ever.
    pub(crate) fn flush(&self) {
        // Where nobody reads, it is left at that.
        let _ = self.log.lines.flush(FLUSHED);
    }

    /// From here on events become packets as well. Only the first that is given counts.
    pub(crate) fn also(&self, packets: impl Intake + Send + Sync + 'static) {
        let _ = self.packets.set(Box::new(packets));
    }

    /// Writes an event to the log, and nowhere else: about a packet, which another packet about it would not make better.
    pub(crate) fn log(&self, event: &Event) {
        if !self.says(event.level()) {
            return;
        }
        self.log.lines.say(self.log.format.line(event));
    }
}

impl Voice {
    /// Whether what is as bad as this is written.
    pub(crate) fn says(&self, level: Level) -> bool {
        level_of(level) >= self.log.tuned.read().log_level
    }
}

impl Intake for Voice {
    fn take(&self, event: &Event) {
        self.log(event);
        if let Some(packets) = self.packets.get() {
            packets.take(event);
        }
    }
}

impl fmt::Debug for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voice").field("format", &self.log.format).finish_non_exhaustive()
    }
}

const fn level_of(level: Level) -> LogLevel {
    match level {
        Level::Info => LogLevel::Info,
        Level::Warning => LogLevel::Warning,
        Level::Error => LogLevel::Error,
        Level::Critical => LogLevel::Critical,
    }
}

/// One line, whatever the event says: it may quote what a sender sent.
fn text(event: &Event, at: SystemTime) -> String {
    let line = format!("{} {event}", humantime::format_rfc3339_millis(at));
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// An event as JSON, with the time at which it happened.
fn json_of(event: &Event, at: SystemTime) -> Value {
    let attributes: Map<String, Value> =
        event.attributes().map(|(key, value)| (key.to_owned(), value.into())).collect();
    json!({
        "time": humantime::format_rfc3339_millis(at).to_string(),
        "level": event.level().name(),
        "event": event.name(),
        "description": event.description(),
        "attributes": attributes,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use countermand::config::ExecutionConfig;

    use super::*;
    use crate::tuned::Dials;

    #[test]
    fn an_event_is_one_line_whatever_it_says() {
        let event = Event::new("refused", Level::Warning).describe("no\npacket \u{1b}[2J").with("line", 7);
        let line = text(&event, SystemTime::UNIX_EPOCH);
        assert_eq!(line, "1970-01-01T00:00:00.000Z WARNING refused: no\u{fffd}packet \u{fffd}[2J (line=7)");
        let object = json_of(&event, SystemTime::UNIX_EPOCH);
        assert_eq!((&object["event"], &object["attributes"]["line"]), (&json!("refused"), &json!("7")));
        assert!(!object.to_string().contains('\n'));
    }

    #[test]
    fn what_is_below_the_level_is_not_written_but_is_a_packet() {
        let written = Arc::new(Mutex::new(Vec::new()));
        struct Kept(Arc<Mutex<Vec<u8>>>);
        impl Write for Kept {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut config = ExecutionConfig::default();
        config.telemetry.log_level = LogLevel::Error;
        let tuned = Tuned::new(Dials::from(&config));
        let voice = Voice::on(LogFormat::Text, tuned.clone(), Kept(written.clone())).unwrap();
        let packets = Arc::new(Mutex::new(0));
        let counted = packets.clone();
        voice.also(move |_: &Event| *counted.lock().unwrap() += 1);
        voice.take(&Event::new("quiet", Level::Info));
        voice.take(&Event::new("loud", Level::Error));
        config.telemetry.log_level = LogLevel::Critical;
        tuned.set(Dials::from(&config));
        voice.take(&Event::new("mute", Level::Error));
        voice.flush();
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert!(written.contains("loud") && !written.contains("quiet") && !written.contains("mute"), "{written}");
        assert_eq!(*packets.lock().unwrap(), 3);
    }
}
