//! `GET /api/v1/applications` and `DELETE /api/v1/applications/{client_id}`.

use axum::Json;
use axum::extract::State;
use doorward_app::applications::Application;
use doorward_app::oauth::ClientId;
use doorward_model::time::Timestamp;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::OptionalJson;
use crate::extract::{ListQuery, Op, PathClient, SignedIn};
use crate::problem::{Code, FieldError, Problem};
use crate::site::Site;

/// The applications the caller has signed in to.
pub(crate) async fn list(
    State(site): State<Site>,
    SignedIn(principal): SignedIn,
    query: ListQuery,
) -> Result<Json<ApplicationPage>, Problem> {
    let after = query.cursor.unwrap_or_default();
    if !after.is_empty() && ClientId::parse(&after).is_err() {
        return Err(FieldError::new("cursor", "invalid_cursor", "This is not a cursor of this list.").into());
    }
    let limit = u8::try_from(query.limit).unwrap_or(u8::MAX);
    let (page, next_cursor) = site.app.list_applications(&principal, &after, limit).await?;
    Ok(Json(ApplicationPage { data: page.into_iter().map(present).collect(), next_cursor }))
}

/// A part of the applications the caller has signed in to.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApplicationPage {
    /// In the order of their ids.
    data: Vec<AllowedApplication>,
    /// The `cursor` of the next part; `null` when there is none.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// One application the caller has signed in to.
#[derive(Serialize, ToSchema)]
pub(crate) struct AllowedApplication {
    /// Its id.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,128}$", example = "client_01h455vb4pex5vsknk084sn02q")]
    client_id: String,
    /// What it is called.
    #[schema(required, example = "Shop")]
    name: Option<String>,
    /// What it may ask for.
    scopes: Vec<String>,
    /// The services it may use in the caller's name.
    resources: Vec<String>,
    /// When the caller last allowed it; `null` for the operator's own applications, about which nobody is asked.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    granted_at: Option<Timestamp>,
    /// When the caller last signed in to it.
    #[schema(value_type = String, format = DateTime)]
    last_used_at: Timestamp,
}

fn present(application: Application) -> AllowedApplication {
    AllowedApplication {
        client_id: application.client.id().to_string(),
        name: application.client.name().map(str::to_owned),
        scopes: application.scope.words().map(str::to_owned).collect(),
        resources: application.services,
        granted_at: application.granted_at,
        last_used_at: application.last_used_at,
    }
}

/// Takes back what the caller let an application have.
pub(crate) async fn delete(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    PathClient(id): PathClient,
    OptionalJson(_): OptionalJson<()>,
) -> Result<StatusCode, Problem> {
    if site.app.revoke_application(&op, &principal, id.as_str()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Code::NotFound.into())
    }
}
