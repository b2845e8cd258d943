//! The play: what happens, in which order.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countermand::config::{Environment, ExecutionConfig, Format, Loader};
use countermand::{
    BlueprintId, Check, Cleared, DependencyPolicy, Fate, Job, Preflight, Shutdown, TrainingRunId, Worker, WorkerConfig,
};

use crate::args::Args;
use crate::clock::Clock;
use crate::gate::gate;
use crate::house::House;
use crate::kasmina::Kasmina;
use crate::ledger::Ledger;
use crate::reports::Reports;
use crate::service::Service;
use crate::supervisor::{Supervisor, ask};
use crate::tamiyo::{Decision, Tamiyo};
use crate::telemetry::Telemetry;
use crate::tolaria::Tolaria;

const SERVICES: [&str; 3] = ["tolaria", "tamiyo", "kasmina"];

const MS: Duration = Duration::from_millis(1);

/// Plays it. Whether the ledger balances.
pub(crate) fn run(args: &Args) -> Result<bool, Box<dyn Error>> {
    let config = load(args.config.as_deref())?;
    let temporary = tempfile::tempdir()?;
    let directory = match &args.directory {
        Some(directory) => {
            std::fs::create_dir_all(directory)?;
            directory.as_path()
        }
        None => temporary.path(),
    };
    println!("training on {}", format!("{:?}", args.host).to_lowercase());
    for name in SERVICES {
        println!("{}", introduce(name, &config.for_subsystem(name))?);
    }
    println!();

    let house = House::new(args.host)?;
    let supervisor = Supervisor::start(directory)?;
    let telemetry =
        Telemetry::start(house.start(WorkerConfig::new().name("telemetry").lanes(4))?, &supervisor.socket())?;
    let refused = perform(&house, &config, &telemetry)?;
    telemetry.end()?;
    supervisor.end()?;

    let ledger = Ledger::read(directory, &SERVICES)?;
    let router = telemetry.router.ledger();
    println!("\n{}", ledger.table());
    let taken: u64 = router.accepted.iter().sum();
    println!("the services told {taken} packets; the supervisor keeps {} of theirs", ledger.packets());
    let balances = router.balances()
        && refused.iter().all(|refused| *refused == 0)
        && taken == ledger.packets()
        && ask(directory, "ledger", &[])?.contains("it balances");
    println!("{}", if balances { "it balances" } else { "IT DOES NOT BALANCE" });
    Ok(balances)
}

/// What a service has for itself.
fn introduce(name: &str, config: &ExecutionConfig) -> Result<String, Box<dyn Error>> {
    let mut allowed = Vec::new();
    for policy in config.policies() {
        let policy: DependencyPolicy<4> = policy?;
        allowed.extend(policy.allowed().map(|(fallback, _)| format!("{} ({fallback})", policy.dependency())));
    }
    let limit = match config.worker.run_timeout_ms {
        0 => String::from("none"),
        millis => format!("{millis} ms"),
    };
    Ok(format!("  {name:<8} run time-out {limit:<6} may do without: {}", allowed.join(", ")))
}

fn load(file: Option<&Path>) -> Result<ExecutionConfig, Box<dyn Error>> {
    let loader = match file {
        Some(file) => Loader::new().file(file),
        None => Loader::new().text("training.toml", Format::Toml, include_str!("../training.toml")),
    };
    Ok(loader.environment(Environment::from_process()).load()?.into_config())
}

/// The training. How many events each service could not tell.
fn perform(house: &House, config: &ExecutionConfig, telemetry: &Telemetry) -> Result<Vec<u64>, Box<dyn Error>> {
    let clock = Clock::default();
    let reporters: Vec<_> =
        SERVICES.into_iter().zip(0..).map(|(name, number)| (name, telemetry.reporter(name, number))).collect();
    let shared = WorkerConfig::from(&config.worker).name("shared").observer(Arc::new(Reports::new(reporters.clone())?));
    let worker = house.start_on(&clock, shared)?;
    let service = |index: usize| {
        let (name, reporter) = &reporters[index];
        Service::new(name, config, reporter.clone(), &worker, &clock)
    };
    let mut cast = Cast {
        tolaria: Tolaria::new(service(0)?),
        tamiyo: Tamiyo(service(1)?),
        kasmina: Kasmina::new(service(2)?),
        clock,
        worker,
        run: TrainingRunId::new("run-17")?,
    };
    let cleared = cast.preflight()?;
    cast.first_epoch(&cleared)?;
    cast.second_epoch()?;
    cast.third_epoch()?;
    cast.last_epoch()?;
    Ok(reporters.iter().map(|(_, reporter)| reporter.refused()).collect())
}

