//! `doorward keys …`, as `--help` shows it.

use clap::{Args, Subcommand};

/// What can be done with the keys that sign tokens.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List the newest keys in every state, newest first
    List,
    /// Begin to replace the keys that sign
    ///
    /// A new key for each algorithm is published at once and signs as soon as every verifier can know it; a running
    /// server sees to that. The old ones stay known until their last token has expired, so nobody notices. Without this
    /// command the same happens by itself every 90 days.
    Rotate(Rotate),
}

/// Flags of `keys rotate`.
#[derive(Debug, Args)]
pub struct Rotate {
    /// A key is in wrong hands: new ones sign at once, and every token signed so far is dead
    ///
    /// Sessions go on: applications renew their access tokens. Services that keep the published keys for up to five
    /// minutes refuse new tokens, and accept old ones, for as long.
    #[arg(long)]
    pub emergency: bool,
}
