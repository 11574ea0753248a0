//! The tables of `doorward.toml`, with their defaults.

use std::path::PathBuf;

use doorward_model::secret::SecretText;
use ipnet::IpNet;
use serde::Deserialize;

use crate::outbound::OutboundUrl;

/// `[limits]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Multiplies every request-rate limit; never the sign-in throttle.
    pub scale: f64,
    /// Most connections in all.
    pub connections: usize,
    /// Most connections of one client address (IPv6: of one /64); trusted proxies do not count.
    pub connections_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { scale: 1.0, connections: 10_000, connections_per_address: 512 }
    }
}

/// What happens when a refresh token is presented again after the overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rotation {
    /// A lost answer is made good; a real copy is found at the next renewal.
    Recover,
    /// The family ends.
    Strict,
}

/// `[sessions]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// A session unused for this long ends.
    pub idle_hours: u32,
    /// A session ends after this long, whatever happens.
    pub absolute_days: u32,
    /// For how long the same renewal gives the same answer.
    pub overlap_seconds: u32,
    /// What a late repeat of a renewal means.
    pub rotation: Rotation,
    /// Most sessions of one person; the oldest ends.
    pub per_user: u32,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { idle_hours: 14 * 24, absolute_days: 30, overlap_seconds: 10, rotation: Rotation::Recover, per_user: 20 }
    }
}

/// `[tokens]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// How long an access token is valid.
    pub access_minutes: u32,
    /// The `aud` of access tokens; none means `public_url`.
    pub audience: Option<String>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { access_minutes: 10, audience: None }
    }
}

/// `[cors]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cors {
    /// Origins whose browser code may sign in in token mode.
    pub token_origins: Vec<String>,
}

/// `[applications]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Applications {
    /// Networks besides the public internet that addresses of applications may lead into.
    #[serde(deserialize_with = "super::address::networks")]
    pub private_networks: Vec<IpNet>,
    /// Certificate authorities to trust beside the public ones, at addresses of applications in these networks.
    pub ca_certificate_file: Option<PathBuf>,
    /// Whether applications must push their requests.
    pub pushed_only: bool,
    /// Whether applications may register themselves with a token of the operator.
    pub registration: bool,
}

/// `[revocations]`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Revocations {
    /// Whether everybody may follow the feed.
    pub public: bool,
}

/// `[tls]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain, PEM, leaf first.
    pub certificate_file: Option<PathBuf>,
    /// Its private key, PEM.
    pub key_file: Option<PathBuf>,
}

/// How mail leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTransport {
    /// Each mail becomes a file in `<data_dir>/mail`.
    File,
    /// By SMTP to a relay.
    Smtp,
}

/// How the connection to the relay is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// Plain at first, then TLS or nothing (RFC 3207); usually port 587.
    Starttls,
    /// TLS from the first byte (RFC 8314); usually port 465.
    Tls,
    /// No protection: only for a relay on this machine.
    None,
}

/// `[mail]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// Files or SMTP.
    pub transport: MailTransport,
    /// The sender's address; none means `doorward@` and the host of `public_url`.
    pub from: Option<String>,
    /// The relay's host name.
    pub host: Option<String>,
    /// The relay's port; none means the usual one for `encryption`.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// The account at the relay.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<SecretText>,
    /// A file that holds the password.
    pub password_file: Option<PathBuf>,
    /// A certificate authority (PEM) to trust beside the public ones.
    pub ca_certificate_file: Option<PathBuf>,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            transport: MailTransport::File,
            from: None,
            host: None,
            port: None,
            encryption: Encryption::Starttls,
            username: None,
            password: None,
            password_file: None,
            ca_certificate_file: None,
        }
    }
}

/// What becomes of a new password when the breached-password service gives no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WithoutAnswer {
    /// It is accepted.
    Accept,
    /// It is refused for now.
    Refuse,
}

/// `[password]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Password {
    /// Fewest characters.
    pub min_length: u32,
    /// Whether to demand several kinds of characters (not recommended).
    pub composition: bool,
    /// Argon2id memory in KiB.
    pub memory_kib: u32,
    /// Argon2id passes.
    pub iterations: u32,
    /// Argon2id lanes.
    pub parallelism: u32,
    /// Most memory that hashing may use at once, in MiB; none means one hash per core.
    pub hashing_memory_mib: Option<u32>,
    /// The service that knows breached passwords; none means that nobody is asked.
    pub breached_service_url: Option<OutboundUrl>,
    /// What becomes of a new password when that service gives no answer.
    pub breached_without_answer: WithoutAnswer,
}

impl Default for Password {
    fn default() -> Self {
        Self {
            min_length: 15,
            composition: false,
            memory_kib: 19 * 1024,
            iterations: 2,
            parallelism: 1,
            hashing_memory_mib: None,
            breached_service_url: None,
            breached_without_answer: WithoutAnswer::Accept,
        }
    }
}

/// `[security]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Security {
    /// Where to report a vulnerability (`mailto:` or `https:`), for `/.well-known/security.txt`.
    pub contact: Option<String>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// A level, or levels by target such as `info,doorward_store=debug`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Auto, level: "info".to_owned() }
    }
}
