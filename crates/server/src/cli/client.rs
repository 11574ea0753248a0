//! `doorward client …`, as `--help` shows it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be done with applications.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Register an application
    ///
    /// Prints its id and, this once, its secret: only a hash is kept. People are asked whether it may have
    /// what it asks for, unless it is an application of your own (--first-party).
    #[command(
        after_help = "Examples:\n  doorward client create --name Shop --first-party \\\n    --redirect-uri https://shop.example.com/callback\n  doorward client create --name Board --public \\\n    --redirect-uri https://board.example.com/ --scope openid --scope profile --scope email\n  doorward client create --name Nightly --grant client_credentials \\\n    --scope orders --resource https://api.example.com\n  doorward client create --name \"Orders API\" --serves https://api.example.com"
    )]
    Create(Fields),
    /// List applications, in the order of their ids: of those registered by command, the oldest first
    List(List),
    /// Show one application
    Show(Which),
    /// Change what is registered of an application; what is not named stays
    #[command(
        after_help = "Example:\n  doorward client update client_01h455vb4pex5vsknk084sn02q \\\n    --redirect-uri https://shop.example.com/new"
    )]
    Update(Update),
    /// Give an application a new secret, and print it this once
    ///
    /// The secret before stays good for a while, so that the application can be changed over without an interruption;
    /// of two rotations within that time only the last two secrets are good.
    #[command(
        after_help = "Example, when the secret is in the wrong hands:\n  doorward client rotate-secret client_01h455vb4pex5vsknk084sn02q --overlap-seconds 0"
    )]
    RotateSecret(RotateSecret),
    /// Print a fresh secret for `doorward apply`; registers nothing
    #[command(after_help = "Example:\n  doorward client generate-secret > shop.secret")]
    GenerateSecret,
    /// Keep an application out and end everything it was granted
    ///
    /// Its tokens are refused from now on, also those that services check themselves, and nobody signs in to it. What is
    /// registered of it stays, as does what people allowed it, until `client enable` or `client delete`.
    Disable(Which),
    /// Let an application in again; people sign in to it anew
    Enable(Which),
    /// Remove an application with everything it was granted
    Delete(Which),
    /// Make a token with which applications register themselves (RFC 7591), and print it this once
    ///
    /// It counts while applications.registration is set. People are told of an application that registered itself, and
    /// are always asked for consent.
    #[command(after_help = "Example:\n  doorward client create-token --note \"staging\" --uses 5 --days 2")]
    CreateToken(CreateToken),
    /// List the tokens with which applications may register themselves, the oldest first
    ListTokens,
    /// Take such a token back; what has registered with it stays
    DeleteToken(WhichToken),
}

/// Flags of `client create-token`.
#[derive(Debug, Args)]
pub struct CreateToken {
    /// Whom it is for, for yourself
    #[arg(long)]
    pub note: Option<String>,
    /// How many applications may register with it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub uses: u32,
    /// How many days it is good for
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub days: u16,
}

/// The token a command is about.
#[derive(Debug, Args)]
pub struct WhichToken {
    /// Its id
    #[arg(value_name = "TOKEN_ID")]
    pub token: String,
}

/// What is registered of an application.
#[derive(Clone, Debug, Args)]
pub struct Fields {
    /// What people read
    #[arg(long)]
    pub name: Option<String>,
    /// Where people are sent back to, compared byte by byte; may be given more than once
    #[arg(long, value_name = "URI")]
    pub redirect_uri: Vec<String>,
    /// The application cannot keep a secret: it runs in a browser or on a person's device
    #[arg(long, conflicts_with = "auth_method")]
    pub public: bool,
    /// How the application proves who it is: with a secret in the Authorization header unless said otherwise.
    /// With a key of its own, the keys are in --metadata
    #[arg(long, value_name = "METHOD", value_parser = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"])]
    pub auth_method: Option<String>,
    /// A grant it may use; may be given more than once; the authorization code grant unless said otherwise
    #[arg(long, value_name = "GRANT")]
    pub grant: Vec<String>,
    /// What it may ask for; may be given more than once [default: openid]
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// A service it may ask tokens for; may be given more than once
    #[arg(long, value_name = "URI")]
    pub resource: Vec<String>,
    /// A service that it is, and may ask about tokens for; may be given more than once
    #[arg(long, value_name = "URI")]
    pub serves: Vec<String>,
    /// An application of your own: people are not asked for consent
    #[arg(long)]
    pub first_party: bool,
    /// Further fields from a JSON object in the form of RFC 7591; flags win over it
    #[arg(long, value_name = "FILE")]
    pub metadata: Option<PathBuf>,
}

/// Flags of `client update`.
#[derive(Debug, Args)]
pub struct Update {
    /// Which application
    #[command(flatten)]
    pub which: Which,
    /// What changes
    #[command(flatten)]
    pub fields: Fields,
}

/// Flags of `client list`.
#[derive(Debug, Args)]
pub struct List {
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub limit: u8,
    /// Begin after this application: where the page before ended
    #[arg(long, value_name = "CLIENT_ID", default_value = "", hide_default_value = true)]
    pub after: String,
}

/// Flags of `client rotate-secret`.
#[derive(Debug, Args)]
pub struct RotateSecret {
    /// Which application
    #[command(flatten)]
    pub which: Which,
    /// How long the secret before stays good
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(0..=2_592_000))]
    pub overlap_seconds: u32,
}

/// The application a command is about.
#[derive(Debug, Args)]
pub struct Which {
    /// Its id
    #[arg(value_name = "CLIENT_ID")]
    pub client: String,
}
