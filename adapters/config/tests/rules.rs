//! Rules G5 to G8 of the contract, each as a function that says what was broken, or over how many cases the rule held.
//!
//! They know nothing of any host, and nothing but the public face of the loader.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use countermand_config::{
    Environment, Export, Format, Limits, Listing, Live, LoadError, Loader, Origin, ProblemKind, Reload, schema,
};
use countermand_core::config::ExecutionConfig;

/// What a rule function returns: over how many cases it held, or what was seen instead.
type Check = Result<u64, String>;

macro_rules! demand {
    ($holds:expr, $($seen:tt)+) => {
        if !$holds {
            return Err(format!($($seen)+));
        }
    };
}

fn toml(text: &str) -> Loader {
    Loader::new().text("service.toml", Format::Toml, text)
}

fn refused(loader: &Loader) -> Result<LoadError, String> {
    loader.load().err().ok_or_else(|| String::from("what cannot be was loaded"))
}

fn g5_flags_over_environment_over_file_over_defaults() -> Check {
    let variable = || Environment::from_iter([("COUNTERMAND_WORKER__CAPACITY", "30")]);
    let legacy = || Environment::from_iter([("ASYNC_WORKER_MAX_CONCURRENCY", "5")]);
    let first = || Loader::new().text("first.toml", Format::Toml, "[worker]\ncapacity = 10\nlanes = 2\n");
    let second = || first().text("second.json", Format::Json, "{\"worker\": {\"capacity\": 20}}");
    // What each layer covers, from the lowest to the highest: the value, and where it came from.
    let layers = [
        (Loader::new(), 1024, "default"),
        (first(), 10, "first.toml:2:12"),
        (second(), 20, "second.json:1:25"),
        (second().environment(variable()), 30, "variable COUNTERMAND_WORKER__CAPACITY"),
        (second().environment(variable()).flag("worker.capacity", "40"), 40, "flag worker.capacity"),
    ];
    let mut cases = 0;
    for (loader, capacity, origin) in layers {
        // The same input, the same result.
        for _ in 0..2 {
            let loaded = loader.load().map_err(|error| error.to_string())?;
            let seen = (loaded.config().worker.capacity, loaded.origin("worker.capacity").to_string());
            demand!(seen == (capacity, origin.to_owned()), "{seen:?} instead of {capacity} from {origin}");
            cases += 1;
        }
    }
    // What a higher layer does not say, a lower one does.
    let loaded = second().environment(variable()).load().map_err(|error| error.to_string())?;
    demand!(loaded.config().worker.lanes == 2, "lanes from the first file: {}", loaded.config().worker.lanes);
    // An old name is below everything that has the new one, and above the default.
    let loaded = Loader::new().environment(legacy()).load().map_err(|error| error.to_string())?;
    demand!(loaded.config().worker.lanes == 5, "lanes by the old name: {}", loaded.config().worker.lanes);
    let loaded = first().environment(legacy()).load().map_err(|error| error.to_string())?;
    demand!(loaded.config().worker.lanes == 2, "the old name covers the new: {}", loaded.config().worker.lanes);
    Ok(cases + 3)
}

fn g5_every_value_tells_where_it_came_from() -> Check {
    let text = "telemetry.signing_key = \"correct-horse\"\n[subsystem.tolaria.worker]\nlanes = 9\n";
    let loaded = toml(text).flag("torch.device", "cpu").load().map_err(|error| error.to_string())?;
    let expected = [
        ("telemetry.signing_key", "service.toml:1:25"),
        ("subsystem.tolaria.worker.lanes", "service.toml:3:9"),
        ("subsystem.tolaria.torch.device", "flag torch.device"),
        ("torch.device", "flag torch.device"),
        ("worker.lanes", "default"),
    ];
    for (key, origin) in expected {
        let seen = loaded.origin(key).to_string();
        demand!(seen == origin, "{key} says {seen} instead of {origin}");
    }
    let values = loaded.values();
    let given = values.iter().filter(|(_, _, origin)| *origin != Origin::Default).count();
    demand!(given == 3, "{given} values were given, not 3: {values:?}");
    Ok(values.len() as u64)
}

