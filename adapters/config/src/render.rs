//! How a problem is shown to people: with the line where it stands, and a mark below.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan,
};

use crate::problem::Problem;
use crate::source::Excerpt;

/// The key, what is wrong, and the offending line with a mark below it; without colours, as what is shown may as well go into a log.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
            .with_context_lines(0)
            .with_links(false)
            .with_width(120);
        handler.render_report(f, &Shown(self))?;
        // Without a line to show, the place stands in the message.
        match &self.excerpt {
            None => writeln!(f, "  at: {}", self.origin),
            Some(_) => Ok(()),
        }
    }
}

/// A problem as `miette` wants it. Only the excerpt is handed on, never the text: it holds no secrets, and it is one line.
struct Shown<'a>(&'a Problem);

impl Diagnostic for Shown<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let mark = self.0.excerpt.as_ref()?.mark.clone();
        let label = LabeledSpan::new_primary_with_span(Some(self.0.label.clone()), (mark.start, mark.len()));
        Some(Box::new(std::iter::once(label)))
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.key, self.0.message)
    }
}

impl std::error::Error for Shown<'_> {}

/// The one line is the whole text, and says itself which line it is.
impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, MietteError> {
        let whole = SourceSpan::from((0, self.text.len()));
        let contents = MietteSpanContents::new_named(
            self.source.clone(),
            self.text.as_bytes(),
            whole,
            self.line - 1,
            self.column - 1,
            1,
        );
        Ok(Box::new(contents))
    }
}
