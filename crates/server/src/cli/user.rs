//! `doorward user …`, as `--help` shows it.

use clap::{Args, Subcommand};
use doorward_model::id::UserId;

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account without a sign-up
    ///
    /// The password is read from standard input; one line break at its end does not belong to it. It must meet the
    /// same policy as a password chosen on the pages.
    #[command(
        after_help = "Example:\n  doorward user create --email ann@example.com --name Ann --verified --password-stdin < password"
    )]
    Create(Create),
    /// List accounts, oldest first
    List(List),
    /// Show one account
    Show(Which),
    /// Keep a user out and end their sessions
    ///
    /// Their access tokens are refused by Doorward's own endpoints at once, by a running server within seconds.
    Disable(Which),
    /// Let a disabled user in again
    ///
    /// Sessions that ended stay ended.
    Enable(Which),
}

/// Flags of `user create`.
#[derive(Debug, Args)]
pub struct Create {
    /// Their e-mail address
    #[arg(long)]
    pub email: String,
    /// Read the password from standard input
    #[arg(long, required = true)]
    pub password_stdin: bool,
    /// Their name
    #[arg(long)]
    pub name: Option<String>,
    /// Vouch for the address; without it the account has an address that nobody proved to read
    #[arg(long)]
    pub verified: bool,
    /// Let them administer this deployment
    #[arg(long)]
    pub admin: bool,
}

/// Flags of `user list`.
#[derive(Debug, Args)]
pub struct List {
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub limit: u8,
    /// Begin after this user: where the page before ended
    #[arg(long, value_name = "ID", value_parser = user_id)]
    pub after: Option<UserId>,
}

/// The user a command is about.
#[derive(Debug, Args)]
pub struct Which {
    /// Their id, or their e-mail address
    #[arg(value_name = "ID_OR_EMAIL")]
    pub user: String,
}

fn user_id(text: &str) -> Result<UserId, &'static str> {
    UserId::parse(text).map_err(|_| "the id of a user is expected, such as user_01h455vb4pex5vsknk084sn02q")
}
