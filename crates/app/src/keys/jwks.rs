//! The public keys as a JWK Set (RFC 7517 section 5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::time::Timestamp;
use doorward_oidc::jose::Algorithm;
use serde::Serialize;

use super::Keys;
use super::signature::RSA_EXPONENT;

/// The document at `/.well-known/jwks.json`. Holds public members only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// Every key whose signatures may be valid or soon will be.
    pub keys: Vec<Jwk>,
}

/// One public key (RFC 7517 section 4, RFC 7518 section 6.2 and 6.3, RFC 8037 section 2). Members of other kinds of key
/// are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// The kind of key.
    pub kty: &'static str,
    /// The curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<&'static str>,
    /// The one algorithm it is for.
    pub alg: &'static str,
    /// Signatures only.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// Its id.
    pub kid: String,
    /// The point's first coordinate, or the whole point of Ed25519.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The point's second coordinate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// The modulus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// The exponent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

impl Jwk {
    /// Of a public half as it lies in a row and that [`super::signature::Verifier`] has taken.
    pub(super) fn new(algorithm: Algorithm, kid: &str, public: &[u8]) -> Self {
        let encode = |bytes: &[u8]| Some(URL_SAFE_NO_PAD.encode(bytes));
        let empty = Self {
            kty: "",
            crv: None,
            alg: algorithm.as_str(),
            usage: "sig",
            kid: kid.to_owned(),
            x: None,
            y: None,
            n: None,
            e: None,
        };
        match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                Self { kty: "RSA", n: encode(public), e: encode(&RSA_EXPONENT), ..empty }
            }
            Algorithm::Es256 => {
                let coordinates = public.get(1..).unwrap_or_default();
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                Self { kty: "EC", crv: Some("P-256"), x: encode(x), y: encode(y), ..empty }
            }
            Algorithm::EdDsa => Self { kty: "OKP", crv: Some("Ed25519"), x: encode(public), ..empty },
        }
    }
}

impl Keys {
    /// The public keys verifiers need at `now`. Made from memory.
    pub fn jwks(&self, now: Timestamp) -> Jwks {
        Jwks { keys: self.ring().living(now).map(|key| key.material.jwk.clone()).collect() }
    }
}
