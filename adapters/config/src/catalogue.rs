//! The tree of all settings, for whoever walks it: the loader, the schema, the template, the listing.

use countermand_core::config::{
    DependencySettings, Form, Kind, Setting, TelemetrySettings, TorchSettings, WeatherlightSettings, WorkerSettings,
};

/// A place in the tree that has names below it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// These names.
    Table(&'static [(&'static str, Shape)]),
    /// The settings of a section.
    Section(&'static [Setting]),
    /// Any name of its form, each with the same below it.
    Named(&'static Shape),
    /// Any name of its form, each with a reason.
    Reasons,
}

/// What a name leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Further names.
    Inner(Shape),
    /// A value of this kind.
    Leaf(Kind),
}

const WORKER: Shape = Shape::Section(WorkerSettings::SETTINGS);
const TORCH: Shape = Shape::Section(TorchSettings::SETTINGS);
const DEPENDENCY: Shape = Shape::Section(DependencySettings::SETTINGS);
const TELEMETRY: Shape = Shape::Section(TelemetrySettings::SETTINGS);
const WEATHERLIGHT: Shape = Shape::Section(WeatherlightSettings::SETTINGS);
const DEPENDENCIES: Shape = Shape::Named(&DEPENDENCY);
const SUBSYSTEM: Shape = Shape::Table(&[
    ("worker", WORKER),
    ("torch", TORCH),
    ("dependencies", DEPENDENCIES),
    ("telemetry", TELEMETRY),
    ("weatherlight", WEATHERLIGHT),
]);

/// The whole configuration.
pub(crate) const ROOT: Shape = Shape::Table(&[
    ("worker", WORKER),
    ("torch", TORCH),
    ("dependencies", DEPENDENCIES),
    ("telemetry", TELEMETRY),
    ("weatherlight", WEATHERLIGHT),
    ("subsystem", Shape::Named(&SUBSYSTEM)),
]);

impl Shape {
    /// Where `name` leads from here; nowhere, if there is no such name.
    pub(crate) fn step(self, name: &str) -> Option<Step> {
        match self {
            Self::Table(names) => names.iter().find(|(own, _)| *own == name).map(|(_, shape)| Step::Inner(*shape)),
            Self::Section(settings) => {
                settings.iter().find(|setting| setting.key == name).map(|setting| match setting.kind {
                    Kind::Reasons => Step::Inner(Self::Reasons),
                    kind => Step::Leaf(kind),
                })
            }
            Self::Named(shape) => is_name(name).then_some(Step::Inner(*shape)),
            Self::Reasons => is_name(name).then_some(Step::Leaf(Kind::Text(&Form::REASON))),
        }
    }

    /// The names that are known here; none where any name of its form will do.
    pub(crate) fn names(self) -> Vec<&'static str> {
        match self {
            Self::Table(names) => names.iter().map(|(name, _)| *name).collect(),
            Self::Section(settings) => settings.iter().map(|setting| setting.key).collect(),
            Self::Named(_) | Self::Reasons => Vec::new(),
        }
    }
}

fn is_name(name: &str) -> bool {
    Form::NAME.examine(name).is_ok()
}

/// Where a dotted path leads.
pub(crate) fn find<'a>(path: impl IntoIterator<Item = &'a str>) -> Option<Step> {
    path.into_iter().try_fold(Step::Inner(ROOT), |step, name| match step {
        Step::Inner(shape) => shape.step(name),
        Step::Leaf(_) => None,
    })
}

/// The longest name that is compared with others: comparing takes time that grows with the product of the lengths.
const LONGEST_COMPARED: usize = 64;

/// The one of `known` that `name` most likely stands for.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST_COMPARED {
        return None;
    }
    let similar = known.into_iter().map(|other| (strsim::jaro_winkler(name, other), other));
    let best = similar.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 > 0.8).then_some(best.1)
}
