//! The public keys of a client (RFC 7517 section 5).

use doorward_model::token::parse_object;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::{Algorithm, KeyError, PublicKey};

/// No set has more keys.
pub const MAX_KEYS: usize = 20;
/// No set is longer.
pub const MAX_SET_BYTES: usize = 64 * 1024;

/// A text that is no set of public keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeySetError {
    /// Not `{"keys": [...]}`, or a member is repeated.
    #[error("is no JSON Web Key Set")]
    Malformed,
    /// More than [`MAX_KEYS`] keys or [`MAX_SET_BYTES`] bytes.
    #[error("is too large")]
    TooLarge,
    /// One of the keys is wrong.
    #[error("has a key that {0}")]
    Key(#[from] KeyError),
    /// No key can be used.
    #[error("has no RSA, P-256 or Ed25519 key for signatures")]
    Empty,
}

/// A set with at least one key that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

impl KeySet {
    /// Reads the document.
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        if json.len() > MAX_SET_BYTES {
            return Err(KeySetError::TooLarge);
        }
        let members: Map<String, Value> = parse_object(json).ok_or(KeySetError::Malformed)?;
        Self::from_members(&members)
    }

    /// Reads the members of a document that is parsed already. Keys of other kinds and for other uses are skipped (RFC
    /// 7517 section 5); one secret or malformed key makes the set wrong as a whole.
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, KeySetError> {
        let Some(Value::Array(list)) = members.get("keys") else { return Err(KeySetError::Malformed) };
        if list.len() > MAX_KEYS {
            return Err(KeySetError::TooLarge);
        }
        let mut keys = Vec::new();
        for member in list {
            let jwk = member.as_object().ok_or(KeySetError::Malformed)?;
            match PublicKey::from_jwk(jwk) {
                Ok(key) => keys.push(key),
                Err(KeyError::Unsupported) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if keys.is_empty() {
            return Err(KeySetError::Empty);
        }
        Ok(Self { keys })
    }

    /// The keys that a signature with this algorithm and key id can come from. Without an id all that fit.
    pub fn candidates(&self, algorithm: Algorithm, kid: Option<&str>) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter().filter(move |key| key.fits(algorithm) && (kid.is_none() || key.kid() == kid))
    }

    /// The keys.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The document, with what was understood.
    pub fn to_json(&self) -> Value {
        json!({ "keys": self.keys.iter().map(PublicKey::to_jwk).collect::<Vec<_>>() })
    }
}
