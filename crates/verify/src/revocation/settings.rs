//! How the feed is read.

use std::fmt;
use std::time::Duration;

/// What happens while nobody can tell what was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// After this time without news every token is refused, with 503.
    RefuseAfter(Duration),
    /// Tokens are taken until they end. A session that was revoked goes on for as long.
    Accept,
}

impl Default for Outage {
    fn default() -> Self {
        Self::RefuseAfter(Duration::from_secs(30))
    }
}

/// How to follow what a Doorward server revokes.
///
/// ```
/// use doorward_verify::{Issuer, RevocationFeed};
///
/// let feed = RevocationFeed::with_secret("client_01h455vb4pex5vsknk084sn02q", "the secret of this resource server");
/// let issuer = Issuer::new("https://auth.example.com").audience("https://orders.example.com").follow(feed);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RevocationFeed {
    pub(crate) credentials: Option<(Box<str>, Box<str>)>,
    pub(crate) outage: Outage,
}

impl RevocationFeed {
    /// As a client of the server that may have the scope `doorward:revocations`.
    pub fn with_secret(client_id: &str, client_secret: &str) -> Self {
        Self { credentials: Some((client_id.into(), client_secret.into())), outage: Outage::default() }
    }

    /// Of a server that shows it to everybody.
    pub fn public() -> Self {
        Self { credentials: None, outage: Outage::default() }
    }

    /// What happens while the feed cannot be read: 30 seconds as before, then every token is refused, unless said.
    #[must_use]
    pub const fn on_outage(mut self, outage: Outage) -> Self {
        self.outage = outage;
        self
    }
}

impl fmt::Debug for RevocationFeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client_id = self.credentials.as_ref().map(|(client_id, _)| client_id);
        formatter
            .debug_struct("RevocationFeed")
            .field("client_id", &client_id)
            .field("outage", &self.outage)
            .finish_non_exhaustive()
    }
}
