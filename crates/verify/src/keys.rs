//! The public keys of issuers: read, fetched, kept and renewed.

mod algorithm;
mod cache;
mod error;
mod fetch;
mod flight;
mod issuer;
mod jwk;
mod metadata;
mod set;
mod settings;
#[cfg(test)]
pub(crate) mod test_keys;

pub use algorithm::Algorithm;
pub use error::KeysUnavailable;
pub use issuer::IssuerKeys;
pub use jwk::{KeyError, VerifyingKey};
pub use metadata::Metadata;
pub use set::{KeySet, KeySetError};
pub use settings::KeySettings;
