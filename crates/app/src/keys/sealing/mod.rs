//! Sealing: how secrets that must be read back lie in the database.
//!
//! A sealed value is `version ‖ key id ‖ seed ‖ nonce ‖ ciphertext ‖ tag`. The row's identity is associated data,
//! so a value copied into another row does not open; the purpose enters the key, so a value moved to another
//! column does not either.
//!
//! The cipher is AES-256-GCM: the library also offers AES-256-GCM-SIV, but GCM is what the standards for data at
//! rest name (ASVS 11.3.2). GCM allows only 2^32 random nonces of 96 bits under one key (NIST SP 800-38D, 8.3),
//! so each value gets its own key, derived from 96 more random bits. Key and nonce together repeat as seldom as
//! a 192-bit nonce would.

mod master_key;

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use doorward_model::random::{self, Random};
use thiserror::Error;
use zeroize::Zeroizing;

pub(super) use master_key::Recognized;
pub use master_key::{MasterKeyProblem, MasterKeyText, MasterKeys};

#[cfg(test)]
mod tests;

const VERSION: u8 = 1;
const SEED_BYTES: usize = 12;
const NONCE_BYTES: usize = 12;
const HEAD_BYTES: usize = 1 + KeyFingerprint::BYTES + SEED_BYTES;
const TAG_BYTES: usize = 16;

/// What a sealed value is for: the table and column that hold it. Values of one purpose do not open as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose(&'static str);

impl Purpose {
    /// Named after where the value lies, such as `signing_keys.private_key_sealed`.
    pub const fn new(place: &'static str) -> Self {
        Self(place)
    }
}

/// The value was changed, lies in another place than it was sealed for, or was sealed with a key that is not
/// at hand. Which of these is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a sealed value does not open")]
pub struct NotOpened;

/// The library refused to derive a key or to encrypt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the cryptographic library failed")]
pub struct CryptographyFailed;

/// Names a key without telling anything about it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyFingerprint([u8; Self::BYTES]);

impl KeyFingerprint {
    pub(super) const BYTES: usize = 8;

    pub(super) const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key that seals.
pub struct SealingKey {
    root: hkdf::Prk,
    fingerprint: KeyFingerprint,
}

struct Bytes<const N: usize>;

impl<const N: usize> hkdf::KeyType for Bytes<N> {
    fn len(&self) -> usize {
        N
    }
}

impl SealingKey {
    /// From 32 random bytes.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, CryptographyFailed> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"doorward/1").extract(bytes);
        let mut key = Self { root, fingerprint: KeyFingerprint([0; KeyFingerprint::BYTES]) };
        key.fingerprint = KeyFingerprint(*key.derive(b"fingerprint", &[])?);
        Ok(key)
    }

    /// Names it.
    pub const fn fingerprint(&self) -> KeyFingerprint {
        self.fingerprint
    }

    /// Bytes for one use, known by its label. The label is preceded by its length, so labels and contexts never
    /// run together.
    pub(super) fn derive<const N: usize>(
        &self,
        label: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<[u8; N]>, CryptographyFailed> {
        let length = u8::try_from(label.len()).map_err(|_| CryptographyFailed)?;
        let info: [&[u8]; 3] = [&[length], label, context];
        let mut bytes = Zeroizing::new([0; N]);
        let material = self.root.expand(&info, Bytes::<N>).map_err(|_| CryptographyFailed)?;
        material.fill(bytes.as_mut()).map_err(|_| CryptographyFailed)?;
        Ok(bytes)
    }

    /// Seals `plaintext` for the row called `identity`.
    pub fn seal(
        &self,
        purpose: Purpose,
        identity: &str,
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, CryptographyFailed> {
        // One call of the system for both.
        let drawn: [u8; SEED_BYTES + NONCE_BYTES] = random::bytes(random);
        let mut nonce = [0; NONCE_BYTES];
        let (seed, rest) = drawn.split_at(SEED_BYTES);
        nonce.copy_from_slice(rest);
        let mut sealed = Vec::with_capacity(HEAD_BYTES + NONCE_BYTES + plaintext.len() + TAG_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.fingerprint.0);
        sealed.extend_from_slice(seed);
        let associated = associated_data(&sealed, identity);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let tag = self
            .cipher(purpose, seed)?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(&associated),
                &mut sealed[HEAD_BYTES + NONCE_BYTES..],
            )
            .map_err(|_| CryptographyFailed)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made for the same purpose and row.
    pub fn open(&self, purpose: Purpose, identity: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        if fingerprint_of(sealed) != Some(self.fingerprint) {
            return Err(NotOpened);
        }
        let (head, rest) = sealed.split_at_checked(HEAD_BYTES).ok_or(NotOpened)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(NotOpened)?;
        let cipher = self.cipher(purpose, &head[HEAD_BYTES - SEED_BYTES..]).map_err(|CryptographyFailed| NotOpened)?;
        let associated = associated_data(head, identity);
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        let length = cipher
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(&associated), &mut plaintext)
            .map_err(|_| NotOpened)?
            .len();
        plaintext.truncate(length);
        Ok(plaintext)
    }

    fn cipher(&self, purpose: Purpose, seed: &[u8]) -> Result<LessSafeKey, CryptographyFailed> {
        let key = self.derive::<32>(purpose.0.as_bytes(), seed)?;
        UnboundKey::new(&AES_256_GCM, key.as_ref()).map(LessSafeKey::new).map_err(|_| CryptographyFailed)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({}, [redacted])", self.fingerprint)
    }
}

/// The head has a fixed length, so head and identity never run together.
fn associated_data(head: &[u8], identity: &str) -> Vec<u8> {
    [head, identity.as_bytes()].concat()
}

/// Which key sealed this; none when it is no sealed value of this version.
fn fingerprint_of(sealed: &[u8]) -> Option<KeyFingerprint> {
    let (version, rest) = sealed.split_first()?;
    let fingerprint = rest.first_chunk()?;
    (*version == VERSION).then_some(KeyFingerprint(*fingerprint))
}
