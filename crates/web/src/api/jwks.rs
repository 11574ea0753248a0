//! `GET /.well-known/jwks.json`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{Method, header};

use crate::extract::Op;
use crate::route::{Access, CacheClass, CorsRule, CsrfRule, Door, RateClass, Route, endpoint};
use crate::site::Site;

/// How long verifiers may keep the document, in seconds. A new key is published at least this long before it signs.
const MAX_AGE_SECONDS: u32 = 300;

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
        cors: CorsRule::TokenOrigins,
        handler: endpoint(show),
    }
}

async fn show(State(site): State<Site>, Op(op): Op) -> Response {
    ([(header::CONTENT_TYPE, "application/jwk-set+json")], Json(site.app.keys.jwks(op.now))).into_response()
}
