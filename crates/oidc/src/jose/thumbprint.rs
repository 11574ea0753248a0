//! The hash that names a public key (RFC 7638).

use std::fmt;

use crate::sha256::Sha256;

/// SHA-256 of a key's required members. No secret: it is the hash of a public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint(Sha256);

impl Thumbprint {
    /// Of the canonical JSON of RFC 7638 section 3.
    pub(super) fn of(canonical_json: &str) -> Self {
        Self(Sha256::of(canonical_json))
    }

    /// Reads the one spelling of 32 bytes in base64url.
    pub fn parse(text: &str) -> Option<Self> {
        Sha256::parse(text).map(Self)
    }

    /// Of a row.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Sha256(bytes))
    }

    /// For a row.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
