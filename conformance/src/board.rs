//! Boards under an emulator: the image is built once, and called with a rule as a child process is.
//!
//! A board is examined only when it is named, since it wants what not every machine has: the emulator, and the library of the target, or its sources.
//! `.ci/baremetal.sh` prepares both on Debian.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::{Candidate, Profile};

/// A board, and how it is emulated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Board {
    name: &'static str,
    target: &'static str,
    machine: &'static str,
    /// The image that examines, and the manifest of its package.
    image: &'static str,
    manifest: &'static str,
    /// What of the library it is built with.
    library: &'static str,
    profile: fn() -> Profile,
    built: &'static OnceLock<Result<PathBuf, String>>,
}

/// An MPS2 board with a Cortex-M3, and a heap: the rules as they are, on embassy.
pub(crate) const CORTEX_M3: Board = Board {
    name: "cortex-m3",
    target: "thumbv7m-none-eabi",
    machine: "mps2-an385",
    image: "rules",
    manifest: FIRMWARE,
    library: "core,alloc",
    profile: || Profile::NONE.alloc(),
    built: &M3_BUILT,
};

/// A micro:bit, with a Cortex-M0, no compare-and-swap and no heap: what can be asked of the tokens that need none.
pub(crate) const CORTEX_M0: Board = Board {
    name: "cortex-m0",
    target: "thumbv6m-none-eabi",
    machine: "microbit",
    image: "held",
    manifest: concat!(env!("CARGO_MANIFEST_DIR"), "/firmware/heapless/Cargo.toml"),
    library: "core",
    profile: || Profile::NONE,
    built: &M0_BUILT,
};

static M3_BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
static M0_BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();

/// All of them, as the program examines them.
pub(crate) const ALL: [Candidate; 2] = [Candidate::board(&CORTEX_M3), Candidate::board(&CORTEX_M0)];

/// The package of the images with a heap; the sources of those without are below it.
const FIRMWARE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/firmware/Cargo.toml");

/// Where the sources of the library are, for a toolchain that does not have the target; printed by `.ci/baremetal.sh prepare`.
const SOURCES: &str = "COUNTERMAND_RUST_SOURCES";

impl Board {
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// What it has. It has one thread, and nothing unwinds.
    pub(crate) const fn profile(&self) -> fn() -> Profile {
        self.profile
    }

    /// Whether its image examines by functions of its own, which need no heap.
    pub(crate) fn has_no_heap(&self) -> bool {
        (self.profile)() == Profile::NONE
    }

    /// The emulator, about to run the image with these arguments.
    ///
    /// # Errors
    ///
    /// When the image cannot be built.
    pub(crate) fn call(&self, arguments: &[String]) -> io::Result<Command> {
        let image = self.built.get_or_init(|| self.build()).as_ref().map_err(|why| io::Error::other(why.clone()))?;
        let arguments: String = arguments.iter().map(|argument| format!(",arg={argument}")).collect();
        let mut emulator = Command::new("qemu-system-arm");
        // Time is counted in instructions: each run of an image is like the last.
        emulator
            .args(["-machine", self.machine, "-nographic", "-monitor", "none", "-serial", "none"])
            .args(["-icount", "shift=6,sleep=off"])
            .arg("-semihosting-config")
            .arg(format!("enable=on,target=native,arg={}{arguments}", self.image))
            .arg("-kernel")
            .arg(image);
        Ok(emulator)
    }

    /// Builds the image, in a target directory of its own.
    fn build(&self) -> Result<PathBuf, String> {
        let program = env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
        // target/release/conformance, or one below.
        let target = program
            .ancestors()
            .find(|place| place.join("CACHEDIR.TAG").exists())
            .map_or_else(|| Path::new(FIRMWARE).with_file_name("target"), |target| target.join("baremetal"));
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(["build", "--quiet", "--locked", "--release", "--bin", self.image, "--target", self.target])
            .args(["--manifest-path", self.manifest, "--target-dir"])
            .arg(&target)
            .stdout(Stdio::null());
        if cfg!(feature = "mutants") {
            cargo.args(["--features", "mutants"]);
        }
        if let Some(sources) = env::var_os(SOURCES) {
            cargo
                .arg(format!("-Zbuild-std={}", self.library))
                .env("RUSTC_BOOTSTRAP", "1")
                .env("__CARGO_TESTS_ONLY_SRC_ROOT", sources);
        }
        let status =
            cargo.status().map_err(|error| format!("cannot run cargo to build the image of {}: {error}", self.name))?;
        if status.success() {
            return Ok(target.join(self.target).join("release").join(self.image));
        }
        Err(format!(
            "the image of {} was not built ({status}); `rustup target add {}` brings what is needed, or on Debian \
             `eval \"$(.ci/baremetal.sh prepare)\"`",
            self.name, self.target
        ))
    }
}