fn g6_nothing_is_ignored_and_nothing_falls_back() -> Check {
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
        let [problem] = error.problems() else { return Err(format!("not one problem: {error}")) };
        let seen = (problem.kind, problem.key.as_str(), problem.origin.to_string());
        demand!(seen == (kind, key, origin.to_owned()), "{seen:?} instead of {kind:?} {key} {origin}");
    }
    Ok(cases)
}

fn g6_all_problems_are_told_at_once() -> Check {
    let loader = toml("worker.lnaes = 8\nworker.lanes = 0\ntorch.device = 7\nworker.capacity = 1\nworker.capacity = 2")
        .text("more.json", Format::Json, "{\"worker\": {\"drivers\": -1}, \"worker\": {}}")
        .environment(Environment::from_iter([("COUNTERMAND_NO__SUCH", "1"), ("OONA_MESSAGE_TTL_MS", "1")]))
        .flag("telemetry.log_level", "loud");
    let error = refused(&loader)?;
    demand!(error.problems().len() == 9, "{} problems told instead of 9:\n{error}", error.problems().len());
    // What is covered must be right as well.
    let covered = refused(&toml("worker.lanes = 0").flag("worker.lanes", "8"))?;
    demand!(covered.problems()[0].kind == ProblemKind::BadValue, "a bad value hid below a good one: {covered}");
    // More than are told are counted.
    let many: String = (0..100).map(|number| format!("no_{number} = 1\n")).collect();
    let error = refused(&toml(&many))?;
    demand!(
        (error.problems().len(), error.untold()) == (64, 36),
        "{} told, {} not",
        error.problems().len(),
        error.untold()
    );
    Ok(3)
}

fn g7_a_reload_is_atomic_old_or_new() -> Check {
    // Two values that are always the same number, read while they change.
    let both = |number: u32| toml(&format!("worker.lanes = {number}\nworker.capacity = {number}"));
    let live = Live::new(both(1), |_| {}).map_err(|error| error.to_string())?;
    let (stop, torn) = (AtomicBool::new(false), AtomicUsize::new(0));
    let reads = thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let mut reader = live.reader();
                let (stop, torn) = (&stop, &torn);
                scope.spawn(move || {
                    let (mut reads, mut last) = (0_u64, 0);
                    while !stop.load(Ordering::Relaxed) || last != 200 {
                        let worker = &reader.read().worker;
                        // Never half of one and half of another, never an older one after a newer.
                        torn.fetch_add(
                            usize::from(worker.lanes != worker.capacity || worker.lanes < last),
                            Ordering::Relaxed,
                        );
                        (reads, last) = (reads + 1, worker.lanes);
                    }
                    reads
                })
            })
            .collect();
        for number in 2..=200 {
            live.reload_from(both(number)).expect("it is valid");
        }
        stop.store(true, Ordering::Relaxed);
        readers.into_iter().map(|reader| reader.join().expect("it does not panic")).sum()
    });
    let torn = torn.into_inner();
    demand!(torn == 0, "{torn} of {reads} reads saw half of two configurations");
    Ok(reads)
}

