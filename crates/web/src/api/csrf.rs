//! `GET /api/v1/csrf`.

use axum::Json;
use serde_json::{Value, json};

use crate::extract::{SessionFormToken, SignedIn};

/// The token that unsafe calls with the session cookie carry in `X-CSRF-Token`.
pub(crate) async fn show(_: SignedIn, SessionFormToken(token): SessionFormToken) -> Json<Value> {
    Json(json!({ "csrf_token": token.reveal().as_str() }))
}
