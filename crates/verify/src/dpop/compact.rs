//! The compact form of a signature (RFC 7515 section 7.1), as a proof has it.

use serde_json::{Map, Value};

use crate::json;
use crate::token::Parts;

/// A proof taken apart. Nothing in it is proved.
pub(super) struct Compact<'a> {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    /// What was signed: the text up to the last full stop.
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Exactly three parts in the one spelling of base64url, the first two of them JSON objects in which no member is
    /// repeated.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let Parts { signing_input, header, payload, signature } = Parts::split(text)?;
        let (header, claims) = (json::parse_object(&header)?, json::parse_object(&payload)?);
        Some(Self { header, claims, message: signing_input, signature })
    }
}
