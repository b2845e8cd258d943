//! An object for each case, for programs that compare runs.

use serde_json::{Value, json};

use crate::question::{Quantity, Role};
use crate::rounds::{Answer, Reading};

/// One object for each case of a question.
pub(crate) fn of(answer: &Answer) -> Vec<Value> {
    answer.readings.iter().map(|reading| case(answer, reading)).collect()
}

fn case(answer: &Answer, reading: &Reading) -> Value {
    let by = answer.question.by;
    let ratio = |role| {
        let other = answer.best(reading, role)?;
        Some(reading.ratio(other, by)).filter(|ratio| ratio.is_finite())
    };
    let goals: Vec<Value> = answer
        .verdicts()
        .filter(|verdict| verdict.goal.case == reading.at)
        .map(|verdict| {
            json!({
                "goal": verdict.goal.to_string(),
                "at_most": verdict.goal.at_most,
                "value": verdict.value,
                "reached": verdict.reached(),
            })
        })
        .collect();
    // Where the question is about memory, the time is still the processor's.
    let time = if by == Quantity::Wall { Quantity::Wall } else { Quantity::Cpu };
    json!({
        "question": answer.question.id,
        "group": reading.at.0,
        "case": reading.at.1,
        "role": reading.role.name(),
        "ns": reading.value(time),
        "cpu_ns": reading.value(Quantity::Cpu),
        "wall_ns": reading.value(Quantity::Wall),
        "spread": reading.spread(time),
        "rounds": reading.cpu.len(),
        "allocs": reading.value(Quantity::Allocs),
        "bytes": reading.bytes(),
        "peak_bytes": reading.value(Quantity::Peak),
        "left_bytes": reading.value(Quantity::Left),
        "ratio_to_best_peer": ratio(Role::Peer),
        "ratio_to_limit": ratio(Role::Limit),
        "goals": goals,
    })
}
