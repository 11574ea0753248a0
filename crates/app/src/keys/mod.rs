//! The deployment's keys: what seals, what signs, what tokens are made of.
//!
//! | Key | Lies | Used for |
//! |---|---|---|
//! | master key | in a file | sealing the other keys ([`sealing`]) |
//! | secret keys | sealed in the database | MAC of refresh tokens, known devices, subject look-up |
//! | signing keys | sealed in the database | access tokens, ID tokens and answers, one key for each algorithm; rotated ([`rotation`]) |

pub mod access_tokens;
pub mod jwks;
mod ring;
pub mod rotation;
pub mod sealing;
mod secret_keys;
mod signature;
mod start;
pub(crate) mod verified;

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::hmac;
use doorward_model::id::SecretKeyId;
use doorward_model::rotation::{Epoch, MacKey};
use doorward_model::time::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp};
use doorward_model::token::AccessClaims;
use doorward_oidc::jose::Algorithm;
use doorward_store::{Store, StoreError, signing_keys};
use thiserror::Error;

use self::ring::KeyRing;
use self::sealing::{CryptographyFailed, KeyFingerprint, MasterKeys};
use self::secret_keys::SecretKeys;
pub(crate) use self::signature::OWN as OWN_ALGORITHM;
use self::verified::VerifiedTokens;

#[cfg(test)]
pub(crate) mod tests;

/// How long verifiers may keep the published keys, in seconds: the `max-age` of the JWKS document.
pub const JWKS_MAX_AGE_SECONDS: i64 = 300;

/// How soon every node follows a change of keys: they poll more often than this.
const RELOAD_MARGIN_MS: i64 = MINUTE_MS;

/// What an operator may choose about tokens and keys.
#[derive(Clone, Debug)]
pub struct KeySettings {
    /// `iss` of every token, exactly.
    pub issuer: String,
    /// `aud` of access tokens, exactly.
    pub audience: String,
    /// How long an access token lives, in milliseconds.
    pub access_token_ms: i64,
    /// How long a key is known to verifiers before it signs, in milliseconds.
    pub publish_ms: i64,
    /// How long a key signs, in milliseconds.
    pub sign_ms: i64,
    /// What there are keys to sign with; [`Algorithm::Es256`] is among them.
    pub algorithms: Vec<Algorithm>,
    /// How many verified tokens are remembered.
    pub remembered_tokens: usize,
}

impl KeySettings {
    /// The defaults: 10 minutes, the JWKS cache lifetime and a margin, 90 days, a key for every algorithm.
    pub fn new(issuer: &str, audience: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            access_token_ms: 10 * MINUTE_MS,
            publish_ms: JWKS_MAX_AGE_SECONDS * SECOND_MS + RELOAD_MARGIN_MS,
            sign_ms: 90 * DAY_MS,
            algorithms: Algorithm::SIGNING.to_vec(),
            remembered_tokens: 8 * 1024,
        }
    }
}

/// Why the keys cannot be used.
#[derive(Debug, Error)]
pub enum KeysError {
    /// The database belongs to another master key.
    #[error(
        "the master key does not fit this database: it was sealed with master key {database}, the key given is {given}"
    )]
    WrongMasterKey {
        /// Names the key the database was sealed with.
        database: String,
        /// Names the key in use.
        given: KeyFingerprint,
    },
    /// Something in the database is not what it must be.
    #[error("the database holds an unusable key: {0}")]
    Unusable(&'static str),
    /// The library failed.
    #[error(transparent)]
    Cryptography(#[from] CryptographyFailed),
    /// The database failed.
    #[error("the keys cannot be read or written")]
    Store(#[from] StoreError),
}

/// All keys of a running node.
pub struct Keys {
    store: Store,
    masters: Arc<MasterKeys>,
    secrets: SecretKeys,
    settings: KeySettings,
    ring: RwLock<Arc<KeyRing>>,
    /// Our own tokens, with their claims.
    verified: VerifiedTokens<Arc<AccessClaims>>,
    /// Every other token that we signed and that was shown to us. Those of clients are remembered with their claims in
    /// front of this, but fewer of them.
    verified_others: VerifiedTokens<()>,
}

impl Keys {
    /// What tokens and keys are made by.
    pub const fn settings(&self) -> &KeySettings {
        &self.settings
    }

    /// The deployment's epoch.
    pub const fn epoch(&self) -> Epoch {
        self.secrets.epoch
    }

    /// Makes and verifies refresh tokens.
    pub const fn refresh_mac(&self) -> &MacKey {
        &self.secrets.refresh_mac
    }

    /// Seals the cookie of known devices: the key's id and its bytes.
    pub fn known_device(&self) -> (SecretKeyId, &[u8; 32]) {
        (self.secrets.known_device.0, &self.secrets.known_device.1)
    }

    /// 32 bytes that follow from `label` and `parts` and that only this deployment can compute (HMAC-SHA-256).
    /// Parts enter with their length, so no two lists of parts run together.
    pub fn derive(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = hmac::Context::with_key(&self.secrets.derivation);
        for part in [label.as_bytes()].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(mac.sign().as_ref());
        bytes
    }

    /// 32 bytes that turn addresses and networks into look-up keys. The epoch does not enter: counters and
    /// events must still be found after a restore.
    pub fn subject_lookup(&self) -> &[u8; 32] {
        &self.secrets.subject_lookup
    }

    /// Seals and opens with the master key.
    pub fn masters(&self) -> &MasterKeys {
        &self.masters
    }

    /// Reads the signing keys again. Every node does so every few seconds; what has not changed stays as it is.
    pub async fn reload(&self) -> Result<(), KeysError> {
        let rows = self.store.read(signing_keys::list_living).await?;
        let current = self.ring();
        if let Some(next) = current.follow(&rows, &self.masters)? {
            *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        }
        Ok(())
    }

    /// The signing keys as of the latest [`Self::reload`].
    fn ring(&self) -> Arc<KeyRing> {
        // A reader that panicked has not left the ring half-written.
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether [`rotation::RotationPlan::advance`] would change something at `now`, as far as this node knows.
    pub fn is_rotation_due(&self, now: Timestamp) -> bool {
        self.ring().is_change_due(now, &self.settings)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("ring", &self.ring()).finish_non_exhaustive()
    }
}
