//! `POST /api/v1/password/forgot`, `…/reset` and `…/change`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::passwords::PasswordChange;
use doorward_model::email::EmailAddress;
use doorward_model::password::Password;
use doorward_model::secret::SecretText;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::fields;
use crate::api::login::{set_device_cookie, set_session_cookie};
use crate::api::outcome::refused_password;
use crate::body::{Fields, FromFields, JsonBody};
use crate::extract::{DeviceCookie, Op, SetCookies, SignedIn};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// Whose password is forgotten.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForgotPassword {
    /// The address of the account.
    #[schema(value_type = String, format = Email, max_length = 254, example = "ada@example.com")]
    email: EmailAddress,
}

impl FromFields for ForgotPassword {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self { email: fields.required_as("email", fields::email)? })
    }
}

/// Says the same for every address.
#[derive(Serialize, ToSchema)]
pub(crate) struct PasswordForgotten {
    status: ResetSent,
}

/// A mail is on its way, if there is such an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResetSent {
    ResetSent,
}

/// Mails a link to choose a new password, if there is such an account. Always 202.
pub(crate) async fn forgot(
    State(site): State<Site>,
    Op(op): Op,
    DeviceCookie(device): DeviceCookie,
    JsonBody(body): JsonBody<ForgotPassword>,
) -> Result<(StatusCode, Json<PasswordForgotten>), Problem> {
    site.app.forgot_password(&op, &body.email, device.as_deref().map(String::as_str)).await?;
    Ok((StatusCode::ACCEPTED, Json(PasswordForgotten { status: ResetSent::ResetSent })))
}

/// The link's token and the new password.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetPassword {
    /// The token of the link.
    #[schema(value_type = String, example = "dwo_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA")]
    token: SecretText,
    /// The new password.
    #[schema(value_type = String, format = Password, max_length = 256, example = "copper lantern 12 harbours")]
    password: Password,
}

impl FromFields for ResetPassword {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token");
        let password = fields.required_as("password", fields::password);
        Some(Self { token: token?, password: password? })
    }
}

/// Sets a new password. Signs nobody in; this browser becomes a known device.
pub(crate) async fn reset(
    State(site): State<Site>,
    Op(op): Op,
    JsonBody(body): JsonBody<ResetPassword>,
) -> Result<Response, Problem> {
    let token = fields::one_time(&body.token).ok_or(Code::InvalidOneTimeToken)?;
    let device = site.app.reset_password(&op, &token, body.password).await?;
    let cookies = SetCookies(vec![set_device_cookie(&device)?]);
    Ok((StatusCode::NO_CONTENT, cookies, ()).into_response())
}

/// The current and the new password.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    /// The current password.
    #[schema(value_type = String, format = Password, max_length = 256, example = "violet umbrella 7 crossing")]
    current_password: Password,
    /// The new one.
    #[schema(value_type = String, format = Password, max_length = 256, example = "copper lantern 12 harbours")]
    new_password: Password,
}

impl FromFields for ChangePassword {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let current = fields.required_as("current_password", fields::password);
        let new = fields.required_as("new_password", fields::password);
        Some(Self { current_password: current?, new_password: new? })
    }
}

/// Changes the caller's password. Their other sessions end; in a browser the cookies are new.
pub(crate) async fn change(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    JsonBody(body): JsonBody<ChangePassword>,
) -> Result<Response, Problem> {
    match site.app.change_password(&op, &principal, body.current_password, body.new_password).await? {
        PasswordChange::Changed { session, device_cookie } => {
            let mut cookies = Vec::new();
            if let Some((cookie, session)) = session.as_deref() {
                cookies.push(set_session_cookie(cookie, session, op.now)?);
                cookies.push(set_device_cookie(&device_cookie)?);
            }
            Ok((StatusCode::NO_CONTENT, SetCookies(cookies), ()).into_response())
        }
        // The answer of every refused password, here as at sign-in.
        PasswordChange::WrongPassword => Err(Code::InvalidCredentials.into()),
        PasswordChange::Refused(violations) => Err(refused_password("new_password", &violations)),
        PasswordChange::SlowDown { retry_after_seconds } => {
            Err(Problem::new(Code::RateLimited).retry_after(retry_after_seconds))
        }
    }
}
