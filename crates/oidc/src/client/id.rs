//! The names of clients.

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// The longest id.
const MAX_BYTES: usize = 128;

/// A text that is no client id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a client id has 1 to 128 letters, digits, hyphens, dots and underscores, and is no id of another thing")]
pub struct InvalidClientId;

/// A client's id. It can be neither a resource (no colon) nor a person (no `TypeID` of one), so that `sub`, `aud` and
/// `client_id` never mean two things (RFC 9068 section 5, RFC 9700 section 4.15).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(String);

impl ClientId {
    /// Reads an id.
    pub fn parse(text: &str) -> Result<Self, InvalidClientId> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_id = (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(plain);
        // Whatever its case, and whether or not such a person exists.
        let is_person = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("user_"));
        (is_id && !is_person).then(|| Self(text.to_owned())).ok_or(InvalidClientId)
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ClientId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: V9.2.4, A-111
    #[test]
    fn a_client_id_is_neither_a_resource_nor_a_person() {
        for text in ["shop", "client_01h455vb4pex5vsknk084sn02q", "com.example.app", "A-1_b.c"] {
            assert!(ClientId::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "https://api.example",
            "urn:orders",
            "user_01h455vb4pex5vsknk084sn02q",
            "USER_x",
            "a b",
            "a/b",
            "a:b",
            "a%20b",
            "\u{e4}",
            "a\n",
            &"a".repeat(129),
        ] {
            assert_eq!(ClientId::parse(text), Err(InvalidClientId), "{text}");
        }
    }
}
