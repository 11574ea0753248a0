//! Signatures of others: JSON Web Signatures and keys (RFC 7515, RFC 7517, RFC 7518, RFC 8725), read strictly.
//!
//! The key decides which algorithm is right, never the text (RFC 8725 section 3.1). There is no algorithm without a
//! signature and none with a shared secret, no key is taken from a header except a DPoP proof's own, and no address in
//! a header is ever followed.

mod algorithm;
mod claims;
mod key;
mod key_set;
mod signed;
mod thumbprint;

#[cfg(test)]
pub(crate) mod test_keys;
#[cfg(test)]
mod tests;

pub use algorithm::Algorithm;
pub use claims::{Claims, FUTURE_LEEWAY_MS};
pub use key::{KeyError, PublicKey};
pub use key_set::{KeySet, KeySetError, MAX_KEYS, MAX_SET_BYTES};
pub use signed::{EmbeddedKey, Header, SignatureError, Unverified};
pub use thumbprint::Thumbprint;
