//! All figures of a program together.

use std::fmt;

use crate::reading::Attributes;
use crate::{Figures, Reading};

/// Where the figures of a program hang, to be read by whoever comes by.
///
/// ```
/// use countermand_core::Counts;
/// use countermand_metrics::{Board, Figures as _, Reading};
/// let (ingest, export) = (Counts::default(), Counts::default()); // in truth, ask the worker: `worker.counts()`
/// let board = Board::new()
///     .with_attributes([("worker", "ingest".to_owned())], move |reading: &mut Reading| ingest.read(reading))
///     .with_attributes([("worker", "export".to_owned())], move |reading: &mut Reading| export.read(reading));
/// assert_eq!(board.read().value("countermand.worker.accepted", &[("worker", "export")]), Some(0));
/// ```
#[derive(Default)]
pub struct Board {
    sources: Vec<Hung>,
}

/// What hangs on a board, and what is added to each of its figures.
struct Hung {
    attributes: Attributes,
    figures: Box<dyn Figures>,
}

impl Board {
    /// Nothing on it.
    #[must_use]
    pub const fn new() -> Self {
        Self { sources: Vec::new() }
    }

    /// Also these. Figures that others on the board have too, of the same name and with the same attributes, are added up.
    #[must_use]
    pub fn with(self, figures: impl Figures + 'static) -> Self {
        self.with_attributes([], figures)
    }

    /// Also these, each with some attributes more, by which they are known from those of others: the name of the worker, say.
    #[must_use]
    pub fn with_attributes(
        mut self,
        attributes: impl IntoIterator<Item = (&'static str, String)>,
        figures: impl Figures + 'static,
    ) -> Self {
        self.sources.push(Hung { attributes: attributes.into_iter().collect(), figures: Box::new(figures) });
        self
    }

    /// All figures as they are now.
    #[must_use]
    pub fn read(&self) -> Reading {
        let mut reading = Reading::new();
        for Hung { attributes, figures } in &self.sources {
            reading.with_attributes(attributes, |reading| figures.read(reading));
        }
        reading
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sources.iter().map(|hung| &hung.attributes)).finish()
    }
}
