//! `GET /api/v1/sessions`, `DELETE /api/v1/sessions/{id}` and `POST /api/v1/sessions/revoke-others`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::sessions::Session;
use doorward_model::id::{self, SessionId};
use http::StatusCode;
use serde_json::{Value, json};

use crate::body::OptionalJson;
use crate::extract::{ListQuery, Op, PathId, SignedIn};
use crate::problem::{Code, FieldError, Problem};
use crate::site::Site;

/// The caller's living sessions, newest first.
pub(crate) async fn list(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    query: ListQuery,
) -> Result<Json<Value>, Problem> {
    let before = query.cursor.as_deref().map(SessionId::parse).transpose();
    let before =
        before.map_err(|_| FieldError::new("cursor", "invalid_cursor", "This is not a cursor of this list."))?;
    let limit = u8::try_from(query.limit).unwrap_or(u8::MAX);
    let (page, next) = site.app.list_sessions(&op, principal.user_id, before, limit).await?;
    let data: Vec<Value> = page.iter().map(|session| present(session, principal.session_id)).collect();
    Ok(Json(json!({ "data": data, "next_cursor": next })))
}

fn present(session: &Session, current: SessionId) -> Value {
    let methods: Value = serde_json::from_str(&session.amr).unwrap_or_default();
    json!({
        "id": session.id,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
        "device": session.device_label,
        "ip": session.address,
        "current": session.id == current,
        "authentication_methods": methods,
    })
}

/// Ends one session of the caller; somebody else's does not exist.
pub(crate) async fn delete(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    PathId(id): PathId<id::Session>,
    OptionalJson(_): OptionalJson<()>,
) -> Result<StatusCode, Problem> {
    if site.app.end_session(&op, &principal, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Code::NotFound.into())
    }
}

/// Ends every session of the caller but this one.
pub(crate) async fn revoke_others(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    OptionalJson(_): OptionalJson<()>,
) -> Result<Response, Problem> {
    site.app.end_other_sessions(&op, &principal).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
