//! `GET /.well-known/jwks.json`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::keys::jwks::{Jwk, Jwks};
use http::{Method, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::Op;
use crate::route::{Access, CacheClass, CorsRule, CsrfRule, Door, RateClass, Route, endpoint};
use crate::site::Site;

/// How long verifiers may keep the document, in seconds. A new key is published at least this long before it signs.
const MAX_AGE_SECONDS: u32 = 300;

/// RFC 7517 section 8.5.2.
pub(crate) const MEDIA_TYPE: &str = "application/jwk-set+json";

/// Public keys, for everybody who verifies access tokens.
pub(crate) fn route() -> Route<Site> {
    Route {
        method: Method::GET,
        path: "/.well-known/jwks.json",
        door: Door::Metadata,
        access: Access::Public,
        rate: RateClass::Metadata,
        csrf: CsrfRule::Safe,
        cache: CacheClass::PublicFor(MAX_AGE_SECONDS),
        cors: CorsRule::ClientOrigins,
        retires: None,
        handler: endpoint(show),
    }
}

/// A JWK Set (RFC 7517 section 5) of public keys.
#[derive(Serialize, ToSchema)]
pub(crate) struct JwkSet {
    /// Every key whose signatures may be valid or soon will be.
    keys: Vec<PublicKey>,
}

/// One public key (RFC 7517 section 4, RFC 7518 section 6.2 and 6.3, RFC 8037 section 2). Members of other kinds of key
/// are left out.
#[derive(Serialize, ToSchema)]
pub(crate) struct PublicKey {
    /// The kind of key: `EC`, `OKP` or `RSA`.
    #[schema(example = "EC")]
    kty: &'static str,
    /// The curve.
    #[schema(example = "P-256")]
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    /// The one algorithm it is for. Access tokens are signed with `ES256`.
    #[schema(example = "ES256")]
    alg: &'static str,
    /// What it is for: signatures.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    usage: &'static str,
    /// Its id, named by the header of every token it signs.
    kid: String,
    /// The point's first coordinate, or the whole point of Ed25519, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    /// The point's second coordinate, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    /// The modulus of an RSA key, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    /// The exponent of an RSA key, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

impl From<Jwk> for PublicKey {
    fn from(Jwk { kty, crv, alg, usage, kid, x, y, n, e }: Jwk) -> Self {
        Self { kty, crv, alg, usage, kid, x, y, n, e }
    }
}

async fn show(State(site): State<Site>, Op(op): Op) -> Response {
    let Jwks { keys } = site.app.keys.jwks(op.now);
    let set = JwkSet { keys: keys.into_iter().map(PublicKey::from).collect() };
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], Json(set)).into_response()
}
