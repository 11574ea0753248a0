//! From settings to a verifier.

use std::collections::HashMap;
use std::sync::Arc;

use thiserror::Error;

use crate::cache::TokenCache;
use crate::claims::Pool;
use crate::client::HttpClient;
use crate::clock::{Clock, SystemClock};
use crate::dpop::{MemoryReplays, ProofSettings, ReplayStore};
use crate::issuer::Issuer;
use crate::keys::{IssuerKeys, KeySettings};
use crate::observe::{Observer, Unobserved};
use crate::request::Proofs;
use crate::revocation::{Follower, Revocations, Source};
use crate::verifier::{Inner, Trusted, Verifier};

/// The most tokens that are remembered, unless said.
const CACHED_TOKENS: usize = 100_000;

/// Settings that no verifier can be made of.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// No issuer is trusted.
    #[error("no issuer is trusted: add one with `issuer`")]
    NoIssuer,
    /// An issuer is named twice.
    #[error("the issuer {0} is named twice; give it several audiences instead")]
    Twice(Box<str>),
    /// Settings of an issuer.
    #[error("{issuer}: {fault}")]
    Issuer {
        /// The issuer.
        issuer: Box<str>,
        /// What is wrong.
        fault: &'static str,
    },
    /// No client that could fetch keys.
    #[error("no HTTP client: turn on the feature `client`, or give one with `http_client`")]
    NoClient,
    /// The client that comes along could not be set up.
    #[error("TLS cannot be set up")]
    Tls,
    /// Revocations are followed by a task.
    #[error("revocations can be followed within a tokio runtime only")]
    NoRuntime,
    /// What clients know this service by is no address.
    #[error("the public URL begins with neither https:// nor http://")]
    PublicUrl,
    /// Tokens are bound to keys, and proofs cannot be checked.
    #[error("an issuer takes only tokens with a proof: say with `public_url` what clients know this service by")]
    NoPublicUrl,
}

/// Settings of a [`Verifier`].
#[derive(Debug, Default)]
#[must_use]
pub struct VerifierBuilder {
    issuers: Vec<Issuer>,
    cached_tokens: Option<usize>,
    client: Option<Arc<dyn HttpClient>>,
    clock: Option<Arc<dyn Clock>>,
    observer: Option<Arc<dyn Observer>>,
    public_url: Option<Box<str>>,
    proof_settings: ProofSettings,
    replays: Option<Box<dyn ReplayStore>>,
}

impl Verifier {
    /// Settings, to be filled in.
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder::default()
    }

    /// A verifier of one issuer's tokens.
    pub fn new(issuer: Issuer) -> Result<Self, SettingsError> {
        Self::builder().issuer(issuer).build()
    }
}

impl VerifierBuilder {
    /// Trusts an issuer. Of several, each has keys and rules of its own.
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// The most tokens that are remembered, so that their signatures are checked once: 100,000 unless said. A token
    /// takes about 400 bytes. 0 remembers none.
    pub const fn cached_tokens(mut self, tokens: usize) -> Self {
        self.cached_tokens = Some(tokens);
        self
    }

    /// What fetches keys and revocations, in place of the client that comes along.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.client = Some(Arc::new(client));
        self
    }

    /// Where the time comes from, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Who is told of what happens.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Scheme and host that clients know this service by, such as `https://orders.example.com`, with the path under
    /// which a proxy shows it, if any, and with the prefix of a router that the layer stands in (`nest`): proofs (RFC 9449) sign the address. Without it tokens that are bound to a key
    /// are refused.
    pub fn public_url(mut self, url: &str) -> Self {
        self.public_url = Some(url.trim_end_matches('/').into());
        self
    }

    /// How proofs are checked.
    pub fn proofs(mut self, settings: ProofSettings) -> Self {
        self.proof_settings = settings;
        self
    }

    /// Where proofs that were seen are remembered, when several instances of a service are to share it.
    pub fn replay_store(mut self, store: impl ReplayStore) -> Self {
        self.replays = Some(Box::new(store));
        self
    }

    /// The verifier. It fetches nothing before it is asked, unless it follows revocations.
    pub fn build(self) -> Result<Verifier, SettingsError> {
        if self.issuers.is_empty() {
            return Err(SettingsError::NoIssuer);
        }
        let is_address = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        if self.public_url.as_deref().is_some_and(|url| !is_address(url)) {
            return Err(SettingsError::PublicUrl);
        }
        let client = self.client.map_or_else(default_client, Ok)?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let mut issuers = HashMap::new();
        for rules in self.issuers {
            if let Some(fault) = rules.fault() {
                return Err(SettingsError::Issuer { issuer: rules.url, fault });
            }
            if rules.needs_proof && self.public_url.is_none() {
                return Err(SettingsError::NoPublicUrl);
            }
            let url = rules.url.clone();
            let trusted = trust(rules, &client, &clock, self.observer.as_ref())?;
            if issuers.insert(url.clone(), Arc::new(trusted)).is_some() {
                return Err(SettingsError::Twice(url));
            }
        }
        let replays = self.replays.unwrap_or_else(|| Box::new(MemoryReplays::default()));
        let settings = self.proof_settings;
        Ok(Verifier(Arc::new(Inner {
            issuers,
            cache: TokenCache::new(self.cached_tokens.unwrap_or(CACHED_TOKENS)),
            pool: Pool::default(),
            clock,
            observer: self.observer,
            proofs: self.public_url.map(|public_url| Proofs { public_url, settings, replays }),
        })))
    }
}

fn trust(
    rules: Issuer,
    client: &Arc<dyn HttpClient>,
    clock: &Arc<dyn Clock>,
    observer: Option<&Arc<dyn Observer>>,
) -> Result<Trusted, SettingsError> {
    let mut settings = KeySettings::new(&*rules.url);
    settings.jwks_uri = rules.jwks_uri.as_deref().map(str::to_owned);
    if settings.check().is_err() {
        let fault = "its address, or that of its keys, is neither https nor http on this machine";
        return Err(SettingsError::Issuer { issuer: rules.url, fault });
    }
    let told = observer.cloned().unwrap_or_else(|| Arc::new(Unobserved));
    let keys = IssuerKeys::new(settings, Arc::clone(client), Arc::clone(clock), told);
    let Some(feed) = rules.feed.clone() else { return Ok(Trusted { rules, keys, revocations: None, follower: None }) };
    tokio::runtime::Handle::try_current().map_err(|_| SettingsError::NoRuntime)?;
    let revocations = Arc::new(Revocations::new(feed.outage, clock.now_ms()));
    let source = Source {
        issuer: rules.url.clone(),
        feed,
        keys: keys.clone(),
        client: Arc::clone(client),
        clock: Arc::clone(clock),
        observer: observer.cloned(),
    };
    let follower = Some(Follower::start(source, &revocations));
    Ok(Trusted { rules, keys, revocations: Some(revocations), follower })
}

#[cfg(feature = "client")]
fn default_client() -> Result<Arc<dyn HttpClient>, SettingsError> {
    let client = crate::client::HyperClient::new().map_err(|_| SettingsError::Tls)?;
    Ok(Arc::new(client))
}

#[cfg(not(feature = "client"))]
fn default_client() -> Result<Arc<dyn HttpClient>, SettingsError> {
    Err(SettingsError::NoClient)
}
