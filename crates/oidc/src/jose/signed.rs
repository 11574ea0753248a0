//! A JSON Web Signature in its compact form (RFC 7515 section 7.1), before and after its signature is checked.

use doorward_model::token::{Compact, parse_object};
use serde_json::{Map, Value};
use thiserror::Error;

use super::key::MAX_KEY_ID_BYTES;
use super::{Algorithm, Claims, KeySet, PublicKey};

/// Members that bring a key, lead to one, or change how the rest is to be read (RFC 7515 section 4.1, RFC 7797). A
/// text with one of them is refused, not merely not followed (RFC 8725 section 3.10).
const REFUSED_MEMBERS: [&str; 7] = ["jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64"];

/// Why a signed text is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// Not three parts, not base64url, not JSON, too long, a member repeated.
    #[error("is malformed")]
    Malformed,
    /// An algorithm that is not taken here, `none` first of all.
    #[error("is signed with an algorithm that is not accepted")]
    Algorithm,
    /// A header member that is not taken here, or a missing key of its own.
    #[error("has a header member that is not accepted")]
    HeaderMember,
    /// Another kind of thing.
    #[error("is of another type")]
    Type,
    /// No key fits, or none of those that fit made the signature.
    #[error("is not signed by a known key")]
    Signature,
}

/// Whether the header brings its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbeddedKey {
    /// A key in the header is refused: everywhere but in a DPoP proof.
    Refused,
    /// The text proves possession of the key it brings (RFC 9449 section 4.2).
    Required,
}

/// What the header says, checked for form only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The id of the key.
    pub kid: Option<String>,
    /// What kind of thing it says it is, in lower case and without `application/` (RFC 7515 section 4.1.9).
    pub kind: Option<String>,
    /// The key it brings.
    pub key: Option<PublicKey>,
}

/// A signed text whose signature nobody has checked yet.
pub struct Unverified<'a> {
    compact: Compact<'a>,
    header: Header,
}

impl<'a> Unverified<'a> {
    /// Takes a text apart and reads its header. `kinds` are the acceptable `typ` values in lower case; the empty text
    /// among them stands for a missing `typ`.
    pub fn parse(text: &'a str, embedded_key: EmbeddedKey, kinds: &[&str]) -> Result<Self, SignatureError> {
        let compact = Compact::parse(text).ok_or(SignatureError::Malformed)?;
        let header = Header::parse(&compact.header, embedded_key)?;
        if !kinds.contains(&header.kind.as_deref().unwrap_or_default()) {
            return Err(SignatureError::Type);
        }
        Ok(Self { compact, header })
    }

    /// The header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The claims, which anybody may have written: good for finding out whose keys to try, and for nothing else.
    pub fn unproved_claims(&self) -> Option<Claims> {
        Claims::parse(&self.compact.payload)
    }

    /// The claims, if a key of the set made the signature with one of the algorithms.
    pub fn verify(self, keys: &KeySet, algorithms: &[Algorithm]) -> Result<Claims, SignatureError> {
        let algorithm = self.accepted_algorithm(algorithms)?;
        let kid = self.header.kid.as_deref();
        let verifies = |key: &PublicKey| self.is_signed_by(key, algorithm);
        if !keys.candidates(algorithm, kid).any(verifies) {
            return Err(SignatureError::Signature);
        }
        Claims::parse(&self.compact.payload).ok_or(SignatureError::Malformed)
    }

    /// The claims and the key the header brings, if that key made the signature.
    pub fn verify_possession(self, algorithms: &[Algorithm]) -> Result<(Claims, PublicKey), SignatureError> {
        let algorithm = self.accepted_algorithm(algorithms)?;
        let key = self.header.key.as_ref().ok_or(SignatureError::HeaderMember)?;
        if !self.is_signed_by(key, algorithm) {
            return Err(SignatureError::Signature);
        }
        let claims = Claims::parse(&self.compact.payload).ok_or(SignatureError::Malformed)?;
        Ok((claims, key.clone()))
    }

    fn accepted_algorithm(&self, algorithms: &[Algorithm]) -> Result<Algorithm, SignatureError> {
        let accepted = algorithms.contains(&self.header.algorithm);
        accepted.then_some(self.header.algorithm).ok_or(SignatureError::Algorithm)
    }

    fn is_signed_by(&self, key: &PublicKey, algorithm: Algorithm) -> bool {
        key.verifies(algorithm, self.compact.signing_input, &self.compact.signature)
    }
}

impl Header {
    fn parse(json: &[u8], embedded_key: EmbeddedKey) -> Result<Self, SignatureError> {
        let members: Map<String, Value> = parse_object(json).ok_or(SignatureError::Malformed)?;
        if REFUSED_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return Err(SignatureError::HeaderMember);
        }
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(SignatureError::Malformed),
        };
        let algorithm = text("alg")?.and_then(Algorithm::parse).ok_or(SignatureError::Algorithm)?;
        let kid = text("kid")?.map(str::to_owned);
        if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KEY_ID_BYTES) {
            return Err(SignatureError::Malformed);
        }
        let key = match (embedded_key, members.get("jwk")) {
            (EmbeddedKey::Refused, None) => None,
            (EmbeddedKey::Required, Some(Value::Object(jwk))) => {
                Some(PublicKey::from_jwk(jwk).map_err(|_| SignatureError::HeaderMember)?)
            }
            _ => return Err(SignatureError::HeaderMember),
        };
        Ok(Self { algorithm, kid, kind: text("typ")?.map(kind), key })
    }
}

/// RFC 7515 section 4.1.9: media types are compared without regard to case, and `application/` may be left out.
fn kind(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").map_or(typ.clone(), str::to_owned)
}