fn g7_a_bad_reload_leaves_the_old_in_force_and_says_so() -> Check {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("service.toml");
    let write = |text: &str| fs::write(&file, text).map_err(|error| error.to_string());
    write("worker.lanes = 7\n")?;
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let observer = move |event: &Reload| told.lock().expect("nobody panics").push(event.clone());
    let environment = Environment::from_iter([("ESP_LOG_LEVEL", "ERROR")]);
    let live =
        Live::new(Loader::new().file(&file).environment(environment), observer).map_err(|error| error.to_string())?;
    let mut reader = live.reader();
    let take = || std::mem::take(&mut *events.lock().expect("nobody panics"));

    for bad in ["worker.lanes = 0\n", "worker.lnaes = 8\n", "worker.lanes = ", "\u{0}"] {
        write(bad)?;
        let error = live.reload().err().ok_or("a bad file was loaded")?;
        demand!(reader.read().worker.lanes == 7, "the old one is gone: {}", reader.read().worker.lanes);
        let events = take();
        demand!(events == [Reload::Refused(error)], "not one event that says so: {events:?}");
    }
    fs::remove_file(&file).map_err(|error| error.to_string())?;
    demand!(live.reload().is_err() && take().len() == 1, "a file that is gone was loaded");

    write("worker.lanes = 8\ntelemetry.signing_key = \"correct-horse\"\n")?;
    live.reload().map_err(|error| error.to_string())?;
    demand!(reader.read().worker.lanes == 8, "the new one is not in force");
    let events = take();
    let [Reload::Applied { changed, deprecations }] = &events[..] else { return Err(format!("{events:?}")) };
    demand!(changed == &["telemetry.signing_key", "worker.lanes"], "changed: {changed:?}");
    demand!(deprecations.is_empty(), "an old name that was known is reported again: {deprecations:?}");
    demand!(!format!("{events:?}{live:?}").contains("correct"), "a secret is told");

    // A secret for another: nothing of it can be seen but that it changed.
    write("worker.lanes = 8\ntelemetry.signing_key = \"battery-staple\"\n")?;
    live.reload().map_err(|error| error.to_string())?;
    let events = take();
    let [Reload::Applied { changed, .. }] = &events[..] else { return Err(format!("{events:?}")) };
    demand!(changed == &["telemetry.signing_key"], "changed: {changed:?}");
    Ok(7)
}

/// Nobody may see this, whatever is asked for.
const SECRET: &str = "correct-horse-battery-staple";

