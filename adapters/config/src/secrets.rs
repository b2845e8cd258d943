//! What two configurations have otherwise, also where the values are secret.

use std::collections::BTreeMap;

use countermand_core::config::{ExecutionConfig, Secret};
use serde_json::Value;

use crate::loaded::flatten;

/// The dotted keys whose values differ, in their order. A key that only one of the two has differs as well.
pub(crate) fn changed(old: &ExecutionConfig, new: &ExecutionConfig) -> Vec<String> {
    let (old_values, new_values) = (values(old), values(new));
    let (old_secrets, new_secrets) = (secrets(old), secrets(new));
    let values = differing(&old_values, &new_values);
    let secrets = differing(&old_secrets, &new_secrets);
    let mut keys: Vec<String> = values.chain(secrets).cloned().collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn differing<'a, V: PartialEq>(
    old: &'a BTreeMap<String, V>,
    new: &'a BTreeMap<String, V>,
) -> impl Iterator<Item = &'a String> {
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    gone.chain(new.iter().filter(|(key, value)| old.get(*key) != Some(value)).map(|(key, _)| key))
}

/// All values, of which the secret ones all look alike.
fn values(config: &ExecutionConfig) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    if let Ok(value) = serde_json::to_value(config) {
        flatten(&mut String::new(), value, &mut |key, value| {
            values.insert(key.to_owned(), value);
        });
    }
    values
}

/// All secrets that are there, by their dotted keys.
pub(crate) fn secrets(config: &ExecutionConfig) -> BTreeMap<String, &Secret> {
    let shared = [
        ("telemetry.redis_url", &config.telemetry.redis_url),
        ("telemetry.signing_key", &config.telemetry.signing_key),
        ("weatherlight.secret", &config.weatherlight.secret),
    ];
    let mut all: Vec<(String, Option<&Secret>)> = shared.map(|(key, secret)| (key.to_owned(), Some(secret))).into();
    for (name, overrides) in &config.subsystem {
        let own = [
            ("telemetry.redis_url", &overrides.telemetry.redis_url),
            ("telemetry.signing_key", &overrides.telemetry.signing_key),
            ("weatherlight.secret", &overrides.weatherlight.secret),
        ];
        for (key, secret) in own {
            all.push((format!("subsystem.{name}.{key}"), secret.as_ref()));
        }
    }
    all.into_iter().filter_map(|(key, secret)| Some((key, secret?))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use countermand_core::config::{Setting, SubsystemOverrides, TelemetrySettings, WeatherlightSettings};

    use super::*;
    use crate::catalogue::{ROOT, Shape};

    /// A secret that is forgotten here would change unseen.
    #[test]
    fn every_secret_of_the_table_is_among_them() {
        let Shape::Table(sections) = ROOT else { panic!("the root is a table") };
        let of = |(section, shape): &(&'static str, Shape)| match shape {
            Shape::Section(settings) => {
                let secret = |setting: &&Setting| setting.kind.is_secret();
                settings.iter().filter(secret).map(|setting| format!("{section}.{}", setting.key)).collect()
            }
            _ => Vec::new(),
        };
        let table: BTreeSet<String> = sections.iter().flat_map(of).collect();
        let mut config = ExecutionConfig::default();
        let mut own = SubsystemOverrides::default();
        own.telemetry.signing_key = Some("a".into());
        own.weatherlight.secret = Some("b".into());
        config.subsystem.insert("tolaria".into(), own);
        let found: Vec<String> = secrets(&config).into_keys().collect();
        let (own, shared): (Vec<_>, Vec<_>) = found.into_iter().partition(|key| key.starts_with("subsystem."));
        assert_eq!(BTreeSet::from_iter(shared), table);
        assert_eq!(own, ["subsystem.tolaria.telemetry.signing_key", "subsystem.tolaria.weatherlight.secret"]);
        let sections = [TelemetrySettings::SETTINGS, WeatherlightSettings::SETTINGS];
        assert_eq!(table.len(), sections.concat().iter().filter(|setting| setting.kind.is_secret()).count());
    }

    #[test]
    fn what_is_gone_or_new_has_changed() {
        let mut new = ExecutionConfig::default();
        new.worker.lanes = 7;
        new.telemetry.redis_url = "redis://a".into();
        new.dependencies.insert("redis".into(), countermand_core::config::DependencySettings::default());
        let expected = [
            "dependencies.redis.fallback_allowed",
            "dependencies.redis.required",
            "telemetry.redis_url",
            "worker.lanes",
        ];
        assert_eq!(changed(&ExecutionConfig::default(), &new), expected);
        assert_eq!(changed(&new, &ExecutionConfig::default()), expected);
        assert!(changed(&new, &new).is_empty());
    }
}
