//! `GET /api/v1/csrf`.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::revealed::Revealed;
use crate::extract::{SessionFormToken, SignedIn};

/// The token that goes with the session cookie.
#[derive(Serialize, ToSchema)]
pub(crate) struct CsrfToken {
    /// Send it as `X-CSRF-Token`. It holds as long as the session cookie keeps its value.
    #[schema(value_type = String)]
    csrf_token: Revealed,
}

/// The token that unsafe calls with the session cookie carry in `X-CSRF-Token`.
pub(crate) async fn show(_: SignedIn, SessionFormToken(token): SessionFormToken) -> Json<CsrfToken> {
    Json(CsrfToken { csrf_token: token.reveal().into() })
}