/// Everybody, and the clock that is moved.
struct Cast {
    tolaria: Tolaria,
    tamiyo: Tamiyo,
    kasmina: Kasmina,
    clock: Clock,
    worker: Worker,
    run: TrainingRunId,
}

impl Cast {
    /// Nothing is begun that cannot be ended well.
    fn preflight(&self) -> Result<Cleared, Box<dyn Error>> {
        let guard = &self.tolaria.service.guard;
        let runs = Job::fallible(async { Ok::<(), &str>(()) });
        let preflight = Preflight::new([
            Check::here("run", || guard.require("identifier", "training run", Some(self.run)).map(drop)),
            Check::job("tolaria.worker", Duration::from_secs(1), runs).after("run"),
        ])?;
        let cleared = preflight.run_blocking(guard, &self.worker)??;
        self.tolaria.service.tell("all that it depends on is there");
        Ok(cleared)
    }

    /// All is well.
    fn first_epoch(&mut self, _cleared: &Cleared) -> Result<(), Box<dyn Error>> {
        self.tolaria.step(&self.tamiyo, Decision::Germinate, |keeper| {
            self.clock.advance(2 * MS);
            keeper.open();
        })?;
        let (compiling, keeper) = gate();
        let underway = self.kasmina.prefetch(blueprint(1)?, Some(self.run), compiling)?;
        keeper.wait_for_job();
        self.clock.advance(11 * MS);
        keeper.open();
        self.kasmina.settle(underway)?;
        if self.kasmina.command("germinate bp-1", "nonce-1").is_ok() {
            self.kasmina.service.tell("accepts the command to let bp-1 germinate");
        }
        Ok(())
    }

    /// Tamiyo thinks for too long.
    fn second_epoch(&mut self) -> Result<(), Box<dyn Error>> {
        self.tolaria.step(&self.tamiyo, Decision::Advance, |_| self.clock.advance(5 * MS))?;
        Ok(())
    }

    /// A kernel takes too long; a prefetch is for no run; a command comes twice; and a decision comes a millisecond before it is too late.
    fn third_epoch(&mut self) -> Result<(), Box<dyn Error>> {
        let (compiling, keeper) = gate();
        let underway = self.kasmina.prefetch(blueprint(2)?, Some(self.run), compiling)?;
        keeper.wait_for_job();
        self.clock.advance(40 * MS);
        let service = &self.kasmina.service;
        if self.kasmina.settle(underway)?.is_none() {
            let kernel = service.guard.fallback("kernel", "identity", || "identity")?.into_inner();
            service.tell(format_args!("lets the seed idle on the kernel {kernel}"));
        }
        if let Err(violation) = self.kasmina.prefetch(blueprint(3)?, None, gate().0) {
            service.tell(format_args!("refuses: {violation}"));
        }
        if let Err(reason) = self.kasmina.command("germinate bp-1", "nonce-1") {
            service.tell(format_args!("rejects a command: {reason}"));
        }
        self.tolaria.step(&self.tamiyo, Decision::Advance, |keeper| {
            self.clock.advance(4 * MS);
            keeper.open();
        })?;
        Ok(())
    }

    /// The loss explodes. The alarm is durable before anything is stopped.
    fn last_epoch(&self) -> Result<(), Box<dyn Error>> {
        let fate = self.tolaria.emergency("the loss is not a number")?;
        let durable = if fate == Fate::Delivered { "durable" } else { "NOT durable" };
        self.tolaria.service.tell(format_args!("raises the alarm: the loss is not a number ({durable})"));
        let mut underway = Vec::new();
        for (number, has_lane) in [(4, true), (5, true), (6, false)] {
            let (compiling, keeper) = gate();
            let prefetch = self.kasmina.prefetch(blueprint(number)?, Some(self.run), compiling)?;
            if has_lane {
                keeper.wait_for_job();
            }
            underway.push((prefetch, keeper));
        }
        let counts = self.worker.shutdown_blocking(Shutdown::Abort)?.counts;
        for (prefetch, _) in underway {
            self.kasmina.settle(prefetch)?;
        }
        if let Err(rejected) = self.worker.try_submit(Job::task(async {}).name("tolaria.step")) {
            self.tolaria.service.tell(format_args!("goes no further: {}", rejected.reason));
        }
        println!(
            "\n{} jobs: {} completed, {} timed out, {} cancelled",
            counts.accepted, counts.completed, counts.timed_out, counts.cancelled
        );
        Ok(())
    }
}

fn blueprint(number: u32) -> Result<BlueprintId, Box<dyn Error>> {
    Ok(BlueprintId::new(&format!("bp-{number}"))?)
}
