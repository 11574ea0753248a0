//! Commands: one module each, thin; what they decide is decided in the rooms they call.

pub mod apply;
pub mod check;
pub mod client;
pub mod completions;
pub mod failure;
pub mod init;
pub mod keys;
pub mod migrate;
pub mod opened;
pub mod output;
pub mod serve;
mod switch;
pub mod table;
pub mod user;

use crate::cli::{Cli, Command, Global};
use crate::configuration::{self, Configuration, ConfigurationError, Log, LogFormat};
use crate::telemetry::{logging, panics};
use crate::{check as judgement, data_dir};

use self::failure::Failure;
use self::output::Output;

/// Runs a command to its end.
pub fn run(cli: Cli) -> Result<(), Failure> {
    data_dir::keep_files_private();
    let output = Output { json: cli.global.json };
    match cli.command {
        Command::Serve(flags) => serve::run(&load(&cli.global)?, &flags),
        Command::Init(flags) => init::run(&cli.global, &flags, output),
        Command::Check => block_on(check::run(load(&cli.global), output)),
        Command::Migrate(flags) => {
            let configuration = load_quietly(&cli.global)?;
            block_on(migrate::run(&configuration, &flags, output))
        }
        Command::User(command) => block_on(user::run(load_quietly(&cli.global)?, command, output)),
        Command::Client(command) => block_on(client::run(load_quietly(&cli.global)?, command, output)),
        Command::Apply(flags) => block_on(apply::run(load_quietly(&cli.global)?, flags, output)),
        Command::Keys(command) => block_on(keys::run(load_quietly(&cli.global)?, command, output)),
        Command::Completions { shell } => completions::run(shell),
    }
}

fn load(global: &Global) -> Result<Configuration, ConfigurationError> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    let variables = std::env::vars_os();
    // A variable that is not text cannot be a setting.
    let variables = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    configuration::load(&global.flags(), variables, std::path::Path::new(""))
}

/// For commands that answer on standard output: only warnings are logged, and unsafe settings are refused.
fn load_quietly(global: &Global) -> Result<Configuration, Failure> {
    let configuration = load(global)?;
    logging::start(&Log { format: LogFormat::Pretty, level: "warn".to_owned() })?;
    panics::watch();
    check::refuse_errors(&judgement::findings(&configuration, judgement::Facts::of_this_process()))?;
    Ok(configuration)
}

/// One thread is enough for a command.
fn block_on<F: Future<Output = Result<(), Failure>>>(work: F) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
