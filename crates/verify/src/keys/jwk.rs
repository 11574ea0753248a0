//! One public key, read from JSON once (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2).

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use thiserror::Error;

use super::Algorithm;

/// What only the holder of the private half, or of a shared secret, has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// The smallest modulus: 2048 bits (RFC 7518 section 3.3). The largest: 8192, so that a check stays cheap.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1_024;
/// Longer exponents make a check slow, and nobody uses them.
const MAX_EXPONENT_BYTES: usize = 4;
/// Longer key ids are no key ids.
pub(crate) const MAX_KEY_ID_BYTES: usize = 256;

/// Why a JSON object is no key to check signatures with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It holds the private half. Whoever published it must treat the key as lost, so nothing it signs is believed.
    #[error("it holds a secret")]
    Secret,
    /// A kind of key, a curve, a use or an algorithm that is not taken.
    #[error("it is of a kind, a curve or for a use that is not taken")]
    Unsupported,
    /// Members are missing, of the wrong type or in another spelling.
    #[error("it is malformed")]
    Malformed,
    /// RSA below 2048 or above 8192 bits, or an unusual exponent.
    #[error("it is an RSA key of another size than 2048 to 8192 bits, or with an unusual exponent")]
    Size,
}

/// A public key that checks signatures. It is bound to its algorithms when it is read: what a token says about itself
/// never chooses how a key is used (RFC 8725 section 3.1).
#[derive(Clone)]
pub struct VerifyingKey {
    kid: Option<Box<str>>,
    /// RSA keys are kept once for each algorithm they can be for, so that nothing is parsed when a token comes.
    ways: Box<[(Algorithm, ParsedPublicKey)]>,
    thumbprint: [u8; 32],
}

impl VerifyingKey {
    /// Reads a key. Members that are not understood are ignored (RFC 7517 section 4); nothing is ever fetched because a
    /// key says so (`x5u`), and certificates in it (`x5c`) are not read.
    pub fn from_jwk(members: &Map<String, Value>) -> Result<Self, KeyError> {
        Self::read(members, None)
    }

    /// Reads a key for one algorithm only: what a signature brings along with itself.
    pub(crate) fn from_jwk_for(members: &Map<String, Value>, algorithm: Algorithm) -> Result<Self, KeyError> {
        Self::read(members, Some(algorithm))
    }

    fn read(members: &Map<String, Value>, only: Option<Algorithm>) -> Result<Self, KeyError> {
        if SECRET_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return Err(KeyError::Secret);
        }
        let text = |name: &str| members.get(name).map(|value| value.as_str().ok_or(KeyError::Malformed)).transpose();
        let bytes = |name: &str| decode(text(name)?.ok_or(KeyError::Malformed)?);
        if text("use")?.is_some_and(|usage| usage != "sig") || !verifies_by_operations(members)? {
            return Err(KeyError::Unsupported);
        }
        let kid = text("kid")?;
        if kid.is_some_and(|kid| !is_key_id(kid)) {
            return Err(KeyError::Malformed);
        }
        let own = text("alg")?.map(|name| Algorithm::parse(name).ok_or(KeyError::Unsupported)).transpose()?;
        if own.is_some_and(|own| only.is_some_and(|only| own != only)) {
            return Err(KeyError::Unsupported);
        }
        let material = match (text("kty")?.ok_or(KeyError::Malformed)?, text("crv")?) {
            ("RSA", _) => Material::rsa(bytes("n")?, bytes("e")?)?,
            ("EC", Some("P-256")) => Material::ec(Algorithm::Es256, 32, &bytes("x")?, &bytes("y")?)?,
            ("EC", Some("P-384")) => Material::ec(Algorithm::Es384, 48, &bytes("x")?, &bytes("y")?)?,
            ("OKP", Some("Ed25519")) => Material::ed25519(bytes("x")?)?,
            _ => return Err(KeyError::Unsupported),
        };
        let ways = material.ways(own.or(only))?;
        Ok(Self { kid: kid.map(Into::into), ways, thumbprint: material.thumbprint() })
    }

    /// Its id, if it has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether signatures of this algorithm can be this key's.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.way(algorithm).is_some()
    }

    /// Whether the private half of this key made the signature, with this algorithm.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.way(algorithm).is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }

    /// SHA-256 of its required members in their one spelling (RFC 7638).
    pub const fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    fn way(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        self.ways.iter().find(|(own, _)| *own == algorithm).map(|(_, key)| key)
    }
}

/// The same id, the same key, for the same algorithms.
impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.kid == other.kid
            && self.thumbprint == other.thumbprint
            && self.ways.iter().map(|(algorithm, _)| algorithm).eq(other.ways.iter().map(|(algorithm, _)| algorithm))
    }
}

