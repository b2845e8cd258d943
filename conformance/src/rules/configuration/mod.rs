//! Group G, what of it is about the configuration: nothing of it says anything of a host.

mod limit;
mod origin;
mod refusal;
mod reload;
mod secret;

use std::fmt::Display;

use countermand_config::{Format, LoadError, Loader};

use crate::rule::rules;
use crate::{Bench, Check, Flaw};

rules! {
    "G5" g5_loading_is_deterministic_and_every_value_tells_its_origin => once;
    "G6" g6_nothing_is_ignored_and_nothing_falls_back => once;
    "G7" g7_a_reload_is_atomic_and_a_bad_one_leaves_the_old => once;
    "G8" g8_secrets_are_shown_nowhere_and_input_is_limited => once;
}

async fn g5_loading_is_deterministic_and_every_value_tells_its_origin(_: &Bench) -> Check {
    Ok(origin::layers()? + origin::every_value()?)
}

async fn g6_nothing_is_ignored_and_nothing_falls_back(_: &Bench) -> Check {
    Ok(refusal::each_by_itself()? + refusal::all_at_once()?)
}

async fn g7_a_reload_is_atomic_and_a_bad_one_leaves_the_old(_: &Bench) -> Check {
    Ok(reload::old_or_new()? + reload::a_bad_one()?)
}

async fn g8_secrets_are_shown_nowhere_and_input_is_limited(_: &Bench) -> Check {
    Ok(secret::shown_nowhere()? + limit::each_says_so()?)
}

/// What was seen instead.
fn broken(seen: impl Display) -> Flaw {
    Flaw::Broken(seen.to_string())
}

fn toml(text: &str) -> Loader {
    Loader::new().text("service.toml", Format::Toml, text)
}

fn refused(loader: &Loader) -> Result<LoadError, Flaw> {
    loader.load().err().ok_or_else(|| broken("what cannot be was loaded"))
}
