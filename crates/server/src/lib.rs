//! The doorward binary: configuration, command line, wiring, listeners.

pub mod administrator;
pub mod assembly;
pub mod background;
pub mod check;
pub mod cli;
pub mod commands;
pub mod configuration;
pub mod data_dir;
pub mod listeners;
pub mod mail;
pub mod master_key;
pub mod outbound;
pub mod runtime;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;
pub mod wiring;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

/// Reads the command line and runs it: 0 done, 1 failed, 2 wrong usage (told by the parser).
pub fn main() -> ExitCode {
    let ended = commands::run(cli::Cli::parse());
    telemetry::logging::flush();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // With standard error closed there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "doorward: {}", failure.text());
            ExitCode::FAILURE
        }
    }
}
