//! The command line, as `--help` shows it.

pub mod apply;
pub mod client;
pub mod keys;
pub mod user;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use doorward_model::secret::SecretText;

use crate::configuration::Flags;

/// Version and commit.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("COMMIT_OF_BUILD"), ")");

const AFTER: &str = "\
Examples:
  Try it out: http://localhost:8080, data in ./doorward-data
    doorward serve
  Write a commented doorward.toml and a master key, and see what is unsafe
    doorward init --public-url https://auth.example.com
    doorward check
  Make an administrator, without the one-time link
    doorward user create --email ann@example.com --admin --verified --password-stdin < password
  Serve with a configuration of your own
    doorward serve --config /etc/doorward/doorward.toml

Settings come from doorward.toml, then DOORWARD_… variables (limits.scale is
DOORWARD_LIMITS__SCALE), then flags; the last one wins.
Exit codes: 0 done, 1 failed, 2 wrong usage.";

/// Doorward signs people in and tells applications who they are.
#[derive(Debug, Parser)]
#[command(name = "doorward", version = VERSION, after_help = AFTER, max_term_width = 100)]
pub struct Cli {
    /// Settings for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Settings of every command")]
pub struct Global {
    /// The file with the settings [default: ./doorward.toml, then doorward.toml in the data folder, if present]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder with everything that must survive a restart [default: doorward-data]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// PostgreSQL instead of SQLite; others on this machine can see flags, so put the password into a file
    #[arg(long, global = true, value_name = "URL", value_parser = secret)]
    pub database_url: Option<SecretText>,
    /// Where to listen; may be given more than once [default: port 8080 on loopback]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    pub listen: Vec<String>,
    /// Where health, readiness and metrics are served [default: 127.0.0.1:9464]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    pub ops_listen: Option<String>,
    /// The address people and applications use [default: port 8080 on localhost]
    #[arg(long, global = true, value_name = "URL")]
    pub public_url: Option<String>,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a clap parser")]
fn secret(text: &str) -> Result<SecretText, std::convert::Infallible> {
    Ok(SecretText::new(text.to_owned()))
}

impl Global {
    /// What the flags say about settings.
    pub fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            data_dir: self.data_dir.clone(),
            database_url: self.database_url.clone(),
            listen: self.listen.clone(),
            ops_listen: self.ops_listen.clone(),
            public_url: self.public_url.clone(),
        }
    }
}

/// What doorward can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    ///
    /// Runs until SIGTERM or Ctrl-C; requests under way may finish first, a second signal ends at once. SIGHUP reads
    /// the TLS certificate again. Refuses to start over any error that `doorward check` names.
    Serve(Serve),
    /// Write a commented doorward.toml and a master key for production
    ///
    /// Never replaces a file: an existing doorward.toml is an error, an existing key is kept. Run it as
    /// the user who serves: nobody else may read the two files (mode 0600), and folders that are missing are made for
    /// that user alone.
    #[command(
        after_help = "Example:\n  doorward init --public-url https://auth.example.com --listen 127.0.0.1:8080 \\\n    --data-dir /var/lib/doorward --config /etc/doorward/doorward.toml \\\n    --master-key-file /etc/doorward/master.key"
    )]
    Init(Init),
    /// Name every unsafe setting, with its remedy and without its value
    ///
    /// Errors keep `doorward serve` from starting and make the exit code 1; warnings do not. Where there is data, it also
    /// names the applications that an exception was made for.
    Check,
    /// Bring the database's schema to this version
    ///
    /// `doorward serve` does it by itself unless told not to.
    Migrate(Migrate),
    /// Make, list, show, disable and enable accounts
    ///
    /// Works beside a running server, which follows within seconds.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Register, list, show, change and remove applications that sign people in
    ///
    /// Works beside a running server, which follows at once.
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Make registered applications what a file says
    ///
    /// Shows what differs and changes it; a second run finds nothing to do. Works beside a running server, which follows
    /// at once.
    #[command(after_help = apply::AFTER)]
    Apply(apply::Apply),
    /// List and rotate the keys that sign access tokens
    ///
    /// Works beside a running server, which follows within seconds.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  doorward completions bash > /etc/bash_completion.d/doorward")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Flags of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Do not change the database's schema; refuse to start if it is behind
    #[arg(long)]
    pub no_migrate: bool,
}

/// Flags of `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Where to put the master key [default: master.key in the data folder]
    #[arg(long, value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
}

/// Flags of `migrate`.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Only say what is applied and what is pending
    #[arg(long)]
    pub status: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_version_names_the_commit() {
        let commit = VERSION.split_once('(').unwrap().1.trim_end_matches(')');
        assert!(commit == "unknown" || (commit.len() == 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())));
    }

    #[test]
    fn the_manual_says_which_version_it_is_of() {
        let manual = include_str!("../../../docs/README.md");
        assert!(manual.contains(concat!("the manual of Doorward ", env!("CARGO_PKG_VERSION"))), "docs/README.md");
    }

    /// An example that is broken over two lines by the terminal's width cannot be pasted.
    #[test]
    fn help_is_narrow_enough_for_its_examples_and_shows_a_commands_own_flags_first() {
        fn check(command: &mut clap::Command) {
            let told = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(told.lines().all(|line| line.chars().count() <= 96), "{told}");
            let help = command.render_long_help().to_string();
            let shared = help.find("\nSettings of every command:").unwrap_or_else(|| panic!("{help}"));
            assert!(help.find("\nOptions:").is_some_and(|own| own < shared), "{help}");
            // clap's own `help` takes no flags.
            for command in command.get_subcommands_mut().filter(|command| command.get_name() != "help") {
                check(command);
            }
        }
        let mut command = Cli::command();
        command.build();
        check(&mut command);
    }

    #[test]
    fn the_database_url_does_not_show_in_debug_output() {
        let cli = Cli::parse_from(["doorward", "check", "--database-url", "postgres://u:hunter2@h/d"]);
        assert!(!format!("{cli:?}").contains("hunter2"));
    }
}
