//! The signing keys in memory: signing and verifying ask no database and parse no key.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::id::SigningKeyId;
use doorward_model::time::Timestamp;
use doorward_model::token::{Header, TOKEN_TYPE};
use doorward_oidc::id_token;
use doorward_oidc::jose::Algorithm;
use doorward_store::signing_keys::{SigningKey, SigningKeyState};

use super::jwks::Jwk;
use super::sealing::{MasterKeys, Purpose};
use super::signature::{Signer, Verifier};
use super::{KeySettings, KeysError};

/// Where private halves lie.
pub(super) const PRIVATE_KEY: Purpose = Purpose::new("signing_keys.private_key_sealed");

/// The living keys at one moment.
#[derive(Default)]
pub(super) struct KeyRing {
    /// Differs whenever any key or state differs; what was concluded from another ring does not hold.
    pub(super) version: u64,
    pub(super) keys: Vec<RingKey>,
}

/// A key in a state.
pub(super) struct RingKey {
    pub(super) state: SigningKeyState,
    pub(super) active_at: Timestamp,
    pub(super) gone_at: Option<Timestamp>,
    pub(super) material: Arc<KeyMaterial>,
}

/// What a key is, whatever its state.
pub(super) struct KeyMaterial {
    pub(super) id: SigningKeyId,
    /// The id as tokens carry it.
    pub(super) kid: String,
    /// The one algorithm it is for.
    pub(super) algorithm: Algorithm,
    /// The public half as others read it.
    pub(super) jwk: Jwk,
    /// The first part of every access token it signs.
    access_header: String,
    /// The first part of every ID token it signs.
    id_header: String,
    pub(super) verifier: Verifier,
    /// Missing for a key that was retired before this node saw it.
    pub(super) signer: Option<Signer>,
}

impl KeyRing {
    /// The ring these rows describe; none when it is this one. Keys of algorithms that this version does not know stay
    /// out.
    pub(super) fn follow(&self, rows: &[SigningKey], masters: &MasterKeys) -> Result<Option<Self>, KeysError> {
        let rows: Vec<&SigningKey> = rows.iter().filter(|row| algorithm_of(row).is_some()).collect();
        let is_same = rows.len() == self.keys.len() && rows.iter().zip(&self.keys).all(|(row, key)| key.is(row));
        if is_same {
            return Ok(None);
        }
        let keys = rows.into_iter().map(|row| {
            let known = self.keys.iter().find(|key| key.material.id == row.id);
            let material = match known {
                Some(key) => Arc::clone(&key.material),
                None => Arc::new(KeyMaterial::open(row, masters)?),
            };
            Ok(RingKey { state: row.state, active_at: row.active_at, gone_at: row.gone_at, material })
        });
        Ok(Some(Self { version: self.version + 1, keys: keys.collect::<Result<_, KeysError>>()? }))
    }

    /// The key that signs with this algorithm.
    pub(super) fn active(&self, algorithm: Algorithm) -> Option<&RingKey> {
        self.keys.iter().find(|key| key.state == SigningKeyState::Active && key.material.algorithm == algorithm)
    }

    /// The key of this name, if what it signed may be valid at `now`. A published key counts: another node may
    /// have begun to sign with it.
    pub(super) fn find(&self, kid: &str, now: Timestamp) -> Option<&RingKey> {
        self.living(now).find(|key| key.material.kid == kid)
    }

    /// The keys that verifiers need at `now`.
    pub(super) fn living(&self, now: Timestamp) -> impl Iterator<Item = &RingKey> {
        self.keys.iter().filter(move |key| key.gone_at.is_none_or(|gone_at| now < gone_at))
    }

    /// Whether a key has to be made, to begin to sign or to go.
    pub(super) fn is_change_due(&self, now: Timestamp, settings: &KeySettings) -> bool {
        !self.wanted(now, settings).is_empty()
            || self.keys.iter().any(|key| match key.state {
                SigningKeyState::Published => now >= key.active_at,
                SigningKeyState::Active => false,
                SigningKeyState::Retired | SigningKeyState::Gone => key.gone_at.is_some_and(|gone_at| now >= gone_at),
            })
    }

