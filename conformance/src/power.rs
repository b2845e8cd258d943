//! The power of the rules about races: how many rounds it takes to see a defect, and whether as many are run.
//!
//! A race that was not lost in N rounds says that less than 3/N of them fail, at 95 %, and no more. So for each mutant of a rule that races threads, its
//! rule is examined with it again and again, each time from another seed, and the rounds until it was seen are counted. The ordinary run must make at least
//! twenty times as many as that takes on the average.

use std::io;

use crate::bench::Order;
use crate::child::Task;
use crate::mutants::{Death, Suspect, grounds_of};
use crate::verdict::Verdict;
use crate::{Candidate, Flaw, Rule, runner};

/// How often each mutant is tried.
const TRIES: u64 = 50;

/// How many times the average the ordinary run must make.
const MARGIN: f64 = 20.0;

/// After so many kills that took no race at all, it never takes one.
const CERTAIN: u64 = 5;

/// What came of one mutant of a rule about a race.
#[derive(Clone, Debug)]
pub(crate) struct Power {
    pub(crate) suspect: Suspect,
    pub(crate) host: &'static str,
    /// Rounds that the ordinary run makes, on this host alone.
    pub(crate) budget: u64,
    pub(crate) tries: u64,
    pub(crate) kills: u64,
    /// Of the kills, those that took no race: the rule sees it by other means first.
    pub(crate) without_a_race: u64,
    /// Tries that came to no end; how many rounds they had made is not known, so that they count as the whole budget.
    pub(crate) hung: u64,
    /// Rounds of all tries together, those in vain too.
    pub(crate) rounds: u64,
    pub(crate) most: u64,
}

impl Power {
    /// Rounds to a kill, on the average. What was not killed within the budget counts with the rounds it had.
    pub(crate) fn mean(&self) -> f64 {
        self.rounds as f64 / self.kills.max(1) as f64
    }

    /// How many times the average the ordinary run makes.
    pub(crate) fn margin(&self) -> f64 {
        self.budget as f64 / self.mean().max(1.0)
    }

    pub(crate) fn suffices(&self) -> bool {
        self.kills > 0 && (self.without_a_race == self.kills || self.margin() >= MARGIN)
    }
}

/// What came of all.
#[derive(Clone, Debug)]
pub(crate) struct Powers {
    pub(crate) seed: u64,
    pub(crate) powers: Vec<Power>,
}

impl Powers {
    pub(crate) fn verdict(&self) -> Verdict {
        if self.powers.is_empty() {
            Verdict::Inconclusive
        } else if self.powers.iter().all(Power::suffices) {
            Verdict::Pass
        } else {
            Verdict::Fail
        }
    }
}

/// Measures the power of each of the rules that races threads, against each of its mutants, on the first host that races.
///
/// # Errors
///
/// When a child cannot be run.
pub(crate) fn measure(
    hosts: &[Candidate],
    chosen: &[&'static Rule],
    order: Order,
    mut told: impl FnMut(usize, usize, &str),
) -> io::Result<Powers> {
    let mut suspects: Vec<Suspect> =
        Suspect::all().into_iter().filter(|suspect| matches!(suspect, Suspect::Core(_))).collect();
    suspects.retain(|suspect| chosen.iter().any(|rule| rule.id() == suspect.rule()));
    let mut rules: Vec<&'static Rule> = chosen.to_vec();
    rules.retain(|rule| suspects.iter().any(|suspect| suspect.rule() == rule.id()));
    let grounds = grounds_of(hosts, &rules, order, |done, rule| told(done, rules.len() * hosts.len(), rule))?;
    // A suspect with the first ground of its rule on which threads race at all.
    let pairs: Vec<_> = suspects
        .into_iter()
        .filter_map(|suspect| {
            let races = |ground: &&crate::mutants::Ground| ground.is_of(suspect.rule()) && ground.raced > 0;
            grounds.iter().find(races).map(|ground| (suspect, ground))
        })
        .collect();
    let total = pairs.len();
    let mut done = 0;
    let powers = runner::each(
        &pairs,
        |(suspect, ground)| {
            let mut power = Power {
                suspect: *suspect,
                host: ground.host(),
                budget: ground.raced,
                tries: 0,
                kills: 0,
                without_a_race: 0,
                hung: 0,
                rounds: 0,
                most: 0,
            };
            for step in 0..TRIES {
                let order = Order { seed: order.seed.wrapping_add(step), ..order };
                let task = ground.task_with(order, suspect);
                attempt(&task, suspect, &mut power)?;
                if power.without_a_race == power.kills && power.kills == CERTAIN {
                    break;
                }
            }
            Ok(power)
        },
        |place, _| {
            done += 1;
            told(done, total, pairs[place].0.name());
        },
    )?;
    Ok(Powers { seed: order.seed, powers })
}

fn attempt(task: &Task, suspect: &Suspect, power: &mut Power) -> io::Result<()> {
    let finding = task.run()?;
    power.tries += 1;
    let mut raced = finding.raced;
    if let Err(Flaw::Broken(saw)) = &finding.check {
        let death = Death::of(saw);
        if suspect.may_die(death) {
            power.kills += 1;
            power.without_a_race += u64::from(raced == 0 && death == Death::Seen);
            power.hung += u64::from(death == Death::Hung);
        }
        if death == Death::Hung || death == Death::Crashed {
            raced = power.budget;
        }
    }
    power.rounds += raced;
    power.most = power.most.max(raced);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn power(kills: u64, without_a_race: u64, rounds: u64, budget: u64) -> Power {
        let suspect = Suspect::all()[0];
        Power { suspect, host: "sim", budget, tries: 50, kills, without_a_race, hung: 0, rounds, most: 0 }
    }

    #[test]
    fn twenty_times_the_average_is_enough() {
        assert!(power(50, 0, 500, 200).suffices());
        assert!(!power(50, 0, 500, 199).suffices());
        // Ten that were never seen count with their rounds.
        assert!((power(40, 0, 40 * 10 + 10 * 200, 200).mean() - 60.0).abs() < 1e-9);
        assert!(!power(40, 0, 40 * 10 + 10 * 200, 200).suffices());
        assert!(power(5, 5, 0, 10).suffices());
        assert!(!power(0, 0, 10_000, 200).suffices());
    }
}
