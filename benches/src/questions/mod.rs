//! The questions, one a file. The head of each says who is compared, in which idiom, and why that is fair.

use crate::question::Question;

mod b1;
mod j1;
mod j2;
mod j3;
mod j4;
mod j5;
mod j6;
mod j7;
mod j8;
mod j9;
pub(crate) mod jobs;
mod m1;
mod m2;
pub(crate) mod m3;
pub(crate) mod m4;
mod p1;
mod q1;
mod q2;
mod queues;
mod t1;
mod t2;
mod t3;
mod t4;
pub(crate) mod t5;
mod t6;
mod t7;

/// All of them.
pub static ALL: [&Question; 24] = [
    &t1::QUESTION,
    &t2::QUESTION,
    &t3::QUESTION,
    &t4::QUESTION,
    &t5::QUESTION,
    &t6::QUESTION,
    &t7::QUESTION,
    &j1::QUESTION,
    &j2::QUESTION,
    &j3::QUESTION,
    &j4::QUESTION,
    &j5::QUESTION,
    &j6::QUESTION,
    &j7::QUESTION,
    &j8::QUESTION,
    &j9::QUESTION,
    &b1::QUESTION,
    &q1::QUESTION,
    &q2::QUESTION,
    &m1::QUESTION,
    &m2::QUESTION,
    &m3::QUESTION,
    &m4::QUESTION,
    &p1::QUESTION,
];

/// The question of this name, in capitals or not.
#[must_use]
pub fn named(id: &str) -> Option<&'static Question> {
    ALL.into_iter().find(|question| question.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::meter::Meter;
    use crate::question::Role;

    /// Each case adds up what came back and looks at it, so that running it is the test.
    #[test]
    fn every_contender_does_the_whole_work() {
        for question in ALL {
            let ops = question.ops.min(200);
            for mut case in question.make(ops) {
                // The last one that is printed is the one that hangs, if one does.
                println!("{}: {} ({})", question.id, case.name, case.group);
                for mut meter in [Meter::timing(ops), Meter::timing(ops)] {
                    (case.run)(&mut meter);
                    assert!(meter.wall_nanos() > 0.0, "{}: {} timed nothing", question.id, case.name);
                }
            }
        }
    }

    #[test]
    fn goals_name_cases_that_are_there() {
        for question in ALL {
            let cases = question.make(64);
            let names: HashSet<_> = cases.iter().map(|case| (case.group, case.name)).collect();
            assert_eq!(names.len(), cases.len(), "{}: two cases of one name", question.id);
            for goal in question.goals {
                for at in [Some(goal.case), goal.of].into_iter().flatten() {
                    assert!(names.contains(&(at.0, at.1)), "{}: there is no case {at}", question.id);
                }
            }
            let ours = cases.iter().any(|case| case.role == Role::Ours);
            assert!(ours, "{}: nobody is ours", question.id);
            assert!(!question.goals.is_empty(), "{}: nothing is to be reached", question.id);
        }
    }

    #[test]
    fn a_question_is_found_by_its_name() {
        assert_eq!(named("j1").map(|question| question.id), Some("J1"));
        assert!(named("J10").is_none());
    }
}