fn g8_secrets_are_shown_nowhere() -> Check {
    let url = format!("redis://admin:{SECRET}@localhost:6379");
    let texts = [
        format!("[telemetry]\nsigning_key = \"{SECRET}\"\nredis_url = \"{url}\"\n"),
        format!("[subsystem.tolaria.telemetry]\nsigning_key = \"{SECRET}\"\nredis_url = \"{url}\"\n"),
    ];
    let variables = || {
        let signing = ("COUNTERMAND_TELEMETRY__SIGNING_KEY", SECRET);
        Environment::from_iter([signing, ("ESPER_LEYLINE_SECRET", SECRET), ("REDIS_URL", &url)])
    };
    let good = [
        toml(&texts[0]),
        toml(&texts[1]),
        Loader::new().environment(variables()),
        Loader::new().flag("telemetry.signing_key", SECRET),
    ];
    let mut shown = vec![format!("{:?} {:?}", variables(), good), schema().to_string()];
    for loader in &good {
        let loaded = loader.load().map_err(|error| error.to_string())?;
        let found = loaded.config().telemetry.signing_key.expose() == SECRET || !loaded.config().subsystem.is_empty();
        demand!(found, "the secret was not even read");
        shown.push(format!("{:?} {:?} {:?}", loaded, loaded.values(), loaded.deprecations()));
        shown.push(serde_json::to_string(loaded.config()).map_err(|error| error.to_string())?);
        for export in [Export::Env, Export::Json, Export::Python] {
            shown.push(export.text(&loaded.config().torch));
        }
        for format in [Format::Toml, Format::Json] {
            let mut listing = Listing::new();
            shown.push(listing.text(&loaded, format));
            listing.origins = true;
            shown.push(listing.text(&loaded, format));
            // Unless somebody asks: then it is there, so the texts above were looked at for the right thing.
            listing.reveal_secrets = true;
            demand!(listing.text(&loaded, format).contains(SECRET), "asked for, and not shown");
        }
    }
    // In what cannot be: wrong in itself, in the wrong place, misspelt, beside another fault in the same line, not even TOML or JSON.
    let json = |text: String| Loader::new().text("service.json", Format::Json, text);
    let bad = [
        toml(&format!("telemetry.signing_key = \"{SECRET} \"")),
        toml(&format!("telemetry.signing_key = [\"{SECRET}\"]")),
        toml(&format!("telemetry.signing_key = {{ value = \"{SECRET}\" }}")),
        toml(&format!("telemetry.redis_url = \"http://{SECRET}\"")),
        toml(&format!("worker.signing_key = \"{SECRET}\"")),
        toml(&format!("telemetry.singing_kye = \"{SECRET}\"")),
        toml(&format!("password = \"{SECRET}\"")),
        toml(&format!("telemetry.signing_key = \"{SECRET}")),
        toml(&format!("telemetry.signing_key = {SECRET}")),
        toml(&format!("telemetry.signing_key = \"{SECRET}\"\ntelemetry.signing_key = \"{SECRET}\"")),
        toml(&format!("telemetry = {{ signing_key = \"{SECRET}\", lanes = 1 }}")),
        toml(&format!("telemetry.signing_key = \"\"\"\n{SECRET}\n{SECRET}")),
        json(format!("{{\"telemetry\": {{\"signing_key\": \"{SECRET}\", \"sinks\": 7}}}}")),
        json(format!("{{\"telemetry\": {{\"signing_key\": \"{SECRET}\" \"sinks\": 7}}}}")),
        json(format!("{{\"telemetry\": {{\"signing_key\": \"{SECRET}")),
        json(format!("{{\"telemetry\": {{\"signing_key\" \"{SECRET}\"}}}}")),
        Loader::new().environment(Environment::from_iter([("COUNTERMAND_TELEMETRY__SINGING_KEY", SECRET)])),
        Loader::new().environment(Environment::from_iter([("COUNTERMAND_TELEMETRY", SECRET)])),
        Loader::new().environment(Environment::from_iter([("REDIS_URL", SECRET)])),
        Loader::new().environment(variables()).strict(true),
        Loader::new().environment(Environment::from_text("service.env", &format!("REDIS_URL\n{SECRET}\n"))),
        Loader::new().flag("telemetry.signing_kye", SECRET),
        Loader::new().flag("telemetry.signing_key", format!("{SECRET} ")),
    ];
    let cases = (good.len() + bad.len()) as u64;
    for (number, loader) in bad.iter().enumerate() {
        let error = loader.load().err().ok_or_else(|| format!("bad input {number} was loaded"))?;
        shown.push(format!("{error} {error:?} {loader:?}"));
    }
    for text in shown {
        // Any part of it is too much.
        for part in ["correct", "horse", "battery", "staple"] {
            demand!(!text.contains(part), "a secret is shown:\n{text}");
        }
    }
    Ok(cases)
}

fn g8_input_is_limited_and_each_limit_says_so() -> Check {
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
            return Err(format!("case {number} is beyond a limit, and none is named: {error}"));
        };
        demand!(limit.message.contains("limit"), "{}", limit.message);
    }
    // Up to the limits nothing is refused.
    let within = toml("telemetry.sinks = [\"journal\"]\nworker.lanes = 2\n").limits(limits).load();
    demand!(within.is_ok(), "within the limits: {within:?}");
    demand!(
        Loader::new().load().is_ok_and(|loaded| *loaded.config() == ExecutionConfig::default()),
        "no input, not the defaults"
    );
    Ok(cases + 2)
}

macro_rules! tests {
    ($($rule:ident),+ $(,)?) => {
        mod rule {
            $(
                #[test]
                fn $rule() {
                    match super::$rule() {
                        Ok(cases) => {
                            println!("held in {cases} cases");
                            assert!(cases > 0, "a check that looked at nothing has failed");
                        }
                        Err(seen) => panic!("broken: {seen}"),
                    }
                }
            )+
        }
    };
}

tests!(
    g5_flags_over_environment_over_file_over_defaults,
    g5_every_value_tells_where_it_came_from,
    g6_nothing_is_ignored_and_nothing_falls_back,
    g6_all_problems_are_told_at_once,
    g7_a_reload_is_atomic_old_or_new,
    g7_a_bad_reload_leaves_the_old_in_force_and_says_so,
    g8_secrets_are_shown_nowhere,
    g8_input_is_limited_and_each_limit_says_so,
);
