//! The defects of the core: which rule sees each, and how soon.

use std::process::ExitCode;

use super::args::Args;
#[cfg(feature = "mutants")]
use super::args::Format;
#[cfg(feature = "mutants")]
use super::{deliver, exit_code, is_coloured, progress};
use crate::bench::Order;
#[cfg(feature = "mutants")]
use crate::mutants::Suspect;
#[cfg(feature = "mutants")]
use crate::report::{self, Replay};
use crate::{Candidate, Rule};

#[cfg(feature = "mutants")]
pub(super) fn mutants(
    args: &Args,
    hosts: &[Candidate],
    chosen: &[&'static Rule],
    order: Order,
) -> Result<ExitCode, String> {
    if args.power {
        return power(args, hosts, chosen, order);
    }
    let suspects = if args.lying_hosts { Suspect::of_hosts() } else { Suspect::all() };
    let cull = watched(|note| crate::mutants::cull(suspects, hosts, chosen, order, note))?;
    let text = match args.format {
        Format::Table => report::kills(&cull, &Replay::of_this_program(args.budget), is_coloured(args.out.as_deref())),
        Format::Json => report::kills_json(&cull)?,
        Format::Junit | Format::Html => return Err("mutants are reported as table or json".to_owned()),
    };
    deliver(args.out.as_deref(), &text)?;
    Ok(exit_code(cull.verdict()))
}

#[cfg(feature = "mutants")]
fn power(args: &Args, hosts: &[Candidate], chosen: &[&'static Rule], order: Order) -> Result<ExitCode, String> {
    let powers = watched(|note| crate::power::measure(hosts, chosen, order, note))?;
    let text = match args.format {
        Format::Table => report::strength(&powers, is_coloured(args.out.as_deref())),
        Format::Json => report::strength_json(&powers)?,
        Format::Junit | Format::Html => return Err("power is reported as table or json".to_owned()),
    };
    deliver(args.out.as_deref(), &text)?;
    Ok(exit_code(powers.verdict()))
}

/// Runs what tells how far it is, under a bar.
#[cfg(feature = "mutants")]
fn watched<T>(run: impl FnOnce(&mut dyn FnMut(usize, usize, &str)) -> std::io::Result<T>) -> Result<T, String> {
    let bar = progress(0);
    let done = run(&mut |done, total, what| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        bar.set_message(what.to_owned());
    });
    bar.finish_and_clear();
    done.map_err(|error| format!("a child process could not be run: {error}"))
}

/// Builds this program with the defects in it, under another name, and hands everything over to that.
#[cfg(not(feature = "mutants"))]
pub(super) fn mutants(_: &Args, _: &[Candidate], _: &[&'static Rule], order: Order) -> Result<ExitCode, String> {
    use std::env;
    use std::process::Command;

    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let program = env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
    // target/release/conformance
    let target = program.ancestors().nth(2).ok_or("this program is in no target directory")?;
    let mut arguments: Vec<_> = env::args_os().skip(1).collect();
    if !env::args().any(|argument| argument == "--seed" || argument.starts_with("--seed=")) {
        arguments.extend(["--seed".into(), order.seed.to_string().into()]);
    }
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--release", "--features", "mutants", "--bin", "conformance-mutants"])
        .args(["--manifest-path", manifest, "--target-dir"])
        .arg(target)
        .arg("--")
        .args(arguments)
        .status()
        .map_err(|error| format!("cannot run cargo to build the mutants: {error}"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    match code {
        Some(code @ 0..=3) => Ok(ExitCode::from(code)),
        // 101: cargo could not build it.
        _ => Err(format!("the build with mutants ended with {status}")),
    }
}
