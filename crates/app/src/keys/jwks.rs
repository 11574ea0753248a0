//! The public keys as a JWK Set (RFC 7517 section 5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::time::Timestamp;
use serde::Serialize;

use super::Keys;
use super::ring::KeyMaterial;
use super::signature;

/// The document at `/.well-known/jwks.json`. Holds public members only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// Every key whose signatures may be valid or soon will be.
    pub keys: Vec<Jwk>,
}

/// One public key (RFC 7517 section 4, RFC 7518 section 6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// The kind of key.
    pub kty: &'static str,
    /// The curve.
    pub crv: &'static str,
    /// The one algorithm it is for.
    pub alg: &'static str,
    /// Signatures only.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// Its id.
    pub kid: String,
    /// The point's first coordinate.
    pub x: String,
    /// The point's second coordinate.
    pub y: String,
}

impl Jwk {
    fn of(key: &KeyMaterial) -> Self {
        let (x, y) = key.point[1..].split_at(32);
        Self {
            kty: "EC",
            crv: "P-256",
            alg: signature::ALGORITHM,
            usage: "sig",
            kid: key.kid.clone(),
            x: URL_SAFE_NO_PAD.encode(x),
            y: URL_SAFE_NO_PAD.encode(y),
        }
    }
}

impl Keys {
    /// The public keys verifiers need at `now`. Made from memory.
    pub fn jwks(&self, now: Timestamp) -> Jwks {
        Jwks { keys: self.ring().living(now).map(|key| Jwk::of(&key.material)).collect() }
    }
}
