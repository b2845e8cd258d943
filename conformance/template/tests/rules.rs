//! One named test for each rule.

#[path = "../examined/mod.rs"]
mod examined;

countermand_conformance::tests!(examined::MyExaminee);
