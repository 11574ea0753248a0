//! What an operator may choose, as the use cases need it. The binary reads and checks the configuration.

use doorward_model::password::Policy;
use doorward_model::rotation::Rotation;
use doorward_model::time::{DAY_MS, SECOND_MS};

/// Settings of the use cases.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where people reach the server: scheme, host and port, without a slash at the end. Links are built from
    /// it and from nothing else.
    pub public_url: String,
    /// What pages and mails call the service.
    pub service_name: String,
    /// Where to report a vulnerability, as a `mailto:` or `https:` URI.
    pub security_contact: Option<String>,
    /// Limits of sessions.
    pub sessions: SessionSettings,
    /// What a password must be.
    pub password_policy: Policy,
    /// Whether applications must push their requests before they send anybody (RFC 9126 section 5).
    pub pushed_only: bool,
    /// Whether applications may register themselves, with a token that an operator made (RFC 7591).
    pub registration: bool,
    /// Whether everybody may follow what is revoked.
    pub public_revocations: bool,
}

/// Limits of sessions.
#[derive(Clone, Copy, Debug)]
pub struct SessionSettings {
    /// How long a session may lie unused, in milliseconds.
    pub idle_ms: i64,
    /// How long it may last in all, in milliseconds.
    pub absolute_ms: i64,
    /// How many a person may have; the oldest ends.
    pub per_user: i64,
    /// How long a predecessor is answered with the same successor, in milliseconds.
    pub overlap_ms: i64,
    /// What a later predecessor means.
    pub rotation: Rotation,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            idle_ms: 14 * DAY_MS,
            absolute_ms: 30 * DAY_MS,
            per_user: 20,
            overlap_ms: 10 * SECOND_MS,
            rotation: Rotation::Recover,
        }
    }
}

impl Settings {
    /// The defaults for a deployment reached at `public_url`.
    pub fn new(public_url: &str) -> Self {
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            service_name: "Doorward".to_owned(),
            security_contact: None,
            sessions: SessionSettings::default(),
            password_policy: Policy::DEFAULT,
            pushed_only: false,
            registration: false,
            public_revocations: false,
        }
    }
}
