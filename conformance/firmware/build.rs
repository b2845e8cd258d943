//! Puts the memory map of the package that is built where the linker looks for it: that of the target, if it has one of its own, which the linker would not look for.

use std::{env, fs, path::PathBuf};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let own = format!("memory.{}.x", env::var("TARGET").expect("cargo sets it"));
    // Relative to the package, in which cargo runs it.
    let map = if fs::exists(&own).unwrap_or(false) { &own } else { "memory.x" };
    fs::copy(map, out.join("memory.x")).expect("the package has a memory map, and a directory of cargo's is writable");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed={map}");
}
