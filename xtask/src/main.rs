//! The project's own commands: `cargo xtask help` lists them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to its terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "a developer's tool, no product code: it reads its environment and measures its steps"
)]

mod benchmark;
mod ci;
mod container;
mod development_server;
mod failure;
mod file_length;
mod hygiene;
mod openapi;
mod postgres;
mod python;
mod repository;
mod requirements;
mod schemathesis;
mod setup;
mod shell;
mod step;
mod testing;
mod unit;

use std::process::ExitCode;

use failure::Failure;

const USAGE: &str = "\
cargo xtask COMMAND

  test [--filter TEXT] [--package NAME] [--no-browser | --only-browser]
                        set up what the tests need, then run them all
  ci                    every check, then every test
  checks [NAME ..]      the checks of `ci` alone, all or the named ones
  requirements [--check]
                        write docs/requirements.md from the tests' `Proves:` lines
  openapi               write docs/openapi.json from the types
  schemathesis          ask the running server everything that docs/openapi.json allows
  bench [ARGUMENT ..]   build and run the benchmarks in the release profile
  help                  this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    match command {
        "test" => testing::run(&testing::Options::parse(rest)?),
        "ci" => ci::run(rest),
        "checks" => ci::run_checks(rest),
        "requirements" => requirements::run(rest),
        "schemathesis" => testing::ask_the_running_server(),
        "openapi" => openapi::run(rest),
        "bench" => benchmark::run(rest),
        postgres::GUARD_COMMAND => postgres::guard(rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(Failure::usage(format!("unknown command {other:?}; `cargo xtask help` lists them"))),
    }
}
