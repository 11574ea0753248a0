//! `cargo xtask test`: set-up, then the Rust tests on both databases, then the browser tests.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Context, Failure};
use crate::postgres::Cluster;
use crate::python::{CLIENTS, SCHEMATHESIS};
use crate::setup::{self, Need};
use crate::{repository, schemathesis, shell, step};

/// Where the tests find PostgreSQL.
const POSTGRES_VARIABLE: &str = "DOORWARD_TEST_POSTGRES_URL";
/// An application of the Rust crate that applications sign people in with, outside the workspace.
pub(crate) const OPENIDCONNECT_FOLDER: &str = "crates/testkit/openidconnect";

/// Which tests to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    filter: Option<String>,
    package: Option<String>,
    browser: Browser,
}

#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
enum Browser {
    #[default]
    Included,
    Without,
    Only,
}

impl Options {
    /// Reads the command line after `test`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || {
                rest.next().cloned().ok_or_else(|| Failure::usage(format!("{argument} needs a value after a space")))
            };
            match argument.as_str() {
                "--filter" => options.filter = Some(value()?),
                "--package" | "-p" => options.package = Some(value()?),
                "--no-browser" => options.browser = Browser::Without,
                "--only-browser" => options.browser = Browser::Only,
                other => return Err(Failure::usage(format!("test does not know {other:?}"))),
            }
        }
        if options.package.is_some() && options.browser == Browser::Included {
            options.browser = Browser::Without;
        }
        Ok(options)
    }

    fn needs(&self) -> Vec<Need> {
        let mut needs = Vec::new();
        if self.browser != Browser::Only {
            needs.extend([Need::Postgres, Need::Strace]);
        }
        if self.asks_the_running_server() || self.browser != Browser::Without {
            needs.push(Need::Python);
        }
        if self.browser != Browser::Without {
            needs.extend([Need::Chromium, Need::Node]);
        }
        needs
    }

    /// All tests, not chosen ones.
    fn asks_the_running_server(&self) -> bool {
        self.browser != Browser::Only && self.package.is_none() && self.filter.is_none()
    }

    fn packages(&self) -> Vec<&str> {
        match &self.package {
            Some(package) => vec!["--package", package],
            None => vec!["--workspace"],
        }
    }
}

/// Runs the tests; the last lines are the last test runner's own summary.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    step::run("set-up: programs", || setup::ensure(&options.needs()))?;
    if options.browser != Browser::Without {
        step::run("set-up: npm packages of the browser tests", setup::install_browser_packages)?;
        step::run("set-up: Python packages of the browser tests", || CLIENTS.install())?;
    }
    if options.asks_the_running_server() {
        step::run("set-up: Python packages of Schemathesis", || SCHEMATHESIS.install())?;
    }
    step::run("build the tests and the server", || build(options))?;
    if options.browser != Browser::Without {
        step::run("build the application of the openidconnect crate", build_openidconnect_application)?;
    }
    let asked = if options.asks_the_running_server() {
        step::run("the running server against its OpenAPI description", schemathesis::run)
    } else {
        Ok(())
    };
    let rust = if options.browser == Browser::Only { Ok(()) } else { rust_tests(options) };
    let browser = if options.browser == Browser::Without { Ok(()) } else { browser_tests(options) };
    asked.and(rust).and(browser)
}

/// The step that asks the running server, alone.
pub(crate) fn ask_the_running_server() -> Result<(), Failure> {
    setup::ensure(&[Need::Python])?;
    SCHEMATHESIS.install()?;
    let root = repository::root()?;
    shell::run(shell::cargo().current_dir(root).args(["build", "--package", "doorward-server"]))?;
    schemathesis::run()
}

/// One build for all: the same selection of packages and features that the tests use.
fn build(options: &Options) -> Result<(), Failure> {
    let root = repository::root()?;
    shell::run(
        shell::cargo().current_dir(root).arg("build").args(options.packages()).args(["--lib", "--bins", "--tests"]),
    )
}

/// A workspace of its own; it shares the target folder, and with it what both have compiled alike.
fn build_openidconnect_application() -> Result<(), Failure> {
    let build = shell::build_folder()?;
    let target = build.parent().ok_or_else(|| Failure::new("the build folder has no parent"))?;
    let mut command = shell::cargo();
    command.current_dir(repository::root()?.join(OPENIDCONNECT_FOLDER)).args(["build", "--locked", "--target-dir"]);
    shell::run(command.arg(target))
}

fn rust_tests(options: &Options) -> Result<(), Failure> {
    let root = repository::root()?;
    let cluster = Cluster::start()?;
    println!("\n    PostgreSQL for the tests: {}", cluster.url());
    let documentation = if options.filter.is_some() {
        Ok(())
    } else {
        step::run("examples in the documentation", || {
            let mut command = shell::cargo();
            command.current_dir(&root).env(POSTGRES_VARIABLE, cluster.url());
            shell::run(command.args(["test", "--doc", "--no-fail-fast"]).args(options.packages()))
        })
    };
    println!("\n==> Rust tests");
    let mut command = if shell::find_program("cargo-nextest").is_some() {
        let mut command = shell::cargo();
        command.args(["nextest", "run", "--no-fail-fast"]).args(options.packages());
        if let Some(filter) = &options.filter {
            command.args(["--no-tests", "warn"]).arg(filter);
        }
        command
    } else {
        let mut command = shell::cargo();
        command.args(["test", "--no-fail-fast", "--lib", "--bins", "--tests"]).args(options.packages());
        command.args(&options.filter);
        command
    };
    let tests = shell::run(command.current_dir(&root).env(POSTGRES_VARIABLE, cluster.url()));
    documentation.and(tests)
}

fn browser_tests(options: &Options) -> Result<(), Failure> {
    println!("\n==> browser tests");
    let folder = repository::root()?.join(setup::BROWSER_FOLDER);
    let chromium = setup::find_chromium().ok_or_else(|| Failure::new("chromium disappeared"))?;
    let mut command = Command::new("node");
    command
        .current_dir(&folder)
        .env("DOORWARD_BINARY", shell::build_folder()?.join("doorward"))
        .env("DOORWARD_CHROMIUM", chromium)
        .env("DOORWARD_OPENIDCONNECT", shell::build_folder()?.join("openidconnect-application"))
        .env("DOORWARD_PYTHON", CLIENTS.program("python")?)
        .args(["--test", "--test-reporter=spec"]);
    if let Some(filter) = &options.filter {
        command.arg(format!("--test-name-pattern={filter}"));
    }
    shell::run(command.args(list_browser_tests(&folder.join("tests"))?))
}

fn list_browser_tests(folder: &std::path::Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).context("listing the browser tests")? {
        let path = entry.context("listing the browser tests")?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(Failure::new("no browser tests found")) } else { Ok(files) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, Failure> {
        Options::parse(&arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let options = parse(&["--filter", "login", "--no-browser"]).unwrap();
        assert_eq!(options, Options { filter: Some("login".into()), package: None, browser: Browser::Without });
        assert_eq!(parse(&["--filter"]).unwrap_err().exit_code(), 2);
        assert_eq!(parse(&["--fast"]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn one_package_is_tested_without_the_browser() {
        let options = parse(&["--package", "doorward-store"]).unwrap();
        assert_eq!(options.browser, Browser::Without);
        assert_eq!(options.packages(), ["--package", "doorward-store"]);
        assert!(!options.needs().contains(&Need::Chromium));
    }
}