    /// The algorithms for which a new key has to be made: those without one that signs, and those whose key needs a
    /// successor.
    pub(super) fn wanted(&self, now: Timestamp, settings: &KeySettings) -> Vec<Algorithm> {
        let is_published = |algorithm| {
            let mut keys = self.keys.iter();
            keys.any(|key| key.state == SigningKeyState::Published && key.material.algorithm == algorithm)
        };
        let is_wanted = |algorithm: &Algorithm| match self.active(*algorithm) {
            Some(active) => !is_published(*algorithm) && now >= publish_at(active.active_at, settings),
            None => true,
        };
        settings.algorithms.iter().copied().filter(is_wanted).collect()
    }
}

/// When the successor of a key that began to sign at `active_at` has to be published, to take over in time.
pub(super) fn publish_at(active_at: Timestamp, settings: &KeySettings) -> Timestamp {
    active_at.plus_ms(settings.sign_ms).plus_ms(-settings.publish_ms)
}

impl RingKey {
    fn is(&self, row: &SigningKey) -> bool {
        self.material.id == row.id
            && (self.state, self.active_at, self.gone_at) == (row.state, row.active_at, row.gone_at)
    }
}

impl KeyMaterial {
    fn open(row: &SigningKey, masters: &MasterKeys) -> Result<Self, KeysError> {
        let kid = row.id.to_string();
        let algorithm = algorithm_of(row)
            .ok_or(KeysError::Unusable("a signing key is for an algorithm that nothing signs with"))?;
        let verifier = Verifier::parse(algorithm, &row.public_key)
            .ok_or(KeysError::Unusable("a public signing key is none of its algorithm"))?;
        let signer = if row.private_key_sealed.is_empty() {
            None
        } else {
            let pkcs8 = masters
                .open(PRIVATE_KEY, &kid, &row.private_key_sealed)
                .map_err(|_| KeysError::Unusable("a private signing key does not open"))?;
            let signer = Signer::parse(algorithm, &pkcs8, &row.public_key);
            Some(signer.ok_or(KeysError::Unusable("a private signing key does not fit its public half"))?)
        };
        Ok(Self {
            id: row.id,
            algorithm,
            jwk: Jwk::new(algorithm, &kid, &row.public_key),
            access_header: encode_header(algorithm, &kid, TOKEN_TYPE)?,
            id_header: encode_header(algorithm, &kid, id_token::TOKEN_TYPE)?,
            kid,
            verifier,
            signer,
        })
    }

    /// The first part of a token of this `typ`.
    pub(super) fn header(&self, token_type: &str) -> Result<Cow<'_, str>, KeysError> {
        Ok(match token_type {
            TOKEN_TYPE => Cow::Borrowed(&self.access_header),
            id_token::TOKEN_TYPE => Cow::Borrowed(&self.id_header),
            _ => Cow::Owned(encode_header(self.algorithm, &self.kid, token_type)?),
        })
    }
}

fn encode_header(algorithm: Algorithm, kid: &str, token_type: &str) -> Result<String, KeysError> {
    let header = Header { alg: algorithm.as_str().to_owned(), kid: kid.to_owned(), typ: token_type.to_owned() };
    let json = serde_json::to_vec(&header).map_err(|_| KeysError::Unusable("a token header cannot be written"))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// The algorithm of a row, if it is one that this version signs with.
pub(super) fn algorithm_of(row: &SigningKey) -> Option<Algorithm> {
    Algorithm::SIGNING.into_iter().find(|algorithm| algorithm.as_str() == row.algorithm)
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.iter().map(|key| (&key.material.kid, key.state));
        write!(f, "{} ", self.version)?;
        f.debug_map().entries(keys).finish()
    }
}
