//! Configuration: read once at start from defaults, `doorward.toml`, the environment and flags (later ones win),
//! checked for spelling and type, then plain values for everybody else.

pub mod address;
pub mod database;
mod environment;
pub mod error;
pub mod layers;
pub mod nearest;
pub mod public_url;
pub mod secret_file;
pub mod sections;
pub mod settings;
pub mod template;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use doorward_model::secret::SecretText;
use ipnet::IpNet;
use serde::Deserialize;

pub use self::database::Database;
pub use self::error::ConfigurationError;
pub use self::layers::{Flags, load};
pub use self::public_url::PublicUrl;
pub use self::sections::{
    Applications, Cors, Encryption, Limits, Log, LogFormat, Mail, MailTransport, Password, Revocations, Rotation,
    Security, Sessions, Tls, Tokens, WithoutAnswer,
};

/// Everything an operator can set. The names are the names in `doorward.toml`; [`settings::SETTINGS`] explains them.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    /// The address people and applications use; every link, the issuer and the cookies come from it.
    pub public_url: PublicUrl,
    /// Where the public listener listens.
    #[serde(deserialize_with = "address::one_or_many")]
    pub listen: Vec<SocketAddr>,
    /// Where health, readiness and metrics are served.
    #[serde(deserialize_with = "address::one")]
    pub ops_listen: SocketAddr,
    /// The folder with everything that must survive a restart.
    pub data_dir: PathBuf,
    /// A PostgreSQL URL; without it the data is in SQLite in `data_dir`.
    pub database_url: Option<SecretText>,
    /// A file that holds the PostgreSQL URL.
    pub database_url_file: Option<PathBuf>,
    /// The password for `database_url`, when it is not part of it.
    pub database_password: Option<SecretText>,
    /// A file that holds the database password.
    pub database_password_file: Option<PathBuf>,
    /// How many PostgreSQL connections this process may hold.
    pub database_connections: u32,
    /// Proxies that may say who the client is.
    #[serde(deserialize_with = "address::networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// The file with the master key; none means `master.key` in `data_dir` (SQLite only).
    pub master_key_file: Option<PathBuf>,
    /// Earlier master keys, while a rotation is under way.
    pub master_key_previous_files: Vec<PathBuf>,
    /// The name people see on pages and in mails.
    pub service_name: String,
    /// Request-rate limits and connection caps.
    pub limits: Limits,
    /// How long sessions live and how their credential rotates.
    pub sessions: Sessions,
    /// Access tokens.
    pub tokens: Tokens,
    /// Which origins may call the API from a browser.
    pub cors: Cors,
    /// Applications that sign people in here.
    pub applications: Applications,
    /// The feed of what is revoked.
    pub revocations: Revocations,
    /// Built-in TLS.
    pub tls: Tls,
    /// Outgoing mail.
    pub mail: Mail,
    /// Password policy and hash parameters.
    pub password: Password,
    /// What `security.txt` says.
    pub security: Security,
    /// The log.
    pub log: Log,
    /// The file these settings came from, if there was one.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            public_url: PublicUrl::default(),
            listen: address::loopback_both(8080),
            ops_listen: address::loopback_v4(9464),
            data_dir: PathBuf::from("doorward-data"),
            database_url: None,
            database_url_file: None,
            database_password: None,
            database_password_file: None,
            database_connections: 8,
            trusted_proxies: Vec::new(),
            master_key_file: None,
            master_key_previous_files: Vec::new(),
            service_name: "Doorward".to_owned(),
            limits: Limits::default(),
            sessions: Sessions::default(),
            tokens: Tokens::default(),
            cors: Cors::default(),
            applications: Applications::default(),
            revocations: Revocations::default(),
            tls: Tls::default(),
            mail: Mail::default(),
            password: Password::default(),
            security: Security::default(),
            log: Log::default(),
            file: None,
        }
    }
}

impl Configuration {
    /// Whether the data is in SQLite.
    pub fn is_sqlite(&self) -> bool {
        self.database_url.is_none() && self.database_url_file.is_none()
    }

    /// The file SQLite keeps the data in.
    pub fn sqlite_file(&self) -> PathBuf {
        self.data_dir.join("doorward.db")
    }

    /// Where the master key is read from.
    pub fn master_key_path(&self) -> PathBuf {
        self.master_key_file.clone().unwrap_or_else(|| self.data_dir.join("master.key"))
    }

    /// Whether `serve` makes the master key itself: SQLite, no data yet, and no file named.
    pub fn makes_master_key(&self) -> bool {
        self.master_key_file.is_none() && self.is_sqlite() && !self.sqlite_file().exists()
    }

    /// Whether every address of the public listener is this machine's own.
    pub fn listens_on_loopback_only(&self) -> bool {
        self.listen.iter().all(|address| address.ip().to_canonical().is_loopback())
    }

    /// Files that hold a secret, each with the setting that names it.
    pub fn secret_files(&self) -> Vec<(&'static str, &Path)> {
        let named = [
            ("database_url_file", self.database_url_file.as_deref()),
            ("database_password_file", self.database_password_file.as_deref()),
            ("master_key_file", self.master_key_file.as_deref()),
            ("mail.password_file", self.mail.password_file.as_deref()),
            ("tls.key_file", self.tls.key_file.as_deref()),
        ];
        let previous = self.master_key_previous_files.iter().map(|path| ("master_key_previous_files", path.as_path()));
        named.into_iter().filter_map(|(name, path)| path.map(|path| (name, path))).chain(previous).collect()
    }

    /// Settings that hold a secret in the configuration file itself rather than in a file of its own.
    pub fn inline_secrets(&self) -> Vec<&'static str> {
        let url_holds_password =
            self.database_url.as_ref().is_some_and(|url| database::password_in(url.reveal()).is_some());
        [
            ("database_url", url_holds_password),
            ("database_password", self.database_password.is_some()),
            ("mail.password", self.mail.password.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, present)| present.then_some(name))
        .collect()
    }
}
