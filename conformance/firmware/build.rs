//! Puts the memory map of the package that is built where the linker looks for it.

use std::{env, fs, path::PathBuf};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    // Relative to the package, in which cargo runs it.
    fs::copy("memory.x", out.join("memory.x"))
        .expect("the package has a memory map, and a directory of cargo's is writable");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=memory.x");
}
