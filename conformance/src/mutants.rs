//! Plants one defect at a time, and shows which rule sees it.
//!
//! A suite that has never failed anybody proves nothing. Each mutant is the reference with one defect, and names the rule that
//! must kill it: be broken, hang or crash on at least one host on which the reference keeps it.

use std::io;
use std::time::Duration;

use countermand_core::mutant::Mutant;

use crate::bench::{IN_VAIN, Order};
use crate::child::{DIED, Finding, HUNG, Task};
use crate::verdict::Verdict;
use crate::{Candidate, Flaw, Rule, rules, runner};

/// In which order hosts are tried; others come after these. The first replays, the rest have real threads.
const BEST_FIRST: [&str; 3] = ["sim", "blocking", "tokio"];

/// How often each host is tried, with a new seed each time.
const SEEDS: u64 = 4;

/// A mutant may make everything wait; the reference, which has more patience, takes a small part of this.
const PATIENCE: Duration = Duration::from_secs(3);

/// When the watchdog ends a mutated child, at the least; otherwise ten times as long as the reference took.
const WATCHDOG: Duration = Duration::from_secs(15);

/// How often the reference is examined: once more where it did not keep a rule at first.
const TRIES: u32 = 2;

/// Something with one defect, and the rule that must see it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Suspect {
    /// In the core; on any host.
    Core(Mutant),
    /// The host itself, under a name of its own.
    Host { candidate: Candidate, defect: &'static str, stalls: bool, rule: &'static str },
}

impl Suspect {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Core(mutant) => mutant.name(),
            Self::Host { candidate, .. } => candidate.name(),
        }
    }

    pub(crate) fn defect(&self) -> &'static str {
        match self {
            Self::Core(mutant) => mutant.defect(),
            Self::Host { defect, .. } => defect,
        }
    }

    pub(crate) fn rule(&self) -> &'static str {
        match self {
            Self::Core(mutant) => mutant.rule(),
            Self::Host { rule, .. } => rule,
        }
    }

    /// Whether it may die like this. That a rule waited in vain may be the machine's doing where nothing is kept from coming.
    pub(crate) fn may_die(&self, death: Death) -> bool {
        let (stalls, crashes) = match self {
            Self::Core(mutant) => (Mutant::STALLS.contains(mutant), Mutant::CRASHES.contains(mutant)),
            Self::Host { stalls, .. } => (*stalls, false),
        };
        match death {
            Death::Seen => true,
            Death::InVain | Death::Hung => stalls,
            Death::Crashed => crashes,
        }
    }

    /// All of them: the core's mutants, then the hosts that lie.
    pub(crate) fn all() -> Vec<Self> {
        let core = Mutant::ALL.iter().copied().filter(|mutant| !Mutant::BY_MODELS.contains(mutant)).map(Self::Core);
        core.chain(Self::of_hosts()).collect()
    }

    /// The hosts that lie, once for each rule that must see it.
    pub(crate) fn of_hosts() -> Vec<Self> {
        #[cfg(feature = "hosts")]
        let hosts = crate::liars::ALL.iter().flat_map(|liar| {
            let (candidate, defect, stalls) = (liar.candidate, liar.defect, liar.stalls);
            liar.rules.iter().map(move |rule| Self::Host { candidate, defect, stalls, rule })
        });
        #[cfg(not(feature = "hosts"))]
        let hosts = [];
        hosts.into_iter().collect()
    }
}

/// What came of one.
#[derive(Clone, Debug)]
pub(crate) struct Fate {
    pub(crate) suspect: Suspect,
    /// How often its rule was examined with it, over all hosts and seeds.
    pub(crate) runs: u64,
    /// Where and why its rule saw it.
    pub(crate) killed: Option<Kill>,
    /// The last death that was not one of its own, and so does not count.
    pub(crate) improper: Option<Kill>,
    pub(crate) took: Duration,
}

/// Where and why a mutant died.
#[derive(Clone, Debug)]
pub(crate) struct Kill {
    pub(crate) host: &'static str,
    pub(crate) seed: u64,
    pub(crate) saw: String,
    pub(crate) death: Death,
    /// Rounds of races until it was seen; 0 if it did not take one, or if they are not known.
    pub(crate) raced: u64,
}

