//! How a rule fared on a host, in a word.

/// How a rule fared on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    NotApplicable,
    Pass,
    Inconclusive,
    Fail,
}

impl Verdict {
    /// As the JSON report spells it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NotApplicable => "not-applicable",
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
        }
    }
}
