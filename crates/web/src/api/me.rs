//! `GET` and `PATCH /api/v1/me`.

use axum::Json;
use axum::extract::State;
use doorward_app::profile::{ProfileChange, User};
use doorward_model::locale::Locale;
use doorward_model::name::DisplayName;
use serde_json::{Value, json};

use crate::api::fields;
use crate::body::{Fields, FromFields, JsonBody};
use crate::extract::{Op, SignedIn};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// Who the caller is.
pub(crate) async fn show(State(site): State<Site>, SignedIn(principal): SignedIn) -> Result<Json<Value>, Problem> {
    let user = site.app.find_user(principal.user_id).await?.ok_or(Code::SessionRevoked)?;
    Ok(Json(present(&user)))
}

/// A change of the caller's profile.
pub(crate) struct Patch(ProfileChange);

impl FromFields for Patch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = if fields.has("name") {
            fields.optional_as::<String, DisplayName>("name", fields::name).map(Some)
        } else {
            Some(None)
        };
        let locale = fields.optional_as::<String, Locale>("locale", fields::locale);
        Some(Self(ProfileChange { name: name?, locale: locale? }))
    }
}

/// Changes the caller's name (`null` removes it) and language.
pub(crate) async fn change(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    JsonBody(Patch(change)): JsonBody<Patch>,
) -> Result<Json<Value>, Problem> {
    let user = site.app.change_profile(&op, &principal, change).await?.ok_or(Code::SessionRevoked)?;
    Ok(Json(present(&user)))
}

fn present(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "email_verified": user.email_verified_at.is_some(),
        "name": user.name,
        "locale": user.locale,
        "is_admin": user.is_admin,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    })
}
