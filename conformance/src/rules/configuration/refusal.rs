//! What cannot be is refused, with the place, the key and all else that is wrong.

use countermand_config::{Environment, Format, Loader, ProblemKind};

use super::{broken, refused, toml};
use crate::{Check, ensure};

pub(super) fn each_by_itself() -> Check {
    let environment =
        |name: &'static str, value: &'static str| Loader::new().environment(Environment::from_iter([(name, value)]));
    let wrong = [
        (toml("worker.lnaes = 8"), ProblemKind::UnknownKey, "worker.lnaes", "service.toml:1:8"),
        (toml("\n\nworker.lanes = true"), ProblemKind::WrongType, "worker.lanes", "service.toml:3:16"),
        (toml("worker.lanes = 0"), ProblemKind::BadValue, "worker.lanes", "service.toml:1:16"),
        (toml("worker.lanes = 1\nworker.lanes = 1"), ProblemKind::Duplicate, "worker.lanes", "service.toml:2:8"),
        (toml("worker.lanes ="), ProblemKind::Syntax, "worker.lanes", "service.toml:1:15"),
        (
            environment("COUNTERMAND_WORKER_LANES", "8"),
            ProblemKind::UnknownVariable,
            "worker_lanes",
            "variable COUNTERMAND_WORKER_LANES",
        ),
        (
            environment("COUNTERMAND_worker__lanes", "8"),
            ProblemKind::UnknownVariable,
            "worker.lanes",
            "variable COUNTERMAND_worker__lanes",
        ),
        (
            environment("COUNTERMAND_WORKER__LANES", "eight"),
            ProblemKind::WrongType,
            "worker.lanes",
            "variable COUNTERMAND_WORKER__LANES",
        ),
        (
            environment("ESP_LOG_LEVEL", "LOUD"),
            ProblemKind::BadValue,
            "telemetry.log_level",
            "legacy variable ESP_LOG_LEVEL",
        ),
        (Loader::new().flag("worker.lanse", "8"), ProblemKind::UnknownKey, "worker.lanse", "flag worker.lanse"),
        (Loader::new().file("no/such/file.toml"), ProblemKind::Unreadable, "(the whole file)", "no/such/file.toml:1:1"),
    ];
    let cases = wrong.len() as u64;
    for (loader, kind, key, origin) in wrong {
        let error = refused(&loader)?;
        let [problem] = error.problems() else { return Err(broken(format_args!("not one problem: {error}"))) };
        let seen = (problem.kind, problem.key.as_str(), problem.origin.to_string());
        ensure!(seen == (kind, key, origin.to_owned()), "{seen:?} instead of {kind:?} {key} {origin}");
    }
    Ok(cases)
}

pub(super) fn all_at_once() -> Check {
    let loader = toml("worker.lnaes = 8\nworker.lanes = 0\ntorch.device = 7\nworker.capacity = 1\nworker.capacity = 2")
        .text("more.json", Format::Json, "{\"worker\": {\"drivers\": -1}, \"worker\": {}}")
        .environment(Environment::from_iter([("COUNTERMAND_NO__SUCH", "1"), ("OONA_MESSAGE_TTL_MS", "1")]))
        .flag("telemetry.log_level", "loud");
    let error = refused(&loader)?;
    ensure!(error.problems().len() == 9, "{} problems told instead of 9:\n{error}", error.problems().len());
    // What is covered must be right as well.
    let covered = refused(&toml("worker.lanes = 0").flag("worker.lanes", "8"))?;
    ensure!(covered.problems()[0].kind == ProblemKind::BadValue, "a bad value hid below a good one: {covered}");
    // More than are told are counted.
    let many: String = (0..100).map(|number| format!("no_{number} = 1\n")).collect();
    let error = refused(&toml(&many))?;
    ensure!(
        (error.problems().len(), error.untold()) == (64, 36),
        "{} told, {} not",
        error.problems().len(),
        error.untold()
    );
    Ok(3)
}
