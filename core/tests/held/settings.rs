//! The rule that can be asked of the types of the configuration without a heap. The same function is a test here, and runs on a board.

use core::fmt::Display;

use countermand_core::config::{Kind, Order, TorchSettings, Unfit, VersionRange, WorkerSettings};
use countermand_core::{Discipline, Text};

use super::rules::Rule;

/// In the order of the contract.
pub(crate) const ALL: &[Rule] = &[("G6", g6_what_cannot_be_is_named)];

/// Whom a check tells of each fault: the setting, its value, and why that cannot be.
type Report<'a> = &'a mut dyn FnMut(&'static str, &dyn Display, &dyn Display);

/// The first fault that is told, and how many are.
fn faults(check: impl FnOnce(Report<'_>)) -> (Text<96>, u32) {
    let (mut first, mut count) = (Text::new(), 0);
    check(&mut |key, value, why| {
        if count == 0 {
            first = Text::of(format_args!("{key} = {value}: {why}"));
        }
        count += 1;
    });
    (first, count)
}

fn g6_what_cannot_be_is_named() {
    let mut worker = WorkerSettings::default();
    let told = |worker: &WorkerSettings| faults(|report| worker.check(report));
    assert_eq!(told(&worker).1, 0, "the defaults can be");
    worker.capacity = 0;
    let (told_of, count) = told(&worker);
    assert!(told_of.starts_with("capacity = 0: ") && count == 1, "{told_of}");
    worker.capacity = 8;
    worker.lanes = 2;
    worker.drivers = 3;
    let (told_of, count) = told(&worker);
    assert_eq!((&*told_of, count), ("drivers = 3: more drivers than lanes: some would never have a job", 1));
    // A row of the table says what may be, before there is a setting.
    let row = |key| WorkerSettings::SETTINGS.iter().find(|row| row.key == key).expect("there is such a setting");
    let lanes = row("lanes").kind;
    assert!(lanes.examine_number(1).is_ok());
    assert!(matches!(lanes.examine_number(0), Err(Unfit::OutOfRange { least: 1, .. })));
    assert!(matches!(lanes.examine_text("two"), Err(Unfit::NotOfKind(Kind::Number { .. }))), "a wrong type");
    let discipline = row("discipline").kind;
    assert!(discipline.examine_text("strict").is_ok());
    assert!(matches!(discipline.examine_text("stricter"), Err(Unfit::NoSuchWord(_))), "nothing falls back");
    // What is right means what it does with a heap.
    worker.drivers = 1;
    worker.discipline = Order::Strict;
    assert_eq!((told(&worker).1, worker.discipline()), (0, Discipline::Strict));
    assert_eq!(faults(|report| TorchSettings::default().check(report)).1, 0);
    let range = VersionRange::minor(2, 8);
    let accepts = |version: &str| version.parse().is_ok_and(|version| range.contains(&version));
    assert!(accepts("2.8.1+cu126") && !accepts("2.9") && !accepts("2.8.0rc1") && !accepts(""));
}
