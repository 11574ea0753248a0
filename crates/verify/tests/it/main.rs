//! The library as a resource server uses it, against an issuer that is scripted.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "the scripted issuer makes keys and signs with the system's randomness")]

mod audiences;
mod cache;
mod claims;
mod completeness;
mod follower;
mod guard;
mod hostile;
mod issuer;
mod issuers;
mod layer;
mod logs;
#[cfg(feature = "metrics")]
mod metrics;
mod proofs;
mod requirements;
mod revocation;
mod slow_issuer;
