//! Public keys as JSON (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::{Algorithm, Thumbprint};

/// What only the holder of the private half, or of a shared secret, has (RFC 7518 section 6.2.2, 6.3.2 and 6.4.1).
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// The smallest modulus: 2048 bits (RFC 7518 section 3.3). The largest: 8192, so that a check stays cheap.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1_024;
/// Longer exponents make verification slow and nobody uses them.
const MAX_EXPONENT_BYTES: usize = 4;
/// Longer key ids are refused.
pub(super) const MAX_KEY_ID_BYTES: usize = 256;

/// A JSON object that is no key Doorward verifies with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// It holds a secret. Whoever sent it must treat the key as lost.
    #[error("holds a secret; only public keys may be registered")]
    Secret,
    /// A kind of key, a curve, a use or an algorithm that is not taken.
    #[error("is no RSA, P-256 or Ed25519 key for signatures")]
    Unsupported,
    /// Members are missing, of the wrong type or in another spelling.
    #[error("is malformed")]
    Malformed,
    /// RSA below 2048 or above 8192 bits, or an unusual exponent.
    #[error("is an RSA key of another size than 2048 to 8192 bits, or with an unusual exponent")]
    Size,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point: 4, x, y (SEC 1 section 2.3.3).
    P256([u8; 65]),
    Ed25519([u8; 32]),
}

/// A public key of somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    material: Material,
    /// Its id, if it has one.
    kid: Option<String>,
    /// The one algorithm it is for, if it says so (RFC 7517 section 4.4).
    algorithm: Option<Algorithm>,
}

impl PublicKey {
    /// Reads a key. Members that are not understood are ignored (RFC 7517 section 4).
    pub fn from_jwk(members: &Map<String, Value>) -> Result<Self, KeyError> {
        if SECRET_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return Err(KeyError::Secret);
        }
        let text = |name: &str| members.get(name).map(|value| value.as_str().ok_or(KeyError::Malformed)).transpose();
        let bytes = |name: &str| decode(text(name)?.ok_or(KeyError::Malformed)?);
        if text("use")?.is_some_and(|usage| usage != "sig") || !verifies_by_operations(members)? {
            return Err(KeyError::Unsupported);
        }
        let material = match (text("kty")?.ok_or(KeyError::Malformed)?, text("crv")?) {
            ("RSA", _) => rsa(bytes("n")?, bytes("e")?)?,
            ("EC", Some("P-256")) => p256(&bytes("x")?, &bytes("y")?)?,
            ("OKP", Some("Ed25519")) => ed25519(bytes("x")?)?,
            _ => return Err(KeyError::Unsupported),
        };
        let kid = text("kid")?.map(str::to_owned);
        if kid.as_ref().is_some_and(|kid| kid.is_empty() || kid.len() > MAX_KEY_ID_BYTES) {
            return Err(KeyError::Malformed);
        }
        let algorithm = text("alg")?.map(|name| Algorithm::parse(name).ok_or(KeyError::Unsupported)).transpose()?;
        let key = Self { material, kid, algorithm: None };
        if algorithm.is_some_and(|algorithm| !key.fits(algorithm)) {
            return Err(KeyError::Unsupported);
        }
        Ok(Self { algorithm, ..key })
    }

    /// Its id, if it has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether signatures of this algorithm can be this key's (RFC 8725 section 3.1).
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm)
            && matches!(
                (&self.material, algorithm),
                (Material::Rsa { .. }, Algorithm::Rs256 | Algorithm::Ps256)
                    | (Material::P256(_), Algorithm::Es256)
                    | (Material::Ed25519(_), Algorithm::EdDsa)
            )
    }

    /// Whether the private half of this key made the signature with this algorithm.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.fits(algorithm) {
            return false;
        }
        match &self.material {
            Material::Rsa { modulus: n, exponent: e } => {
                let parameters = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    _ => &RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            Material::Ed25519(point) => UnparsedPublicKey::new(&ED25519, point).verify(message, signature).is_ok(),
        }
    }

    /// The hash that names it (RFC 7638 section 3.2, RFC 8037 section 2).
    pub fn thumbprint(&self) -> Thumbprint {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Thumbprint::of(&match &self.material {
            Material::Rsa { modulus, exponent } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(exponent), encode(modulus))
            }
            Material::P256(point) => {
                let (x, y) = point[1..].split_at(32);
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
            }
            Material::Ed25519(point) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(point)),
        })
    }

    /// The key as JSON: the public members that were understood, and no others.
    pub fn to_jwk(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.material {
            Material::Rsa { modulus, exponent } => {
                json!({"kty": "RSA", "n": encode(modulus), "e": encode(exponent)})
            }
            Material::P256(point) => {
                let (x, y) = point[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
            Material::Ed25519(point) => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(point)}),
        };
        if let Some(kid) = &self.kid {
            jwk["kid"] = json!(kid);
        }
        if let Some(algorithm) = self.algorithm {
            jwk["alg"] = json!(algorithm.as_str());
        }
        jwk
    }
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

fn rsa(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Material, KeyError> {
    // Minimal octets (RFC 7518 section 2, Base64urlUInt), so that a key has one thumbprint.
    let (Some(first), Some(1..), Some(last)) = (modulus.first(), exponent.first(), exponent.last()) else {
        return Err(KeyError::Malformed);
    };
    if *first == 0 || modulus.last().is_some_and(|last| last % 2 == 0) {
        return Err(KeyError::Malformed);
    }
    let is_long_enough = modulus.len() > *MODULUS_BYTES.start() || *first >= 0x80;
    let is_usual_exponent = exponent.len() <= MAX_EXPONENT_BYTES && last % 2 == 1 && exponent != [1];
    if !MODULUS_BYTES.contains(&modulus.len()) || !is_long_enough || !is_usual_exponent {
        return Err(KeyError::Size);
    }
    Ok(Material::Rsa { modulus, exponent })
}

fn p256(x: &[u8], y: &[u8]) -> Result<Material, KeyError> {
    let point: [u8; 65] = [&[4], x, y].concat().try_into().map_err(|_| KeyError::Malformed)?;
    // Both coordinates have their full length (RFC 7518 section 6.2.1.2), and the point lies on the curve.
    if x.len() != 32 || ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).is_err() {
        return Err(KeyError::Malformed);
    }
    Ok(Material::P256(point))
}

fn ed25519(x: Vec<u8>) -> Result<Material, KeyError> {
    let point: [u8; 32] = x.try_into().map_err(|_| KeyError::Malformed)?;
    Ok(Material::Ed25519(point))
}
