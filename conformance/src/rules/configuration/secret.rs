//! Secrets, in all that is ever shown of a configuration, good or bad.

use countermand_config::{Environment, Export, Format, Listing, Loader, schema};

use super::{broken, toml};
use crate::{Check, ensure};

/// Nobody may see this, whatever is asked for.
const SECRET: &str = "correct-horse-battery-staple";

pub(super) fn shown_nowhere() -> Check {
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
        let loaded = loader.load().map_err(broken)?;
        let found = loaded.config().telemetry.signing_key.expose() == SECRET || !loaded.config().subsystem.is_empty();
        ensure!(found, "the secret was not even read");
        shown.push(format!("{:?} {:?} {:?}", loaded, loaded.values(), loaded.deprecations()));
        shown.push(serde_json::to_string(loaded.config()).map_err(broken)?);
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
            ensure!(listing.text(&loaded, format).contains(SECRET), "asked for, and not shown");
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
        let error = loader.load().err().ok_or_else(|| broken(format_args!("bad input {number} was loaded")))?;
        shown.push(format!("{error} {error:?} {loader:?}"));
    }
    for text in shown {
        // Any part of it is too much.
        for part in ["correct", "horse", "battery", "staple"] {
            ensure!(!text.contains(part), "a secret is shown:\n{text}");
        }
    }
    Ok(cases)
}
