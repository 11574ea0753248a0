//! Ids: `TypeID`s, a prefix and a `UUIDv7` in Crockford base32 (`user_01h455vb4pex5vsknk084sn02q`).
//!
//! What the log shows is what the API returns and what the row holds. Ids sort by time of creation and
//! are not secrets.

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::random::{self, Random};
use crate::time::Timestamp;

/// A text that is not an id of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an id of this kind")]
pub struct InvalidId;

/// A kind of thing that has ids.
pub trait Kind: Copy + Send + Sync + 'static {
    /// The text before the underscore, at most 12 lower-case letters.
    const PREFIX: &'static str;
}

/// The id of a thing of kind `K`.
pub struct Id<K: Kind> {
    uuid: [u8; 16],
    kind: std::marker::PhantomData<K>,
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LENGTH: usize = 26;

impl<K: Kind> Id<K> {
    /// A new id made at `now` (UUID version 7, RFC 9562 section 5.7).
    pub fn new(now: Timestamp, random: &dyn Random) -> Self {
        let mut uuid: [u8; 16] = random::bytes(random);
        let ms = now.as_ms().max(0).to_be_bytes();
        uuid[..6].copy_from_slice(&ms[2..]);
        uuid[6] = (uuid[6] & 0x0f) | 0x70;
        uuid[8] = (uuid[8] & 0x3f) | 0x80;
        Self::from_uuid(uuid)
    }

    /// From the 16 bytes of a UUID.
    pub const fn from_uuid(uuid: [u8; 16]) -> Self {
        Self { uuid, kind: std::marker::PhantomData }
    }

    /// The 16 bytes of the UUID.
    pub const fn uuid(&self) -> &[u8; 16] {
        &self.uuid
    }

    /// Reads the one spelling that [`Id`]'s `Display` writes; any other (upper case, look-alike letters,
    /// another prefix) is refused.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let suffix = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(InvalidId)?;
        // 26 characters hold 130 bits; the first one must stay below 8 to fit 128.
        if suffix.len() != SUFFIX_LENGTH || suffix.as_bytes()[0] > b'7' {
            return Err(InvalidId);
        }
        let mut value: u128 = 0;
        for byte in suffix.bytes() {
            let digit = ALPHABET.iter().position(|letter| *letter == byte).ok_or(InvalidId)?;
            value = (value << 5) | digit as u128;
        }
        Ok(Self::from_uuid(value.to_be_bytes()))
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = u128::from_be_bytes(self.uuid);
        let mut suffix = [0u8; SUFFIX_LENGTH];
        for slot in suffix.iter_mut().rev() {
            *slot = ALPHABET[(value & 31) as usize];
            value >>= 5;
        }
        f.write_str(K::PREFIX)?;
        f.write_str("_")?;
        f.write_str(std::str::from_utf8(&suffix).unwrap_or_default())
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[expect(clippy::expl_impl_clone_on_copy, reason = "a derive would ask the marker type to be Clone too")]
impl<K: Kind> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: Kind> Copy for Id<K> {}
impl<K: Kind> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K: Kind> Eq for Id<K> {}
impl<K: Kind> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $alias:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $kind {}
        impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        #[doc = concat!("An id such as `", $prefix, "_01h455vb4pex5vsknk084sn02q`.")]
        pub type $alias = Id<$kind>;
    )*};
}

kinds! {
    /// A person with an account.
    User, UserId, "user";
    /// A sign-up that nobody has confirmed yet.
    Signup, SignupId, "signup";
    /// What exists after sign-in.
    Session, SessionId, "session";
    /// A family of rotating refresh tokens.
    Family, FamilyId, "family";
    /// A browser that its owner has signed in with before.
    Device, DeviceId, "device";
    /// An entry of the append-only record.
    Event, EventId, "event";
    /// A mail (later also a webhook) waiting to be sent.
    Delivery, DeliveryId, "delivery";
    /// A single-use token sent to somebody.
    OneTime, OneTimeId, "onetime";
    /// A key that signs tokens.
    SigningKey, SigningKeyId, "key";
    /// A sealed random key of the deployment.
    SecretKey, SecretKeyId, "secret";
    /// One request, one job or one command.
    Request, RequestId, "req";
    /// One issued access token.
    Token, TokenId, "token";
    /// A running server process.
    Node, NodeId, "node";
    /// A registered application.
    Client, ClientId, "client";
    /// What a person let an application do.
    Grant, GrantId, "grant";
    /// What lets applications register themselves.
    InitialAccess, InitialAccessId, "initial";
    /// An entry of the revocation feed.
    Revocation, RevocationId, "revocation";
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_specification_example_reads_and_writes() {
        let text = "user_01h455vb4pex5vsknk084sn02q";
        assert_eq!(UserId::parse(text).map(|id| id.to_string()), Ok(text.to_owned()));
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "user",
            "user_",
            "01h455vb4pex5vsknk084sn02q",
            "session_01h455vb4pex5vsknk084sn02q",
            "user_01H455VB4PEX5VSKNK084SN02Q",
            "user_81h455vb4pex5vsknk084sn02q",
            "user_01h455vb4pex5vsknk084sn02",
            "user_01h455vb4pex5vsknk084sn02qq",
            "user_01h455vb4pex5vsknk084sn0il",
            "user_01h455vb4pex5vsknk084sn02é",
        ] {
            assert_eq!(UserId::parse(text), Err(InvalidId), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_id_reads_back(uuid: [u8; 16]) {
            let id = SessionId::from_uuid(uuid);
            prop_assert_eq!(SessionId::parse(&id.to_string()), Ok(id));
        }

        #[test]
        fn what_is_read_is_written_the_same(text in "user_[0-9a-z]{26}") {
            if let Ok(id) = UserId::parse(&text) {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
