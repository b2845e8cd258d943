//! The rules on this host as a program.

#[path = "../examined/mod.rs"]
mod examined;

countermand_conformance::main!(examined::MyExaminee);