/// How a mutant died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// The rule saw what was wrong.
    Seen,
    /// What must come did not.
    InVain,
    /// The watchdog ended it.
    Hung,
    /// The process ended by itself.
    Crashed,
}

impl Death {
    pub(crate) fn of(saw: &str) -> Self {
        if saw.starts_with(HUNG) {
            Self::Hung
        } else if saw.starts_with(DIED) {
            Self::Crashed
        } else if saw.contains(IN_VAIN) {
            Self::InVain
        } else {
            Self::Seen
        }
    }

    /// In words.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::InVain => "in vain",
            Self::Hung => "hung",
            Self::Crashed => "crashed",
        }
    }
}

/// A rule of a mutant that does not hold, or is not known to hold, without any.
#[derive(Clone, Debug)]
pub(crate) struct Unsound {
    pub(crate) host: &'static str,
    pub(crate) rule: &'static Rule,
    pub(crate) flaw: Flaw,
}

/// What came of all.
#[derive(Clone, Debug)]
pub(crate) struct Cull {
    pub(crate) seed: u64,
    pub(crate) fates: Vec<Fate>,
    /// Rules that the unmutated reference does not keep.
    pub(crate) unsound: Vec<Unsound>,
    /// What was seen of rules that it kept only at the second try.
    pub(crate) at_first: Vec<Unsound>,
}

impl Cull {
    /// A pass if each mutant was killed by its rule, and the reference by none.
    pub(crate) fn verdict(&self) -> Verdict {
        if self.unsound.iter().any(|unsound| matches!(unsound.flaw, Flaw::Broken(_))) {
            Verdict::Fail
        } else if !self.unsound.is_empty() || self.fates.is_empty() {
            // A mutant may live because its rule said nothing of the reference.
            Verdict::Inconclusive
        } else if self.fates.iter().any(|fate| fate.killed.is_none()) {
            Verdict::Fail
        } else {
            Verdict::Pass
        }
    }
}

/// A rule on a host that keeps it, and how long the reference took for it.
pub(crate) struct Ground {
    candidate: Candidate,
    rule: &'static Rule,
    watchdog: Duration,
    /// Rounds of races that the reference went through.
    pub(crate) raced: u64,
}

