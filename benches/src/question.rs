//! A question of speed: who is compared at what, and what ours must reach.

use std::fmt;

use crate::meter::Meter;

/// As what a case takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// countermand.
    Ours,
    /// What people use otherwise.
    Peer,
    /// The least that anybody could pay.
    Limit,
    /// For comparison only: neither a peer nor the limit.
    Note,
    /// A figure that was measured by somebody else, on another machine.
    Recorded,
}

impl Role {
    /// As it stands in tables and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Peer => "peer",
            Self::Limit => "limit",
            Self::Note => "note",
            Self::Recorded => "recorded",
        }
    }
}

/// Does as many operations as the meter says.
pub type Run = Box<dyn FnMut(&mut Meter)>;

/// Makes what runs where there is so much of something.
pub(crate) type Make = fn(u64) -> Run;

/// One who takes part in a question.
#[non_exhaustive]
#[expect(missing_debug_implementations, reason = "it is a closure with a name")]
pub struct Case {
    /// Cases of one group are compared with each other. Empty where a question has only one.
    pub group: &'static str,
    /// What it is called; no other in its group is.
    pub name: &'static str,
    /// As what it takes part.
    pub role: Role,
    /// What it does.
    pub run: Run,
}

/// Makes the cases of one group, one after the other.
#[derive(Default)]
#[expect(missing_debug_implementations, reason = "it holds closures")]
pub struct Cases {
    group: &'static str,
    all: Vec<Case>,
}

impl Cases {
    /// From here on the cases are of this group.
    pub fn group(&mut self, group: &'static str) -> &mut Self {
        self.group = group;
        self
    }

    /// countermand.
    pub fn ours(&mut self, name: &'static str, run: impl FnMut(&mut Meter) + 'static) -> &mut Self {
        self.add(name, Role::Ours, run)
    }

    /// What people use otherwise.
    pub fn peer(&mut self, name: &'static str, run: impl FnMut(&mut Meter) + 'static) -> &mut Self {
        self.add(name, Role::Peer, run)
    }

    /// The least that anybody could pay.
    pub fn limit(&mut self, name: &'static str, run: impl FnMut(&mut Meter) + 'static) -> &mut Self {
        self.add(name, Role::Limit, run)
    }

    /// For comparison only.
    pub fn note(&mut self, name: &'static str, run: impl FnMut(&mut Meter) + 'static) -> &mut Self {
        self.add(name, Role::Note, run)
    }

    /// A figure that was measured elsewhere: nanoseconds for one operation.
    pub fn recorded(&mut self, name: &'static str, nanos: f64) -> &mut Self {
        self.add(name, Role::Recorded, move |meter| {
            let all = std::time::Duration::from_secs_f64(nanos * meter.ops() as f64 / 1e9);
            meter.report(all, all);
        })
    }

    fn add(&mut self, name: &'static str, role: Role, run: impl FnMut(&mut Meter) + 'static) -> &mut Self {
        self.all.push(Case { group: self.group, name, role, run: Box::new(run) });
        self
    }

    /// All that were made.
    #[must_use]
    pub fn into_vec(self) -> Vec<Case> {
        self.all
    }
}

/// What is read off a case, for one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quantity {
    /// Nanoseconds of all processors.
    Cpu,
    /// Nanoseconds by the clock.
    Wall,
    /// Allocations.
    Allocs,
    /// Bytes held at the most, beyond those held before.
    Peak,
    /// Bytes held afterwards, beyond those held before.
    Left,
}

impl Quantity {
    /// With its unit.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "ns of processor",
            Self::Wall => "ns by the clock",
            Self::Allocs => "allocations",
            Self::Peak => "bytes held",
            Self::Left => "bytes left",
        }
    }
}

/// Names a case of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a name is a group and a name")]
pub struct At(pub &'static str, pub &'static str);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(group, name) = self;
        if group.is_empty() { f.write_str(name) } else { write!(f, "{name} ({group})") }
    }
}

/// What a case must reach.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Goal {
    /// Who must.
    pub case: At,
    /// In what.
    pub quantity: Quantity,
    /// No more than this, for one operation; or no more than this times what `of` takes.
    pub at_most: f64,
    /// Whom it is compared with.
    pub of: Option<At>,
}

impl Goal {
    /// So many times less processor time than `of` in the same group.
    #[must_use]
    pub const fn times_less(group: &'static str, case: &'static str, of: &'static str, times: f64) -> Self {
        Self::share(At(group, case), Quantity::Cpu, At(group, of), 1.0 / times)
    }

    /// No more processor time than so many times that of `of` in the same group.
    #[must_use]
    pub const fn within(group: &'static str, case: &'static str, of: &'static str, times: f64) -> Self {
        Self::share(At(group, case), Quantity::Cpu, At(group, of), times)
    }

    /// No more than so many times what another one takes.
    #[must_use]
    pub const fn share(case: At, quantity: Quantity, of: At, times: f64) -> Self {
        Self { case, quantity, at_most: times, of: Some(of) }
    }

    /// No more than this for one operation.
    #[must_use]
    pub const fn at_most(case: At, quantity: Quantity, at_most: f64) -> Self {
        Self { case, quantity, at_most, of: None }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, quantity, at_most, of } = *self;
        let quantity = quantity.name();
        // Within a group its name is said once.
        let of = of.map(|of| if of.0 == case.0 { At("", of.1) } else { of });
        match of {
            Some(of) if at_most < 1.0 => write!(f, "{case}: {} times less {quantity} than {of}", Short(1.0 / at_most)),
            Some(of) => write!(f, "{case}: at most {} times the {quantity} of {of}", Short(at_most)),
            None => write!(f, "{case}: at most {} {quantity}", Short(at_most)),
        }
    }
}

/// A figure without digits that say nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short(pub(crate) f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        if !value.is_finite() {
            return f.write_str("–");
        }
        let digits = match value.abs() {
            over if over >= 100.0 => 0,
            over if over >= 10.0 => 1,
            over if over >= 0.1 => 2,
            _ => 3,
        };
        let text = format!("{value:.digits$}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        f.pad(text)
    }
}

/// A question, with its answers yet to be measured.
#[derive(Debug)]
#[non_exhaustive]
pub struct Question {
    /// As it is called on the command line.
    pub id: &'static str,
    /// What is asked.
    pub title: &'static str,
    /// How many operations a case does in one round.
    pub ops: u64,
    /// By what the ratios are made.
    pub by: Quantity,
    /// What ours must reach.
    pub goals: &'static [Goal],
    /// Makes the cases for rounds of so many operations.
    pub cases: fn(u64, &mut Cases),
}

impl Question {
    /// The cases, made for rounds of `ops` operations.
    #[must_use]
    pub fn make(&self, ops: u64) -> Vec<Case> {
        let mut cases = Cases::default();
        (self.cases)(ops, &mut cases);
        cases.into_vec()
    }
}
