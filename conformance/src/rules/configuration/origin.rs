//! Which layer covers which, and that each value tells where it came from.

use countermand_config::{Environment, Format, Loader, Origin};

use super::{broken, toml};
use crate::{Check, ensure};

pub(super) fn layers() -> Check {
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
            let loaded = loader.load().map_err(broken)?;
            let seen = (loaded.config().worker.capacity, loaded.origin("worker.capacity").to_string());
            ensure!(seen == (capacity, origin.to_owned()), "{seen:?} instead of {capacity} from {origin}");
            cases += 1;
        }
    }
    // What a higher layer does not say, a lower one does.
    let loaded = second().environment(variable()).load().map_err(broken)?;
    ensure!(loaded.config().worker.lanes == 2, "lanes from the first file: {}", loaded.config().worker.lanes);
    // An old name is below everything that has the new one, and above the default.
    let loaded = Loader::new().environment(legacy()).load().map_err(broken)?;
    ensure!(loaded.config().worker.lanes == 5, "lanes by the old name: {}", loaded.config().worker.lanes);
    let loaded = first().environment(legacy()).load().map_err(broken)?;
    ensure!(loaded.config().worker.lanes == 2, "the old name covers the new: {}", loaded.config().worker.lanes);
    Ok(cases + 3)
}

pub(super) fn every_value() -> Check {
    let text = "telemetry.signing_key = \"correct-horse\"\n[subsystem.tolaria.worker]\nlanes = 9\n";
    let loaded = toml(text).flag("torch.device", "cpu").load().map_err(broken)?;
    let expected = [
        ("telemetry.signing_key", "service.toml:1:25"),
        ("subsystem.tolaria.worker.lanes", "service.toml:3:9"),
        ("subsystem.tolaria.torch.device", "flag torch.device"),
        ("torch.device", "flag torch.device"),
        ("worker.lanes", "default"),
    ];
    for (key, origin) in expected {
        let seen = loaded.origin(key).to_string();
        ensure!(seen == origin, "{key} says {seen} instead of {origin}");
    }
    let values = loaded.values();
    let given = values.iter().filter(|(_, _, origin)| *origin != Origin::Default).count();
    ensure!(given == 3, "{given} values were given, not 3: {values:?}");
    Ok(values.len() as u64)
}
