//! `cargo xtask ci`: every check, cheap ones first, and the tests last.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Context, Failure};
use crate::setup::{self, Need};
use crate::{container, file_length, hygiene, repository, requirements, shell, step, testing, unit};

/// The one version of the dependency checker, built from crates.io.
const CARGO_DENY_VERSION: &str = "0.20.2";

type Check = (&'static str, fn() -> Result<(), Failure>);

/// In the order of running.
const CHECKS: [Check; 10] = [
    ("format", format),
    ("hygiene", hygiene::check),
    ("file-length", file_length::check),
    ("requirements", requirements::check),
    ("container", container::check),
    ("unit", unit::check),
    ("shell", shell_scripts),
    ("dependencies", dependencies),
    ("clippy", clippy),
    ("documentation", documentation),
];

/// Runs all checks, then all tests; fails when any of them failed.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    if let Some(argument) = arguments.first() {
        return Err(Failure::usage(format!("ci does not know {argument:?}; for single checks: xtask checks NAME")));
    }
    let checks = run_checks(&[]);
    let tests = testing::run(&testing::Options::default());
    match (checks, tests) {
        (Ok(()), tests) => tests,
        (checks, Ok(())) => checks,
        (Err(checks), Err(tests)) => Err(Failure::new(format!("{checks}; and {tests}"))),
    }
}

/// Runs the named checks, or all; a failing one does not hide the others.
pub(crate) fn run_checks(names: &[String]) -> Result<(), Failure> {
    if let Some(unknown) = names.iter().find(|name| CHECKS.iter().all(|(known, _)| known != name)) {
        let known: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
        return Err(Failure::usage(format!("unknown check {unknown:?}; there are {}", known.join(", "))));
    }
    let chosen = CHECKS.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|chosen| chosen == name));
    let failed: Vec<&str> =
        chosen.filter(|(name, check)| step::run(name, check).is_err()).map(|(name, _)| *name).collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure::new(format!("checks failed: {}", failed.join(", ")))) }
}

/// The workspace and the one beside it, whose program `cargo xtask test` builds.
fn workspaces() -> Result<[PathBuf; 2], Failure> {
    let root = repository::root()?;
    let other = root.join(testing::OPENIDCONNECT_FOLDER);
    Ok([root, other])
}

fn format() -> Result<(), Failure> {
    let check = |folder| shell::run(shell::cargo().current_dir(folder).args(["fmt", "--all", "--check"]));
    workspaces()?.into_iter().try_for_each(check)
}

fn clippy() -> Result<(), Failure> {
    let mut command = shell::cargo();
    command.current_dir(repository::root()?).args(["clippy", "--workspace", "--all-targets", "--quiet", "--"]);
    shell::run(command.args(["--deny", "warnings"]))
}

fn documentation() -> Result<(), Failure> {
    let mut command = shell::cargo();
    command.current_dir(repository::root()?).env("RUSTDOCFLAGS", "--deny warnings");
    shell::run(command.args(["doc", "--workspace", "--no-deps", "--quiet"]))
}

fn shell_scripts() -> Result<(), Failure> {
    setup::ensure(&[Need::Shellcheck])?;
    let files = repository::list_files()?;
    let scripts = files.iter().filter(|file| file.path == ".ci/run" || file.has_extension(&["sh"]));
    let paths: Vec<&str> = scripts.map(|file| file.path.as_str()).collect();
    shell::run(Command::new("shellcheck").current_dir(repository::root()?).arg("--").args(paths))
}

fn dependencies() -> Result<(), Failure> {
    let (program, rules) = (install_cargo_deny()?, repository::root()?.join("deny.toml"));
    workspaces()?.into_iter().try_for_each(|folder| {
        let mut command = Command::new(&program);
        command.current_dir(folder).arg("--config").arg(&rules).args(["--log-level", "error", "check"]);
        shell::run(command.args(["--hide-inclusion-graph", "bans", "licenses", "sources"]))
    })
}

/// Installs cargo-deny once into `tools` of the target folder, unoptimized: it builds in a third of the time.
fn install_cargo_deny() -> Result<PathBuf, Failure> {
    let build = shell::build_folder()?;
    let target = build.parent().ok_or_else(|| Failure::new("the build folder has no parent"))?;
    let tools = target.join("tools").join(format!("cargo-deny-{CARGO_DENY_VERSION}"));
    let program = tools.join("bin/cargo-deny");
    if program.is_file() {
        return Ok(program);
    }
    let work = tools.join("build");
    let mut install = shell::cargo();
    install.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0").env("CARGO_TARGET_DIR", &work);
    install.args(["install", "cargo-deny", "--version", CARGO_DENY_VERSION, "--locked", "--debug", "--quiet"]);
    shell::run(install.args(["--no-default-features", "--no-track", "--root"]).arg(&tools))?;
    std::fs::remove_dir_all(&work).context("removing the build of cargo-deny")?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_check_is_refused_before_any_runs() {
        let failure = run_checks(&["format".into(), "spelling".into()]).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.to_string().contains("\"spelling\""));
    }
}
