//! `GET` and `PATCH /api/v1/me`.

use axum::Json;
use axum::extract::State;
use doorward_app::profile::{ProfileChange, User};
use doorward_model::id::UserId;
use doorward_model::locale::Locale;
use doorward_model::name::DisplayName;
use doorward_model::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::fields;
use crate::body::{Change, Fields, FromFields, JsonBody};
use crate::extract::{Op, SignedIn};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// Who the caller is.
pub(crate) async fn show(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
) -> Result<Json<Profile>, Problem> {
    let user = site.app.current_user(&op, &principal).await?.ok_or(Code::SessionRevoked)?;
    Ok(Json(present(&user)))
}

/// A change of the caller's profile.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfilePatch {
    /// The new name, 1 to 100 characters on one line; `null` removes it, absent keeps it.
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 400)]
    name: Change<DisplayName>,
    /// The new language as a language tag (BCP 47); absent and `null` keep it.
    #[schema(value_type = Option<String>, min_length = 2, max_length = 35, example = "de")]
    locale: Option<Locale>,
}

impl FromFields for ProfilePatch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = if fields.has("name") {
            fields.optional_as("name", fields::name).map(|name| name.map_or(Change::Clear, Change::Set))
        } else {
            Some(Change::Keep)
        };
        let locale = fields.optional_as::<String, Locale>("locale", fields::locale);
        Some(Self { name: name?, locale: locale? })
    }
}

/// Changes the caller's name (`null` removes it) and language.
pub(crate) async fn change(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    JsonBody(ProfilePatch { name, locale }): JsonBody<ProfilePatch>,
) -> Result<Json<Profile>, Problem> {
    let name = match name {
        Change::Keep => None,
        Change::Clear => Some(None),
        Change::Set(name) => Some(Some(name)),
    };
    let user =
        site.app.change_profile(&op, &principal, ProfileChange { name, locale }).await?.ok_or(Code::SessionRevoked)?;
    Ok(Json(present(&user)))
}

/// Who the caller is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Profile {
    /// The stable id, the `sub` of access tokens.
    #[schema(value_type = String, pattern = "^user_[0-9a-z]{26}$")]
    id: UserId,
    /// The address as typed at sign-up: where mail goes.
    #[schema(max_length = 254)]
    email: String,
    /// Whether somebody proved to read that mailbox.
    email_verified: bool,
    /// The display name.
    #[schema(required)]
    name: Option<String>,
    /// The preferred language as a language tag (BCP 47).
    #[schema(required, example = "en")]
    locale: Option<String>,
    /// Whether they administer this deployment.
    is_admin: bool,
    /// When the account came to be.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

fn present(user: &User) -> Profile {
    Profile {
        id: user.id,
        email: user.email.clone(),
        email_verified: user.email_verified_at.is_some(),
        name: user.name.clone(),
        locale: user.locale.clone(),
        is_admin: user.is_admin,
        created_at: user.created_at,
        updated_at: user.updated_at,
    }
}
