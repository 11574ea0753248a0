//! `POST /api/v1/password/forgot`, `…/reset` and `…/change`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::passwords::PasswordChange;
use doorward_model::email::EmailAddress;
use doorward_model::password::Password;
use doorward_model::secret::SecretText;
use http::StatusCode;
use serde_json::{Value, json};

use crate::api::fields;
use crate::api::login::{set_device_cookie, set_session_cookie};
use crate::api::outcome::refused_password;
use crate::body::{Fields, FromFields, JsonBody};
use crate::extract::{DeviceCookie, Op, SetCookies, SignedIn};
use crate::problem::{Code, FieldError, Problem};
use crate::site::Site;

/// Whose password is forgotten.
pub(crate) struct Forgot {
    email: EmailAddress,
}

impl FromFields for Forgot {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self { email: fields.required_as("email", fields::email)? })
    }
}

/// Mails a link to choose a new password, if there is such an account. Always 202.
pub(crate) async fn forgot(
    State(site): State<Site>,
    Op(op): Op,
    DeviceCookie(device): DeviceCookie,
    JsonBody(body): JsonBody<Forgot>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    site.app.forgot_password(&op, &body.email, device.as_deref().map(String::as_str)).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "status": "reset_sent" }))))
}

/// The link's token and the new password.
pub(crate) struct Reset {
    token: SecretText,
    password: Password,
}

impl FromFields for Reset {
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
    JsonBody(body): JsonBody<Reset>,
) -> Result<Response, Problem> {
    let token = fields::one_time(&body.token).ok_or(Code::InvalidOneTimeToken)?;
    let device = site.app.reset_password(&op, &token, body.password).await?;
    let cookies = SetCookies(vec![set_device_cookie(&device)?]);
    Ok((StatusCode::NO_CONTENT, cookies, ()).into_response())
}

/// The current and the new password.
pub(crate) struct Change {
    current: Password,
    new: Password,
}

impl FromFields for Change {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let current = fields.required_as("current_password", fields::password);
        let new = fields.required_as("new_password", fields::password);
        Some(Self { current: current?, new: new? })
    }
}

/// Changes the caller's password. Their other sessions end; in a browser the cookies are new.
pub(crate) async fn change(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    JsonBody(body): JsonBody<Change>,
) -> Result<Response, Problem> {
    match site.app.change_password(&op, &principal, body.current, body.new).await? {
        PasswordChange::Changed { session, device_cookie } => {
            let mut cookies = Vec::new();
            if let Some((cookie, session)) = session.as_deref() {
                cookies.push(set_session_cookie(cookie, session, op.now)?);
                cookies.push(set_device_cookie(&device_cookie)?);
            }
            Ok((StatusCode::NO_CONTENT, SetCookies(cookies), ()).into_response())
        }
        PasswordChange::WrongPassword => {
            Err(FieldError::new("current_password", "invalid_credentials", "This is not the current password.").into())
        }
        PasswordChange::Refused(violations) => Err(refused_password("new_password", &violations)),
        PasswordChange::SlowDown { retry_after_seconds } => {
            Err(Problem::new(Code::RateLimited).retry_after(retry_after_seconds))
        }
    }
}
