//! What the checks and tests need on the machine: found, installed when root, else named.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Context, Failure};
use crate::{postgres, repository, shell};

/// The Playwright tests, a package of their own.
pub(crate) const BROWSER_FOLDER: &str = "crates/testkit/browser";
/// better-auth as the benchmarks run it, a package of its own.
const BETTER_AUTH_FOLDER: &str = "bench/peers/better-auth";
/// oidc-provider as the benchmarks run it, a package of its own.
const OIDC_PROVIDER_FOLDER: &str = "bench/peers/oidc-provider";
const JOSE_FOLDER: &str = "bench/peers/jose";
/// The lock file that `node_modules` was installed from, kept beside the packages.
const INSTALLED_LOCK: &str = "node_modules/.installed-package-lock.json";

/// A program that some step runs, and the Debian packages that bring it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// `initdb` and its siblings.
    Postgres,
    /// A real browser.
    Chromium,
    /// Counts system calls in the durability tests.
    Strace,
    /// Runs the browser tests.
    Node,
    /// Runs Schemathesis.
    Python,
    /// Checks shell scripts.
    Shellcheck,
}

impl Need {
    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "a PostgreSQL server (initdb)",
            Self::Chromium => "chromium",
            Self::Strace => "strace",
            Self::Node => "node 18 or newer, and npm",
            Self::Python => "python3 with venv",
            Self::Shellcheck => "shellcheck",
        }
    }

    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql"],
            Self::Chromium => &["chromium"],
            Self::Strace => &["strace"],
            Self::Node => &["nodejs", "npm"],
            Self::Python => &["python3", "python3-venv"],
            Self::Shellcheck => &["shellcheck"],
        }
    }

    fn is_met(self) -> bool {
        match self {
            Self::Postgres => postgres::find_programs().is_some(),
            Self::Chromium => find_chromium().is_some(),
            Self::Strace => shell::find_program("strace").is_some(),
            Self::Node => node_version().is_some_and(|major| major >= 18) && shell::find_program("npm").is_some(),
            Self::Python => has_python(),
            Self::Shellcheck => shell::find_program("shellcheck").is_some(),
        }
    }
}

/// The browser, under the names that distributions give it.
pub(crate) fn find_chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser"].iter().find_map(|name| shell::find_program(name))
}

/// Debian ships `venv` without what it needs; that comes with a package of its own.
fn has_python() -> bool {
    shell::output(Command::new("python3").args(["-c", "import venv, ensurepip"])).is_ok()
}

/// The major version of Node.js, where there is one.
fn node_version() -> Option<u32> {
    let said = shell::output(Command::new(shell::find_program("node")?).arg("--version")).ok()?;
    said.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Makes sure of every need: installs what is missing when root, else fails and names it.
pub(crate) fn ensure(needs: &[Need]) -> Result<(), Failure> {
    let missing = list_missing(needs);
    if missing.is_empty() {
        println!("    nothing to install");
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages()).copied().collect();
    if !shell::is_root() || shell::find_program("apt-get").is_none() {
        return Err(Failure::new(explain_missing(&missing, &packages)));
    }
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages.as_slice()].concat())?;
    let still_missing = list_missing(needs);
    if still_missing.is_empty() { Ok(()) } else { Err(Failure::new(explain_missing(&still_missing, &packages))) }
}

/// Installs the browser tests' npm packages, unless exactly these are there.
pub(crate) fn install_browser_packages() -> Result<(), Failure> {
    install_npm_packages(BROWSER_FOLDER, &["--ignore-scripts"])
}

/// Installs better-auth, which benchmarks compare with. Its database is compiled here: a ready-made one would be
/// downloaded from outside the registry.
pub(crate) fn install_better_auth() -> Result<(), Failure> {
    install_npm_packages(BETTER_AUTH_FOLDER, &["--build-from-source"])
}

/// Installs oidc-provider, which benchmarks compare with, and the Node.js that it asks for.
pub(crate) fn install_oidc_provider() -> Result<(), Failure> {
    install_npm_packages(OIDC_PROVIDER_FOLDER, &["--ignore-scripts"])
}

/// Installs the service in Node that the benchmarks compare with.
pub(crate) fn install_jose() -> Result<(), Failure> {
    install_npm_packages(JOSE_FOLDER, &["--ignore-scripts"])
}

fn install_npm_packages(folder: &str, options: &[&str]) -> Result<(), Failure> {
    let folder = repository::root()?.join(folder);
    let lock = folder.join("package-lock.json");
    let installed = folder.join(INSTALLED_LOCK);
    if same_content(&lock, &installed) {
        println!("    npm packages are up to date");
        return Ok(());
    }
    shell::run(Command::new("npm").current_dir(&folder).args(["ci", "--no-audit", "--no-fund"]).args(options))?;
    std::fs::copy(&lock, &installed).context("noting which npm packages are installed")?;
    Ok(())
}

fn same_content(one: &Path, other: &Path) -> bool {
    match (std::fs::read(one), std::fs::read(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn list_missing(needs: &[Need]) -> Vec<Need> {
    needs.iter().copied().filter(|need| !need.is_met()).collect()
}

fn explain_missing(missing: &[Need], packages: &[&str]) -> String {
    let names: Vec<&str> = missing.iter().map(|need| need.name()).collect();
    format!(
        "missing on this machine: {}\n  on Debian or Ubuntu: sudo apt-get update && sudo apt-get install --no-install-recommends {}",
        names.join(", "),
        packages.join(" ")
    )
}

fn apt_get(arguments: &[&str]) -> Result<(), Failure> {
    shell::run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(["-q"]).args(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_command_that_installs_it() {
        let text = explain_missing(&[Need::Strace, Need::Node], &["strace", "nodejs", "npm"]);
        assert!(text.contains("strace, node 18 or newer, and npm"));
        assert!(text.ends_with("apt-get install --no-install-recommends strace nodejs npm"));
    }
}
