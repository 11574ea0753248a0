//! Random keys of the deployment whose output outlives a request in somebody else's hands. They lie sealed in
//! the database, so rotating the master key signs nobody out.

use aws_lc_rs::hmac;
use doorward_model::id::SecretKeyId;
use doorward_model::random::{self, Random};
use doorward_model::rotation::{Epoch, MacKey};
use doorward_model::time::Timestamp;
use doorward_store::secret_keys::SecretKey;
use zeroize::Zeroizing;

use super::KeysError;
use super::sealing::{CryptographyFailed, MasterKeys, Purpose};

/// Where they lie.
pub(super) const SECRET_KEY: Purpose = Purpose::new("secret_keys.sealed");

const REFRESH_MAC: &str = "refresh_mac";
const KNOWN_DEVICE: &str = "known_device";
const SUBJECT_LOOKUP: &str = "subject_lookup";
const DERIVATION: &str = "derivation";
pub(super) const PURPOSES: [&str; 4] = [REFRESH_MAC, KNOWN_DEVICE, SUBJECT_LOOKUP, DERIVATION];

/// The opened keys.
pub(super) struct SecretKeys {
    pub(super) epoch: Epoch,
    pub(super) refresh_mac: MacKey,
    pub(super) known_device: (SecretKeyId, Zeroizing<[u8; 32]>),
    pub(super) subject_lookup: Zeroizing<[u8; 32]>,
    pub(super) derivation: hmac::Key,
}

/// A fresh key for every purpose, sealed, for the first start.
pub(super) fn generate(
    masters: &MasterKeys,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Vec<SecretKey>, CryptographyFailed> {
    let key = |purpose: &str| {
        let id = SecretKeyId::new(now, random);
        let bytes = Zeroizing::new(random::bytes::<32>(random));
        let sealed = masters.seal(SECRET_KEY, &identity(id, purpose), bytes.as_ref(), random)?;
        Ok(SecretKey { id, purpose: purpose.to_owned(), sealed, created_at: now })
    };
    PURPOSES.into_iter().map(key).collect()
}

/// Id and purpose together, so that a key does not open for another purpose.
pub(super) fn identity(id: SecretKeyId, purpose: &str) -> String {
    format!("{id} {purpose}")
}

impl SecretKeys {
    pub(super) fn open(rows: &[SecretKey], masters: &MasterKeys, epoch: Epoch) -> Result<Self, KeysError> {
        let open = |purpose: &str| {
            let row = rows.iter().find(|row| row.purpose == purpose);
            let row = row.ok_or(KeysError::Unusable("a secret key is missing"))?;
            let bytes = masters
                .open(SECRET_KEY, &identity(row.id, purpose), &row.sealed)
                .map_err(|_| KeysError::Unusable("a secret key does not open"))?;
            let bytes: [u8; 32] =
                bytes.as_slice().try_into().map_err(|_| KeysError::Unusable("a secret key has another length"))?;
            Ok::<_, KeysError>((row.id, Zeroizing::new(bytes)))
        };
        let (refresh_id, refresh) = open(REFRESH_MAC)?;
        Ok(Self {
            epoch,
            refresh_mac: MacKey::new(refresh_id, &refresh, epoch),
            known_device: open(KNOWN_DEVICE)?,
            subject_lookup: open(SUBJECT_LOOKUP)?.1,
            derivation: hmac::Key::new(hmac::HMAC_SHA256, open(DERIVATION)?.1.as_ref()),
        })
    }
}
