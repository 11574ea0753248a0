//! `POST /api/v1/email-verifications` and `…/confirm`.

use axum::Json;
use axum::extract::State;
use doorward_model::password::Password;
use doorward_model::secret::SecretText;
use http::StatusCode;
use serde_json::{Value, json};

use crate::api::fields;
use crate::body::{Fields, FromFields, JsonBody};
use crate::extract::{DeviceCookie, Op};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// Which sign-up.
pub(crate) struct Resend {
    verification: SecretText,
}

impl FromFields for Resend {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self { verification: fields.required("verification")? })
    }
}

/// Sends the mail of a sign-up again. Always 202.
pub(crate) async fn resend(
    State(site): State<Site>,
    Op(op): Op,
    DeviceCookie(device): DeviceCookie,
    JsonBody(body): JsonBody<Resend>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if let Some(handle) = fields::one_time(&body.verification) {
        site.app.resend_verification(&op, &handle, device.as_deref().map(String::as_str)).await?;
    }
    Ok((StatusCode::ACCEPTED, Json(json!({ "status": "verification_sent" }))))
}

/// Who confirms, and how.
pub(crate) enum Confirm {
    /// The browser that signed up.
    Code { verification: SecretText, code: SecretText },
    /// Whoever opened the link.
    Link { token: SecretText, password: Password },
}

impl FromFields for Confirm {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.optional::<SecretText>("token")?;
        if let Some(token) = token {
            let password = fields.required_as("password", fields::password)?;
            return Some(Self::Link { token, password });
        }
        let verification = fields.required::<SecretText>("verification");
        let code = fields.required::<SecretText>("code");
        Some(Self::Code { verification: verification?, code: code? })
    }
}

/// Confirms a sign-up: from now on the account exists.
pub(crate) async fn confirm(
    State(site): State<Site>,
    Op(op): Op,
    JsonBody(body): JsonBody<Confirm>,
) -> Result<Json<Value>, Problem> {
    match body {
        Confirm::Code { verification, code } => {
            let handle = fields::one_time(&verification).ok_or(Code::InvalidOneTimeToken)?;
            site.app.confirm_with_code(&op, &handle, code.reveal()).await?;
        }
        Confirm::Link { token, password } => {
            let link = fields::one_time(&token).ok_or(Code::InvalidOneTimeToken)?;
            site.app.confirm_with_link(&op, &link, password).await?;
        }
    }
    Ok(Json(json!({ "status": "verified" })))
}
