//! Keys of issuers.
