//! `GET /api/v1/sessions`, `DELETE /api/v1/sessions/{id}` and `POST /api/v1/sessions/revoke-others`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::sessions::Session;
use doorward_model::id::{self, SessionId};
use doorward_model::time::Timestamp;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

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
) -> Result<Json<SessionPage>, Problem> {
    let before = query.cursor.as_deref().map(SessionId::parse).transpose();
    let before =
        before.map_err(|_| FieldError::new("cursor", "invalid_cursor", "This is not a cursor of this list."))?;
    let limit = u8::try_from(query.limit).unwrap_or(u8::MAX);
    let (page, next) = site.app.list_sessions(&op, principal.user_id, before, limit).await?;
    let data: Result<_, _> = page.into_iter().map(|session| present(session, principal.session_id)).collect();
    Ok(Json(SessionPage { data: data?, next_cursor: next }))
}

/// A part of the caller's living sessions.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionPage {
    /// Newest first.
    data: Vec<LivingSession>,
    /// The `cursor` of the next part; `null` when there is none.
    #[schema(required, value_type = Option<String>)]
    next_cursor: Option<SessionId>,
}

/// One session of the caller.
#[derive(Serialize, ToSchema)]
pub(crate) struct LivingSession {
    /// Its id, the `sid` of its access tokens.
    #[schema(value_type = String, pattern = "^session_[0-9a-z]{26}$")]
    id: SessionId,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    /// When it ends whatever happens.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// What it was begun with, in words.
    #[schema(example = "Firefox, Linux")]
    device: String,
    /// The address it was begun from.
    #[schema(required)]
    ip: Option<String>,
    /// Whether it is the one that asks.
    current: bool,
    /// How the person proved who they are (RFC 8176).
    authentication_methods: Vec<String>,
}

fn present(session: Session, current: SessionId) -> Result<LivingSession, Problem> {
    Ok(LivingSession {
        id: session.id,
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
        expires_at: session.expires_at,
        device: session.device_label,
        ip: session.address,
        current: session.id == current,
        authentication_methods: serde_json::from_str(&session.amr).map_err(Problem::internal)?,
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
