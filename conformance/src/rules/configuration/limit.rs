//! How much is read, how deep and how many.

use countermand_config::{Environment, Format, Limits, Loader, ProblemKind};
use countermand_core::config::ExecutionConfig;

use super::{broken, refused, toml};
use crate::{Check, ensure};

pub(super) fn each_says_so() -> Check {
    let mut limits = Limits::default();
    (limits.bytes, limits.depth, limits.keys) = (200, 3, 10);
    let bytes = "x".repeat(201);
    let keys: String = (0..11).map(|number| format!("k{number} = 1\n")).collect();
    let list = format!("telemetry.sinks = [{}]", "0, ".repeat(11));
    let variables: Vec<(String, &str)> = (0..11).map(|number| (format!("COUNTERMAND_K{number}"), "1")).collect();
    let json = |text: &str| Loader::new().text("service.json", Format::Json, text);
    let beyond = [
        toml(&bytes),
        toml("a.b.c.d = 1"),
        toml("[a.b.c]\nd = 1"),
        toml("a = { b = { c = { d = 1 } } }"),
        toml("a = [[[[1]]]]"),
        toml(&keys),
        toml(&list),
        json(&bytes),
        json("{\"a\": {\"b\": {\"c\": {\"d\": 1}}}}"),
        json("[[[[1]]]]"),
        json(&format!("[{}0]", "0, ".repeat(11))),
        Loader::new().environment(Environment::from_iter(variables)),
        Loader::new().environment(Environment::from_iter([("COUNTERMAND_A", &bytes)])),
    ];
    let cases = beyond.len() as u64;
    for (number, loader) in beyond.into_iter().enumerate() {
        let error = refused(&loader.limits(limits))?;
        let limit = error.problems().iter().find(|problem| problem.kind == ProblemKind::Limit);
        let Some(limit) = limit else {
            return Err(broken(format_args!("case {number} is beyond a limit, and none is named: {error}")));
        };
        ensure!(limit.message.contains("limit"), "{}", limit.message);
    }
    // Up to the limits nothing is refused.
    let within = toml("telemetry.sinks = [\"journal\"]\nworker.lanes = 2\n").limits(limits).load();
    ensure!(within.is_ok(), "within the limits: {within:?}");
    ensure!(
        Loader::new().load().is_ok_and(|loaded| *loaded.config() == ExecutionConfig::default()),
        "no input, not the defaults"
    );
    Ok(cases + 2)
}
