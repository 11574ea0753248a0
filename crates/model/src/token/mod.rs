//! Access tokens as text and claims (RFC 7515, RFC 7519, RFC 9068): strict reading, without any key.
//!
//! Only what Doorward itself writes is read: one header shape, one spelling of base64url, each member once.

mod claims;
mod compact;
mod json;

pub use claims::{AccessClaims, Validity};
pub use compact::{Compact, Header, MAX_TOKEN_BYTES, TOKEN_TYPE};

#[cfg(test)]
mod tests;
