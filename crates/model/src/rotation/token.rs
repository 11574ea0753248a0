//! The text of a refresh token and the MAC that makes it unforgeable.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::Generation;
use crate::id::{FamilyId, SecretKeyId};
use crate::random::{self, Random};

/// What every refresh token begins with; also the kind in its MAC.
const PREFIX: &str = "dwr_";
/// Key id, family id, generation, MAC.
const BODY_BYTES: usize = 16 + 16 + 8 + MAC_BYTES;
const MAC_BYTES: usize = 32;
/// 72 bytes are exactly 96 digits: no spare bits, so each value has one spelling.
const BODY_DIGITS: usize = 96;

/// The deployment's epoch: part of every token's MAC, raised by a restore so that a database from the past
/// cannot revive the tokens of that past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch of a new deployment.
    pub const FIRST: Self = Self(1);

    /// From its number.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// Random bytes of the family's row that enter each of its MACs: forging a token needs the key *and* the
/// database.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Salt([u8; 32]);

impl Salt {
    /// For a new family.
    pub fn new(random: &dyn Random) -> Self {
        Self(random::bytes(random))
    }

    /// From the bytes of a row.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes for a row.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt[redacted]")
    }
}

/// The key of refresh tokens, with the id by which tokens name it.
#[derive(Clone)]
pub struct MacKey {
    id: SecretKeyId,
    // Holds the expanded key only, and the library wipes it when dropped.
    key: hmac::Key,
    epoch: Epoch,
}

impl MacKey {
    /// From 32 random bytes, for tokens of this epoch.
    pub fn new(id: SecretKeyId, bytes: &[u8; 32], epoch: Epoch) -> Self {
        Self { id, key: hmac::Key::new(hmac::HMAC_SHA256, bytes), epoch }
    }

    /// The id in the tokens it makes.
    pub const fn id(&self) -> SecretKeyId {
        self.id
    }

    /// The text of one token of a family. The same arguments give the same text, which is how an answer is
    /// repeated without storing it.
    pub fn token(&self, family_id: FamilyId, generation: Generation, salt: &Salt) -> Zeroizing<String> {
        let mut body = Zeroizing::new([0u8; BODY_BYTES]);
        let (head, mac) = body.split_at_mut(BODY_BYTES - MAC_BYTES);
        head[..16].copy_from_slice(self.id.uuid());
        head[16..32].copy_from_slice(family_id.uuid());
        head[32..].copy_from_slice(&generation.number().to_be_bytes());
        mac.copy_from_slice(self.sign(family_id, generation, salt).as_ref());
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + BODY_DIGITS));
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(body.as_ref(), &mut text);
        text
    }

    /// Whether this key made the token for a family with this salt; compares in constant time.
    pub fn verifies(&self, token: &PresentedToken, salt: &Salt) -> bool {
        token.key_id == self.id && {
            let message = self.message(token.family_id, token.generation, salt);
            hmac::verify(&self.key, message.as_ref(), token.mac.as_ref()).is_ok()
        }
    }

    fn sign(&self, family_id: FamilyId, generation: Generation, salt: &Salt) -> hmac::Tag {
        hmac::sign(&self.key, self.message(family_id, generation, salt).as_ref())
    }

    /// Kind, epoch, family id, generation, salt: all of fixed length, so no two inputs run together.
    fn message(&self, family_id: FamilyId, generation: Generation, salt: &Salt) -> Zeroizing<[u8; 68]> {
        let mut message = Zeroizing::new([0u8; 68]);
        message[..4].copy_from_slice(PREFIX.as_bytes());
        message[4..12].copy_from_slice(&self.epoch.number().to_be_bytes());
        message[12..28].copy_from_slice(family_id.uuid());
        message[28..36].copy_from_slice(&generation.number().to_be_bytes());
        message[36..].copy_from_slice(salt.as_bytes());
        message
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKey({}, [redacted])", self.id)
    }
}

/// What a client presented: well-formed, but proved only by [`MacKey::verifies`].
#[derive(Clone)]
pub struct PresentedToken {
    key_id: SecretKeyId,
    family_id: FamilyId,
    generation: Generation,
    mac: Zeroizing<[u8; MAC_BYTES]>,
}

impl PresentedToken {
    /// Reads the one spelling of a refresh token.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX).filter(|digits| digits.len() == BODY_DIGITS)?;
        let mut body = Zeroizing::new([0u8; BODY_BYTES]);
        let written = URL_SAFE_NO_PAD.decode_slice(digits, body.as_mut()).ok()?;
        if written != BODY_BYTES {
            return None;
        }
        let (key_id, rest) = body.split_first_chunk::<16>()?;
        let (family_id, rest) = rest.split_first_chunk::<16>()?;
        let (generation, rest) = rest.split_first_chunk::<8>()?;
        let (mac, _) = rest.split_first_chunk::<MAC_BYTES>()?;
        let generation = Generation::from_number(i64::from_be_bytes(*generation))?;
        if generation == Generation::NONE {
            return None;
        }
        let (key_id, family_id) = (SecretKeyId::from_uuid(*key_id), FamilyId::from_uuid(*family_id));
        Some(Self { key_id, family_id, generation, mac: Zeroizing::new(*mac) })
    }

    /// Which key it claims to be made with.
    pub const fn key_id(&self) -> SecretKeyId {
        self.key_id
    }

    /// Which family it claims to belong to.
    pub const fn family_id(&self) -> FamilyId {
        self.family_id
    }

    /// Which generation it claims to be.
    pub const fn generation(&self) -> Generation {
        self.generation
    }
}

impl fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}[redacted] of {}", self.family_id)
    }
}
