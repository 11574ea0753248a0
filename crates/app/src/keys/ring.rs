//! The signing keys in memory: signing and verifying ask no database and parse no key.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::id::SigningKeyId;
use doorward_model::time::Timestamp;
use doorward_model::token::{Header, TOKEN_TYPE};
use doorward_store::signing_keys::{SigningKey, SigningKeyState};

use super::sealing::{MasterKeys, Purpose};
use super::signature::{self, POINT_BYTES, Signer, Verifier};
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
    pub(super) point: [u8; POINT_BYTES],
    /// The first part of every token it signs.
    pub(super) header: String,
    pub(super) verifier: Verifier,
    /// Missing for a key that was retired before this node saw it.
    pub(super) signer: Option<Signer>,
}

impl KeyRing {
    /// The ring these rows describe; none when it is this one.
    pub(super) fn follow(&self, rows: &[SigningKey], masters: &MasterKeys) -> Result<Option<Self>, KeysError> {
        let rows: Vec<&SigningKey> = rows.iter().filter(|row| row.algorithm == signature::ALGORITHM).collect();
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

    /// The key that signs.
    pub(super) fn active(&self) -> Option<&RingKey> {
        self.keys.iter().find(|key| key.state == SigningKeyState::Active)
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

    /// Whether a key has to be published, to begin to sign or to go.
    pub(super) fn is_change_due(&self, now: Timestamp, settings: &KeySettings) -> bool {
        let has_successor = self.keys.iter().any(|key| key.state == SigningKeyState::Published);
        self.keys.iter().any(|key| match key.state {
            SigningKeyState::Published => now >= key.active_at,
            SigningKeyState::Active => !has_successor && now >= publish_at(key.active_at, settings),
            SigningKeyState::Retired | SigningKeyState::Gone => key.gone_at.is_some_and(|gone_at| now >= gone_at),
        })
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
        let point: [u8; POINT_BYTES] = row
            .public_key
            .as_slice()
            .try_into()
            .map_err(|_| KeysError::Unusable("a public signing key has another length"))?;
        let verifier =
            Verifier::parse(&point).ok_or(KeysError::Unusable("a public signing key is not on its curve"))?;
        let signer = if row.private_key_sealed.is_empty() {
            None
        } else {
            let pkcs8 = masters
                .open(PRIVATE_KEY, &kid, &row.private_key_sealed)
                .map_err(|_| KeysError::Unusable("a private signing key does not open"))?;
            let signer = Signer::parse(&pkcs8, &point);
            Some(signer.ok_or(KeysError::Unusable("a private signing key does not fit its public half"))?)
        };
        Ok(Self { id: row.id, header: encode_header(&kid, TOKEN_TYPE)?, kid, point, verifier, signer })
    }
}

pub(super) fn encode_header(kid: &str, token_type: &str) -> Result<String, KeysError> {
    let header = Header { alg: signature::ALGORITHM.to_owned(), kid: kid.to_owned(), typ: token_type.to_owned() };
    let json = serde_json::to_vec(&header).map_err(|_| KeysError::Unusable("a token header cannot be written"))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.iter().map(|key| (&key.material.kid, key.state));
        write!(f, "{} ", self.version)?;
        f.debug_map().entries(keys).finish()
    }
}
