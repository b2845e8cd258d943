//! What a service does when something that it depends on is missing.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt::Display;

use crate::config::section::section;
use crate::config::value::{Report, Value};
use crate::config::{Form, Kind};

section! {
    /// What is allowed when a dependency is missing: section `dependencies.<name>`. Nothing is, unless it says so.
    DependencySettings / DependencyOverrides {
        /// Whether the service refuses to start without it.
        required: bool = true, (flag);
        /// Whether any fallback may be used in its place. Off, it overrules what `fallbacks` names.
        fallback_allowed: bool = false, (flag);
        /// The fallbacks that may be used, by name, each with the reason why that is right.
        fallbacks: BTreeMap<String, String> = BTreeMap::new(), (reasons);
    }
}

impl DependencySettings {
    fn check_relations(&self, report: &mut dyn FnMut(&'static str, &dyn Display, &dyn Display)) {
        if self.fallback_allowed && self.fallbacks.is_empty() {
            report(
                "fallback_allowed",
                &true,
                &"no fallback is named in fallbacks: each is allowed by its name, with a reason",
            );
        }
    }
}

impl Value for BTreeMap<String, String> {
    fn examine(&self, _: &Kind, report: Report<'_>) {
        for (name, reason) in self {
            if let Err(why) = Form::NAME.examine(name) {
                report(name, &why);
            }
            if let Err(why) = Form::REASON.examine(reason) {
                report(reason, &why);
            }
        }
    }
}
