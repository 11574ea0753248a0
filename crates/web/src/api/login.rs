//! `POST /api/v1/login`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::login::{SignIn, SignInOutcome, SignedIn};
use doorward_app::sessions::Session;
use doorward_app::sessions::start::{Credential, Mode};
use doorward_model::password::Password;
use doorward_model::secret::PlainToken;
use doorward_model::time::Timestamp;
use http::HeaderValue;
use serde_json::json;

use crate::api::fields;
use crate::body::{Fields, FromFields, JsonBody};
use crate::cookies::{self, Life};
use crate::extract::{Caller, DeviceCookie, Op, SessionCookie, SetCookies};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// What the call takes.
pub(crate) struct Body {
    email: String,
    password: Password,
    is_token_mode: bool,
    remember: bool,
}

impl FromFields for Body {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required_as("email", fields::typed_email);
        let password = fields.required_as("password", fields::password);
        let mode = fields.optional_as("mode", |text: String| match text.as_str() {
            "cookie" => Ok(false),
            "token" => Ok(true),
            _ => Err(("unknown_mode", "Either cookie or token is expected.")),
        });
        let remember = fields.optional::<bool>("remember");
        Some(Self {
            email: email?,
            password: password?,
            is_token_mode: mode?.unwrap_or(false),
            remember: remember?.unwrap_or(false),
        })
    }
}

/// Signs in.
pub(crate) async fn create(
    State(site): State<Site>,
    Op(op): Op,
    caller: Caller,
    SessionCookie(previous): SessionCookie,
    DeviceCookie(device): DeviceCookie,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, Problem> {
    let mode = if body.is_token_mode { Mode::Token } else { Mode::Cookie { remember: body.remember } };
    let is_allowed = match mode {
        Mode::Token => caller.may_hold_refresh_tokens,
        Mode::Cookie { .. } => caller.may_receive_cookies,
    };
    if !is_allowed {
        return Err(Code::Forbidden.into());
    }
    let input = SignIn {
        email: body.email,
        password: body.password,
        mode,
        device_cookie: device.map(|cookie| cookie.to_string()),
        previous: previous.filter(|_| mode != Mode::Token),
    };
    match site.app.sign_in(&op, input).await? {
        SignInOutcome::SignedIn(signed_in) => present(&signed_in, op.now),
        SignInOutcome::Refused => Err(Code::InvalidCredentials.into()),
        SignInOutcome::SlowDown { retry_after_seconds } => {
            Err(Problem::new(Code::RateLimited).retry_after(retry_after_seconds))
        }
    }
}

fn present(signed_in: &SignedIn, now: Timestamp) -> Result<Response, Problem> {
    let session = &signed_in.session;
    let mut body = json!({
        "status": "signed_in",
        "access_token": signed_in.access.text.reveal(),
        "token_type": "Bearer",
        "expires_in": signed_in.access.expires_in,
        "session": {
            "id": session.id,
            "created_at": session.created_at,
            "expires_at": session.expires_at,
        },
    });
    let mut cookies = Vec::new();
    match &signed_in.credential {
        Credential::Cookie(token) => cookies.push(set_session_cookie(token, session, now)?),
        Credential::Refresh(text) => body["refresh_token"] = text.as_str().into(),
    }
    if let Some(device) = &signed_in.device_cookie {
        cookies.push(set_device_cookie(device)?);
    }
    Ok((SetCookies(cookies), Json(body)).into_response())
}

/// The session cookie: for the browser's session, or up to the session's end when it is to be remembered.
pub(crate) fn set_session_cookie(
    token: &PlainToken,
    session: &Session,
    now: Timestamp,
) -> Result<HeaderValue, Problem> {
    let seconds = session.expires_at.since_ms(now).max(0) / 1000;
    let life =
        if session.remember { Life::Seconds(u32::try_from(seconds).unwrap_or(u32::MAX)) } else { Life::BrowserSession };
    cookies::session_cookie(token, life).map_err(Problem::internal)
}

/// The known-device cookie.
pub(crate) fn set_device_cookie(sealed: &str) -> Result<HeaderValue, Problem> {
    cookies::device_cookie(sealed).map_err(Problem::internal)
}
