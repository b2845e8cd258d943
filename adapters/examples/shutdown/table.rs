//! The jobs of a worker as a table on a terminal, drawn anew over itself; where there is none, plain lines.

use comfy_table::presets;
use countermand::{JobState, Worker};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// See the head of the file.
pub(crate) struct Table {
    worker: Worker,
    bar: ProgressBar,
}

impl Table {
    pub(crate) fn new(worker: &Worker) -> Self {
        // Hidden where the error output is no terminal.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { worker: worker.clone(), bar }
    }

    /// Draws what is so now.
    pub(crate) fn draw(&self) {
        if self.bar.is_hidden() {
            return;
        }
        let mut table = comfy_table::Table::new();
        table.load_preset(presets::NOTHING).set_header(["job", "priority", "", "age", "polls"]);
        for job in self.worker.jobs() {
            let state = match job.state {
                JobState::Queued => "queued",
                JobState::Running => "running",
                JobState::Settled => "settled",
            };
            let age = format!("{:.1} s", job.age.as_secs_f64());
            table.add_row([job.name.to_string(), job.priority.to_string(), state.into(), age, job.polls.to_string()]);
        }
        self.bar.set_message(table.to_string());
    }

    /// A line that stays.
    pub(crate) fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("shutdown: {line}"));
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
