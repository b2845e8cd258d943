//! The template for a host of somebody else's: a package outside of this workspace, made from it, is built and examined.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Output};

/// What cargo-generate would fill in.
const FILLED: [(&str, &str); 2] = [("{{project-name}}", "somebodys-host"), ("{{crate_name}}", "somebodys_host")];

/// Copies the template with its words filled in, as cargo-generate does it.
fn generate(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("there is a place for it");
    for entry in fs::read_dir(from).expect("the template is there") {
        let entry = entry.expect("its files can be listed");
        let name = entry.file_name().into_string().expect("names are text");
        let target = to.join(name.strip_suffix(".liquid").unwrap_or(&name));
        if entry.path().is_dir() {
            generate(&entry.path(), &target);
            continue;
        }
        let mut text = fs::read_to_string(entry.path()).expect("files are text");
        for (word, value) in FILLED {
            text = text.replace(word, value);
        }
        assert!(!text.contains("{{"), "{target:?} has a word that nobody fills in");
        fs::write(target, text).expect("it can be written");
    }
}

struct Package(PathBuf);

impl Package {
    fn cargo(&self, arguments: &[&str]) -> Output {
        // As the versions here are: nothing is looked up, and what is built already is not built again.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target directory");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(&self.0).args(arguments).env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", target);
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "RUSTFLAGS", "CONFORMANCE_SEED", "CONFORMANCE_EFFORT"] {
            cargo.env_remove(name);
        }
        cargo.output().expect("cargo can be run")
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn said(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    out.into_owned()
}

#[test]
fn a_package_made_from_the_template_is_examined() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = here.parent().expect("the suite is in a workspace");
    let package = Package(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-somebodys-host", process::id())));
    generate(&here.join("template"), &package.0);
    // It is published under these names; here they are taken from where they lie, and everything else as it is locked.
    let path = package.0.join("Cargo.toml");
    let mut manifest = fs::read_to_string(&path).expect("it was written");
    manifest.push_str("\n[workspace]\n\n[patch.crates-io]\n");
    for (name, folder) in
        [("countermand-core", workspace.join("core")), ("countermand-conformance", here.to_path_buf())]
    {
        manifest.push_str(&format!("{name} = {{ path = {:?} }}\n", folder.to_str().expect("paths are text")));
    }
    fs::write(&path, manifest).expect("it can be written");
    fs::copy(workspace.join("Cargo.lock"), package.0.join("Cargo.lock")).expect("the versions are locked");

    let run = ["run", "--quiet", "--example", "conformance"];
    let arguments =
        [&run[..], &["--", "--rule", "T1", "--rule", "J1", "--rule", "L6", "--rule", "B1", "--seed", "1"]].concat();
    let table = said(&package.cargo(&arguments));
    assert!(table.contains("somebodys-host"), "{table}");
    assert!(table.contains("3 passed in ") && table.contains("1 not applicable"), "{table}");
    let tests = said(&package.cargo(&["test", "--quiet", "--test", "rules", "--", "::t1_"]));
    assert!(tests.contains("1 passed") && tests.contains("0 failed"), "{tests}");
}
