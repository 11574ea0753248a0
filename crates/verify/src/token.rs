//! A token as it comes: three parts in base64url (RFC 7515 section 7.1), and its header.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use crate::keys::Algorithm;
use crate::refusal::Reason;

/// Longer tokens are refused unread. Headers of more than 8 KiB do not pass most servers anyway.
pub(crate) const MAX_TOKEN_BYTES: usize = 16 * 1_024;
/// Longer key ids are refused.
const MAX_KEY_ID_BYTES: usize = 256;

/// A token taken apart; nothing of it is proved.
pub(crate) struct Compact<'a> {
    /// What was signed.
    pub(crate) signing_input: &'a [u8],
    pub(crate) header: Header,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes a token apart and reads its header.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Reason> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(Reason::Malformed);
        }
        Self::parse_long(text)
    }

    /// The same for a text whose length was limited elsewhere.
    pub(crate) fn parse_long(text: &'a str) -> Result<Self, Reason> {
        let Parts { signing_input, header, payload, signature } = Parts::split(text).ok_or(Reason::Malformed)?;
        Ok(Self { signing_input, header: Header::parse(&header)?, payload, signature })
    }
}

/// The three parts of a signed text, decoded.
pub(crate) struct Parts<'a> {
    /// What was signed: the text up to the last full stop.
    pub(crate) signing_input: &'a [u8],
    pub(crate) header: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    /// Exactly three parts. A fourth is no base64url, so that a JWE is refused here.
    pub(crate) fn split(text: &'a str) -> Option<Self> {
        let (signing_input, signature) = text.rsplit_once('.')?;
        let (header, payload) = signing_input.split_once('.')?;
        Some(Self {
            signing_input: signing_input.as_bytes(),
            header: decode(header)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }
}

/// The engine refuses padding, other alphabets and spare bits that are not zero, so that a token has one spelling.
fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

/// What a header says (RFC 7515 section 4.1).
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Box<str>>,
    /// In lower case and without `application/` (RFC 7515 section 4.1.9); empty when there is none.
    pub(crate) kind: Box<str>,
}

/// A member named twice is an error of the reader. Members that bring a key, lead to one, or change how the rest is to
/// be read are refused wherever they stand (RFC 8725 section 3.10, RFC 7797); what else there is, is not looked at.
#[derive(Deserialize)]
struct Members {
    alg: String,
    kid: Option<Box<str>>,
    typ: Option<String>,
    #[serde(default)]
    jku: Present,
    #[serde(default)]
    jwk: Present,
    #[serde(default)]
    x5u: Present,
    #[serde(default)]
    x5c: Present,
    #[serde(default)]
    crit: Present,
    #[serde(default)]
    b64: Present,
}

/// Whether a member is there, whatever its value: null too.
#[derive(Default)]
struct Present(bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Self(true))
    }
}

impl Header {
    fn parse(json: &[u8]) -> Result<Self, Reason> {
        // An array would be read as the members in their order.
        if json.first() != Some(&b'{') {
            return Err(Reason::Malformed);
        }
        let members: Members = serde_json::from_slice(json).map_err(|_| Reason::Malformed)?;
        let Members { alg, kid, typ, jku, jwk, x5u, x5c, crit, b64 } = members;
        if [jku, jwk, x5u, x5c, crit, b64].iter().any(|Present(is_there)| *is_there) {
            return Err(Reason::HeaderMember);
        }
        if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KEY_ID_BYTES) {
            return Err(Reason::Malformed);
        }
        let algorithm = Algorithm::parse(&alg).ok_or(Reason::Algorithm)?;
        Ok(Self { algorithm, kid, kind: typ.map(|typ| kind(&typ)).unwrap_or_default() })
    }
}

/// RFC 7515 section 4.1.9: media types are compared without regard to case, and `application/` may be left out.
fn kind(typ: &str) -> Box<str> {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ).into()
}
