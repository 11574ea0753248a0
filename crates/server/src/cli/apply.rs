//! `doorward apply`, as `--help` shows it.

use std::path::PathBuf;

use clap::Args;

/// Shown after the flags.
pub const AFTER: &str = "\
The file:
  [[client]]
  client_id = \"shop\"
  client_name = \"Shop\"
  redirect_uris = [\"https://shop.example.com/callback\"]
  scope = \"openid profile email\"
  consent = \"skip\"
  client_secret_file = \"shop.secret\"

  [[client]]
  client_id = \"board\"
  client_name = \"Board\"
  redirect_uris = [\"https://board.example.com/\"]
  token_endpoint_auth_method = \"none\"
  consent = \"skip\"

Fields are those of RFC 7591, as doorward client show --json prints them; what is
left out has its default. You choose the client_id. A relative client_secret_file
is beside the file; doorward client generate-secret makes what it holds. Without
one, a secret is drawn when the application is registered, and printed this once.

Examples:
  doorward apply clients.toml --dry-run
  doorward apply clients.toml --prune";

/// Flags of `apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// The file with the applications
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Remove applications that the file does not name, with everything they were granted; those that doorward client
    /// create registered stay
    #[arg(long)]
    pub prune: bool,
    /// How long a secret that is replaced stays good
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(0..=2_592_000))]
    pub overlap_seconds: u32,
}
