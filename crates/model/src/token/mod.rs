//! Access tokens as text and claims (RFC 7515, RFC 7519, RFC 9068): strict reading, without any key.
//!
//! Only what Doorward itself writes is read as an access token: one header shape, one spelling of base64url, each
//! member once. [`Compact`] and [`parse_object`] are as strict with what others sign; `oidc` builds on them.

mod claims;
mod compact;
mod json;

pub use claims::{AccessClaims, FUTURE_LEEWAY_MS, Validity};
pub use compact::{Compact, Header, MAX_TOKEN_BYTES, TOKEN_TYPE};
pub use json::parse_object;

#[cfg(test)]
mod tests;
