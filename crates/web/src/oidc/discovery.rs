//! What this provider is and where: OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::site::Site;

/// The document, the same at both addresses.
pub(super) async fn show(State(site): State<Site>) -> Response {
    Json(site.app.describe_provider()).into_response()
}
