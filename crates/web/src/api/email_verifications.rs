//! `POST /api/v1/email-verifications` and `…/confirm`.

use axum::Json;
use axum::extract::State;
use doorward_model::password::Password;
use doorward_model::secret::SecretText;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::fields;
use crate::body::{Fields, FromFields, JsonBody};
use crate::extract::{DeviceCookie, Op};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// Which sign-up.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResendVerification {
    /// The `verification` that the sign-up answered.
    #[schema(value_type = String, example = "dwo_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA")]
    verification: SecretText,
}

impl FromFields for ResendVerification {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self { verification: fields.required("verification")? })
    }
}

/// Says the same for every `verification`, real or not.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerificationResent {
    status: VerificationSent,
}

/// A mail is on its way, if there is whom to send it to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VerificationSent {
    VerificationSent,
}

/// Sends the mail of a sign-up again. Always 202.
pub(crate) async fn resend(
    State(site): State<Site>,
    Op(op): Op,
    DeviceCookie(device): DeviceCookie,
    JsonBody(body): JsonBody<ResendVerification>,
) -> Result<(StatusCode, Json<VerificationResent>), Problem> {
    if let Some(handle) = fields::one_time(&body.verification) {
        site.app.resend_verification(&op, &handle, device.as_deref().map(String::as_str)).await?;
    }
    Ok((StatusCode::ACCEPTED, Json(VerificationResent { status: VerificationSent::VerificationSent })))
}

/// Who confirms, and how.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum ConfirmVerification {
    Code(ConfirmWithCode),
    Link(ConfirmWithLink),
}

/// The browser that signed up shows the code of the mail.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmWithCode {
    /// The `verification` that the sign-up answered.
    #[schema(value_type = String, example = "dwo_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA")]
    verification: SecretText,
    /// The six digits of the mail.
    #[schema(value_type = String, example = "123456")]
    code: SecretText,
}

/// Whoever opened the link of the mail chooses the password.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmWithLink {
    /// The token of the link.
    #[schema(value_type = String, example = "dwo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    token: SecretText,
    /// The password of the account.
    #[schema(value_type = String, format = Password, max_length = 256, example = "violet umbrella 7 crossing")]
    password: Password,
}

impl FromFields for ConfirmVerification {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        if fields.has("token") {
            let token = fields.required::<SecretText>("token");
            let password = fields.required_as("password", fields::password);
            return Some(Self::Link(ConfirmWithLink { token: token?, password: password? }));
        }
        let verification = fields.required::<SecretText>("verification");
        let code = fields.required::<SecretText>("code");
        Some(Self::Code(ConfirmWithCode { verification: verification?, code: code? }))
    }
}

/// The account exists.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerificationConfirmed {
    status: Verified,
}

/// The address belongs to whoever confirmed it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verified {
    Verified,
}

/// Confirms a sign-up: from now on the account exists.
pub(crate) async fn confirm(
    State(site): State<Site>,
    Op(op): Op,
    JsonBody(body): JsonBody<ConfirmVerification>,
) -> Result<Json<VerificationConfirmed>, Problem> {
    match body {
        ConfirmVerification::Code(ConfirmWithCode { verification, code }) => {
            let handle = fields::one_time(&verification).ok_or(Code::InvalidOneTimeToken)?;
            site.app.confirm_with_code(&op, &handle, code.reveal()).await?;
        }
        ConfirmVerification::Link(ConfirmWithLink { token, password }) => {
            let link = fields::one_time(&token).ok_or(Code::InvalidOneTimeToken)?;
            site.app.confirm_with_link(&op, &link, password).await?;
        }
    }
    Ok(Json(VerificationConfirmed { status: Verified::Verified }))
}