impl Eq for VerifyingKey {}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms: Vec<_> = self.ways.iter().map(|(algorithm, _)| algorithm.as_str()).collect();
        f.debug_struct("VerifyingKey").field("kid", &self.kid).field("algorithms", &algorithms).finish_non_exhaustive()
    }
}

/// What a key is made of, checked for form.
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point: 4, x, y (SEC 1 section 2.3.3).
    Ec {
        algorithm: Algorithm,
        point: Vec<u8>,
    },
    Ed25519([u8; 32]),
}

impl Material {
    fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, KeyError> {
        let ([first, .., last], [exponent_first, ..]) = (n.as_slice(), e.as_slice()) else {
            return Err(KeyError::Malformed);
        };
        // Minimal octets (RFC 7518 section 2, Base64urlUInt), so that a key has one thumbprint.
        if *first == 0 || *exponent_first == 0 || last % 2 == 0 {
            return Err(KeyError::Malformed);
        }
        let is_long_enough = n.len() > *MODULUS_BYTES.start() || *first >= 0x80;
        let is_usual_exponent = e.len() <= MAX_EXPONENT_BYTES && e.last().is_some_and(|last| last % 2 == 1) && e != [1];
        if !MODULUS_BYTES.contains(&n.len()) || !is_long_enough || !is_usual_exponent {
            return Err(KeyError::Size);
        }
        Ok(Self::Rsa { n, e })
    }

    /// Both coordinates have their full length (RFC 7518 section 6.2.1.2).
    fn ec(algorithm: Algorithm, length: usize, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        if x.len() != length || y.len() != length {
            return Err(KeyError::Malformed);
        }
        Ok(Self::Ec { algorithm, point: [&[4], x, y].concat() })
    }

    fn ed25519(x: Vec<u8>) -> Result<Self, KeyError> {
        x.try_into().map(Self::Ed25519).map_err(|_| KeyError::Malformed)
    }

    /// The key parsed for each algorithm it is for: the one it names, or all that its kind allows. A point that is not
    /// on its curve is refused here.
    fn ways(&self, own: Option<Algorithm>) -> Result<Box<[(Algorithm, ParsedPublicKey)]>, KeyError> {
        let possible: &[Algorithm] = match self {
            Self::Rsa { .. } => &Algorithm::RSA,
            Self::Ec { algorithm, .. } => &[*algorithm],
            Self::Ed25519(_) => &[Algorithm::EdDsa],
        };
        let taken: Vec<_> =
            possible.iter().filter(|possible| own.is_none_or(|own| own == **possible)).copied().collect();
        if taken.is_empty() {
            return Err(KeyError::Unsupported);
        }
        taken.into_iter().map(|algorithm| Ok((algorithm, self.parsed(algorithm)?))).collect()
    }

    fn parsed(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, KeyError> {
        let parsed = match self {
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa_parameters(algorithm)),
            Self::Ec { point, .. } => {
                let parameters: &'static dyn VerificationAlgorithm = match algorithm {
                    Algorithm::Es384 => &ECDSA_P384_SHA384_FIXED,
                    _ => &ECDSA_P256_SHA256_FIXED,
                };
                ParsedPublicKey::new(parameters, point)
            }
            Self::Ed25519(point) => ParsedPublicKey::new(&ED25519, point),
        };
        parsed.map_err(|_| KeyError::Malformed)
    }

    /// RFC 7638 section 3.2, RFC 8037 section 2.
    fn thumbprint(&self) -> [u8; 32] {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let canonical = match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
            Self::Ec { algorithm, point } => {
                let curve = if *algorithm == Algorithm::Es384 { "P-384" } else { "P-256" };
                let (x, y) = point[1..].split_at(point.len() / 2);
                format!(r#"{{"crv":"{curve}","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
            }
            Self::Ed25519(point) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(point)),
        };
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, canonical.as_bytes()).as_ref());
        hash
    }
}

fn rsa_parameters(algorithm: Algorithm) -> &'static RsaParameters {
    match algorithm {
        Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        _ => &RSA_PKCS1_2048_8192_SHA256,
    }
}

/// Whether a text can be the id of a key.
pub(crate) fn is_key_id(text: &str) -> bool {
    (1..=MAX_KEY_ID_BYTES).contains(&text.len())
}

/// The engine refuses padding, other alphabets and non-zero spare bits.
fn decode(text: &str) -> Result<Vec<u8>, KeyError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Malformed)
}

/// RFC 7517 section 4.3: when the operations are named, verifying must be among them.
fn verifies_by_operations(members: &Map<String, Value>) -> Result<bool, KeyError> {
    match members.get("key_ops") {
        None => Ok(true),
        Some(Value::Array(operations)) => Ok(operations.iter().any(|operation| operation == "verify")),
        Some(_) => Err(KeyError::Malformed),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