/// Examines the reference, and then each suspect whose rule is among `chosen`, on the hosts given.
///
/// # Errors
///
/// When a child cannot be run.
pub(crate) fn cull(
    mut suspects: Vec<Suspect>,
    hosts: &[Candidate],
    chosen: &[&'static Rule],
    order: Order,
    mut told: impl FnMut(usize, usize, &str),
) -> io::Result<Cull> {
    let hosts = best_first(hosts);
    suspects.retain(|suspect| chosen.iter().any(|rule| rule.id() == suspect.rule()));
    let suspected: Vec<_> =
        rules::all().filter(|rule| suspects.iter().any(|suspect| suspect.rule() == rule.id())).collect();
    let references = Task::all(&hosts, &suspected, order);
    let total = references.len() + suspects.len();
    let mut done = 0;
    let findings = runner::each(&references, tries, |place, _| {
        done += 1;
        told(done, total, references[place].rule.id());
    })?;
    let mut grounds = Vec::new();
    let (mut unsound, mut at_first) = (Vec::new(), Vec::new());
    for (task, findings) in references.iter().zip(findings) {
        let Task { candidate, rule, .. } = *task;
        let last = findings.len() - 1;
        for (nth, Finding { check, took, raced, .. }) in findings.into_iter().enumerate() {
            match check {
                Ok(_) => grounds.push(Ground { candidate, rule, watchdog: WATCHDOG.max(took * 10), raced }),
                // A target that lacks what the rule speaks of says nothing about the mutant either.
                Err(Flaw::NotApplicable(_)) => {}
                Err(flaw) => {
                    let list = if nth == last { &mut unsound } else { &mut at_first };
                    list.push(Unsound { host: candidate.name(), rule, flaw });
                }
            }
        }
    }
    let fates = runner::each(
        &suspects,
        |suspect| hunt(*suspect, &grounds, order),
        |place, _| {
            done += 1;
            told(done, total, suspects[place].name());
        },
    )?;
    Ok(Cull { seed: order.seed, fates, unsound, at_first })
}

/// Where the reference keeps these rules, the best hosts first.
///
/// # Errors
///
/// When a child cannot be run.
pub(crate) fn grounds_of(
    hosts: &[Candidate],
    rules: &[&'static Rule],
    order: Order,
    mut told: impl FnMut(usize, &str),
) -> io::Result<Vec<Ground>> {
    let references = Task::all(&best_first(hosts), rules, order);
    let mut done = 0;
    let findings = runner::each(&references, tries, |place, _| {
        done += 1;
        told(done, references[place].rule.id());
    })?;
    let ground = |(task, findings): (&Task, Vec<Finding>)| {
        let Finding { check, took, raced, .. } = findings.into_iter().next_back()?;
        let Task { candidate, rule, .. } = *task;
        check.ok().map(|_| Ground { candidate, rule, watchdog: WATCHDOG.max(took * 10), raced })
    };
    Ok(references.iter().zip(findings).filter_map(ground).collect())
}

fn best_first(hosts: &[Candidate]) -> Vec<Candidate> {
    let rank = |host: &Candidate| BEST_FIRST.iter().position(|best| *best == host.name()).unwrap_or(BEST_FIRST.len());
    let mut hosts = hosts.to_vec();
    hosts.sort_by_key(rank);
    hosts
}

/// Examines the reference, and once more if it did not keep the rule: a machine that is busy with others is no defect.
fn tries(task: &Task) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for _ in 0..TRIES {
        let finding = task.run()?;
        let is_known = matches!(finding.check, Ok(_) | Err(Flaw::NotApplicable(_)));
        findings.push(finding);
        if is_known {
            break;
        }
    }
    Ok(findings)
}

/// Tries the suspect's rule on one host after the other, and again with other seeds, until one sees it.
fn hunt(suspect: Suspect, grounds: &[Ground], order: Order) -> io::Result<Fate> {
    let mut fate = Fate { suspect, runs: 0, killed: None, improper: None, took: Duration::ZERO };
    let sound = || grounds.iter().filter(|ground| ground.rule.id() == suspect.rule());
    for seed in (0..SEEDS).map(|step| order.seed.wrapping_add(step)) {
        let order = Order { seed, patience: PATIENCE.mul_f64(order.effort.max(1.0)), ..order };
        let tasks: Vec<Task> = match suspect {
            Suspect::Core(mutant) => {
                sound().map(|ground| ground.task(order, ground.candidate, Some(mutant.name()))).collect()
            }
            // The host is the defect: what matters is that the rule is kept by others.
            Suspect::Host { candidate, .. } => {
                sound().take(1).map(|ground| ground.task(order, candidate, None)).collect()
            }
        };
        for task in tasks {
            let Finding { check, took, raced, .. } = task.run()?;
            fate.runs += 1;
            fate.took += took;
            if let Err(Flaw::Broken(saw)) = check {
                let death = Death::of(&saw);
                let kill = Some(Kill { host: task.candidate.name(), seed, saw, death, raced });
                if suspect.may_die(death) {
                    fate.killed = kill;
                    return Ok(fate);
                }
                fate.improper = kill;
            }
        }
    }
    Ok(fate)
}

impl Ground {
    pub(crate) fn is_of(&self, rule: &str) -> bool {
        self.rule.id() == rule
    }

    pub(crate) fn host(&self) -> &'static str {
        self.candidate.name()
    }

    /// The rule here, with this mutant of the core in force, and with as much patience as a mutant is given.
    pub(crate) fn task_with(&self, order: Order, suspect: &Suspect) -> Task {
        let order = Order { patience: PATIENCE.mul_f64(order.effort.max(1.0)), ..order };
        let mutant = matches!(suspect, Suspect::Core(_)).then(|| suspect.name());
        self.task(order, self.candidate, mutant)
    }

    fn task(&self, order: Order, candidate: Candidate, mutant: Option<&'static str>) -> Task {
        Task { candidate, rule: self.rule, order: Order { watchdog: self.watchdog, ..order }, mutant, elsewhere: None }
    }
}
