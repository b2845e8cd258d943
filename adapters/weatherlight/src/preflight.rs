//! What must hold before anything is taken in, looked at in one go.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::time::Duration;

use countermand::config::{Secret, SinkName};
use countermand::{Check, Cleared, Guard, Job, Preflight, Shutdown, SubsystemId, WorkerConfig};
use countermand_redis::{RedisConfig, RedisSink};

use crate::house::House;
use crate::setup::Setup;
use crate::status::Trouble;
use crate::voice::Voice;

/// How long a check may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The proof that everything holds, and the secret that was found on the way.
#[derive(Debug)]
pub(crate) struct Ready {
    /// Only a preflight makes it.
    pub(crate) _cleared: Cleared,
    pub(crate) secret: Secret,
}

/// Makes all checks; says all that does not hold, each as one CRITICAL event, before anything was changed (G2, G4).
///
/// # Errors
///
/// All that does not hold, in words.
pub(crate) fn examine(setup: &Setup, house: &House, voice: &Voice) -> Result<Ready, Trouble> {
    let failed = |error: &dyn std::fmt::Display| Trouble::Failed(error.to_string());
    let mut guard = Guard::new(SubsystemId::new("weatherlight").map_err(|error| failed(&error))?, voice.clone());
    for policy in setup.config.policies() {
        let policy = policy.map_err(|error| Trouble::Bad(error.to_string()))?;
        guard = guard.with_policy(policy).map_err(|error| Trouble::Bad(error.to_string()))?;
    }
    let secret = setup.secret();
    let journal = setup.journal().to_owned();
    let wants_redis = setup.config.telemetry.sinks.contains(&SinkName::Redis);
    let writable = Job::fallible_call(move |_| writable(&journal));
    let checks = [
        Check::here("secret", || secret.as_ref().map(drop).map_err(String::clone)),
        Check::job("journal", LIMIT, writable),
        Check::here("redis", || {
            let url = &setup.config.telemetry.redis_url;
            let there = (!wants_redis || !url.is_empty()).then_some(());
            guard.require("setting", "telemetry.redis_url", there).map(drop)
        }),
        Check::here("redis.sink", || if wants_redis { redis(setup) } else { Ok(()) }).after("redis"),
    ];
    let worker = house.start(WorkerConfig::new().name("preflight").lanes(4).drivers(1)).map_err(Trouble::Failed)?;
    let preflight = Preflight::new(checks).map_err(|error| failed(&error))?;
    let cleared = preflight.run_blocking(&guard, &worker).map_err(|error| failed(&error))?;
    worker.shutdown_blocking(Shutdown::Drain).map_err(|error| failed(&error))?;
    match (cleared, secret) {
        (Ok(cleared), Ok(secret)) => Ok(Ready { _cleared: cleared, secret }),
        (Err(grounded), _) => Err(Trouble::Bad(grounded.to_string())),
        (Ok(_), Err(error)) => Err(Trouble::Bad(error)),
    }
}

/// Whether there can be such a sink; whether its server is there shows when it is fed.
fn redis(setup: &Setup) -> Result<(), String> {
    let sink = RedisSink::new(RedisConfig::from_settings(&setup.config.telemetry));
    sink.map(drop).map_err(|error| error.to_string())
}

/// Whether the journal, or the directory that it will be in, can be written to. Makes neither.
fn writable(path: &Path) -> Result<(), String> {
    let in_words = |error: std::io::Error| format!("{}: {error}", path.display());
    if path.exists() {
        return OpenOptions::new().read(true).write(true).open(path).map(drop).map_err(in_words);
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match fs::metadata(directory) {
        Ok(metadata) if !metadata.is_dir() => Err(format!("{}: is no directory", directory.display())),
        Ok(metadata) if metadata.permissions().readonly() => {
            Err(format!("{}: may not be written to", directory.display()))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{}: {error}", directory.display())),
    }
}
