//! The compact serialization and its header.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::json;

/// Nothing longer is looked at.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// The `typ` of an access token (RFC 9068 section 2.1).
pub const TOKEN_TYPE: &str = "at+jwt";

/// A token taken apart (RFC 7515 section 7.1): nothing about it is proved.
pub struct Compact<'a> {
    /// What the signature is over: header, dot, payload, as sent.
    pub signing_input: &'a [u8],
    /// The header's JSON.
    pub header: Vec<u8>,
    /// The payload's JSON.
    pub payload: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Exactly three parts in canonical unpadded base64url, none empty, and no more than [`MAX_TOKEN_BYTES`].
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (signing_input, signature) = text.rsplit_once('.')?;
        // A fourth part would leave a dot in the header, which is no base64url.
        let (header, payload) = signing_input.rsplit_once('.')?;
        Some(Self {
            signing_input: signing_input.as_bytes(),
            header: decode(header)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }
}

/// The engine refuses padding, other alphabets and non-zero spare bits, so there is one text per value.
fn decode(part: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

/// The only header Doorward writes, and the only one it reads: any other member (`crit`, `jku`, `jwk`, `x5u`,
/// `x5c`, `b64` …) is refused (RFC 8725 sections 3.1, 3.10 and 3.11).
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The algorithm; must be that of the key.
    pub alg: String,
    /// The id of the key.
    pub kid: String,
    /// What kind of token this is; must be [`TOKEN_TYPE`].
    pub typ: String,
}

impl Header {
    /// Reads a header of an access token.
    pub fn parse(json: &[u8]) -> Option<Self> {
        let header: Self = json::parse_object(json)?;
        (header.typ == TOKEN_TYPE).then_some(header)
    }
}
