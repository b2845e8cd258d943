//! The last CRITICAL packets that came in, for the live page.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use countermand::{Label, Priority};
use serde_json::{Value, json};

/// How many there are at the most.
const MOST: usize = 50;

/// See the head of the file. A clone is the same list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alarms {
    last: Arc<Mutex<VecDeque<(SystemTime, Label)>>>,
}

impl Alarms {
    /// A packet came in at `at`. Only a CRITICAL one is an alarm.
    pub(crate) fn came(&self, at: SystemTime, label: &Label) {
        if label.priority != Priority::Critical {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.truncate(MOST - 1);
        last.push_front((at, *label));
    }

    /// The alarms as JSON, the latest first.
    pub(crate) fn json(&self) -> Value {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let alarm = |(at, label): &(SystemTime, Label)| {
            json!({
                "time": humantime::format_rfc3339_millis(*at).to_string(),
                "id": label.id.to_string(),
                "source": label.source.as_str(),
                "subject": label.subject.as_str(),
                "level": label.level.name(),
            })
        };
        last.iter().map(alarm).collect()
    }
}

#[cfg(test)]
mod tests {
    use countermand::{Level, PacketId, Source};

    use super::*;

    #[test]
    fn the_latest_alarms_are_kept_and_nothing_else() {
        let alarms = Alarms::default();
        for number in 0..60 {
            let level = if number % 2 == 0 { Level::Critical } else { Level::Error };
            let label = Label::new(PacketId::new(number), Source::of("pump"), level);
            alarms.came(SystemTime::UNIX_EPOCH, &label);
            alarms.came(SystemTime::UNIX_EPOCH, &label.priority(Priority::Critical));
        }
        let json = alarms.json();
        assert_eq!(json.as_array().unwrap().len(), MOST);
        assert_eq!(json[0]["id"], PacketId::new(59).to_string());
    }
}
