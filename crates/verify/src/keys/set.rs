//! The public keys of an issuer (RFC 7517 section 5).

use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use super::jwk::is_key_id;
use super::{Algorithm, KeyError, VerifyingKey};
use crate::json;

/// Why a document is no set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// Not `{"keys": [...]}`, or a member is repeated.
    #[error("it is no JSON Web Key Set")]
    Malformed,
    /// More than [`KeySet::MAX_KEYS`] keys or [`KeySet::MAX_BYTES`] bytes.
    #[error("it is too large")]
    TooLarge,
    /// No key can be used.
    #[error("it has no key to check signatures with")]
    Empty,
}

/// A set with at least one key that checks signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<Arc<VerifyingKey>>,
    /// Which one in the line of different sets of an issuer this is.
    generation: u64,
}

impl KeySet {
    /// No set has more keys, usable or not.
    pub const MAX_KEYS: usize = 64;
    /// No set is longer.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// Reads the document. Keys that cannot be used here are skipped (RFC 7517 section 5): other kinds and uses, RSA of
    /// an unusual size, and keys whose private half was published.
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        if json.len() > Self::MAX_BYTES {
            return Err(KeySetError::TooLarge);
        }
        let members = json::parse_object(json).ok_or(KeySetError::Malformed)?;
        let Some(Value::Array(list)) = members.get("keys") else { return Err(KeySetError::Malformed) };
        if list.len() > Self::MAX_KEYS {
            return Err(KeySetError::TooLarge);
        }
        let mut keys: Vec<Arc<VerifyingKey>> = Vec::new();
        for jwk in list.iter().filter_map(Value::as_object) {
            match VerifyingKey::from_jwk(jwk) {
                Ok(key) if keys.iter().any(|other| **other == key) => {}
                Ok(key) => keys.push(Arc::new(key)),
                Err(KeyError::Secret) => tracing::warn!("an issuer publishes a private key; it is not used"),
                Err(error) => tracing::debug!(%error, "a key of an issuer is not used"),
            }
        }
        if keys.is_empty() {
            return Err(KeySetError::Empty);
        }
        Ok(Self { keys, generation: 0 })
    }

    /// The keys that a signature with this algorithm and key id can come from: all that fit when the token names none,
    /// else only those with that very id (RFC 7515 section 4.1.4).
    pub fn candidates(&self, algorithm: Algorithm, kid: Option<&str>) -> impl Iterator<Item = &Arc<VerifyingKey>> {
        self.keys.iter().filter(move |key| (kid.is_none() || key.kid() == kid) && key.fits(algorithm))
    }

    /// The keys.
    pub fn keys(&self) -> &[Arc<VerifyingKey>] {
        &self.keys
    }

    /// Counts the different sets of an issuer: what was checked with a set of another generation must be looked at
    /// again. Zero for a set that did not come through [`IssuerKeys`](super::IssuerKeys).
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn with_generation(self, generation: u64) -> Self {
        Self { generation, ..self }
    }

    /// Whether the same keys are in both, in any order.
    pub(super) fn has_same_keys(&self, other: &Self) -> bool {
        self.keys.len() == other.keys.len() && self.keys.iter().all(|key| other.keys.contains(key))
    }

    /// Whether asking the issuer again could bring a key that is missing here. A known id with another algorithm is no
    /// missing key but a wrong token, and a text that can be no id is looked for nowhere.
    pub(super) fn may_lack(&self, algorithm: Algorithm, kid: Option<&str>) -> bool {
        match kid {
            Some(kid) => is_key_id(kid) && !self.keys.iter().any(|key| key.kid() == Some(kid)),
            None => self.candidates(algorithm, None).next().is_none(),
        }
    }
}

#[cfg(test)]
mod tests;
