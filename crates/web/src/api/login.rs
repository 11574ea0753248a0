//! `POST /api/v1/login`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::login::{SignIn, SignInOutcome, SignedIn};
use doorward_app::sessions::Session;
use doorward_app::sessions::start::{Credential, Mode};
use doorward_model::id::SessionId;
use doorward_model::password::Password;
use doorward_model::secret::PlainToken;
use doorward_model::time::Timestamp;
use http::HeaderValue;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::fields;
use crate::api::revealed::Revealed;
use crate::api::token::TokenType;
use crate::body::{Fields, FromFields, JsonBody};
use crate::cookies::{self, Life};
use crate::extract::{Caller, DeviceCookie, Op, SessionCookie, SetCookies};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// Who signs in, and what they get.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    /// The address of the account; any text, since one that is no address is refused like an unknown one.
    #[schema(max_length = 1024, example = "ada@example.com")]
    email: String,
    /// The password of the account.
    #[schema(value_type = String, format = Password, max_length = 256, example = "violet umbrella 7 crossing")]
    password: Password,
    /// What holds the session: `cookie` unless said otherwise.
    #[schema(nullable, inline)]
    mode: Option<LoginMode>,
    /// Whether the session cookie outlives the browser. No unless said otherwise; of no use with `token`.
    remember: Option<bool>,
}

/// What holds the session.
#[derive(Clone, Copy, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LoginMode {
    /// The cookie `__Host-doorward`.
    Cookie,
    /// A refresh token in the answer: not for browsers, unless their origin is listed in `[cors] token_origins`.
    Token,
}

impl FromFields for LoginRequest {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required_as("email", fields::typed_email);
        let password = fields.required_as("password", fields::password);
        let mode = fields.optional_as("mode", |text: String| match text.as_str() {
            "cookie" => Ok(LoginMode::Cookie),
            "token" => Ok(LoginMode::Token),
            _ => Err(("unknown_mode", "Either cookie or token is expected.")),
        });
        let remember = fields.optional::<bool>("remember");
        Some(Self { email: email?, password: password?, mode: mode?, remember: remember? })
    }
}

/// Signs in.
pub(crate) async fn create(
    State(site): State<Site>,
    Op(op): Op,
    caller: Caller,
    SessionCookie(previous): SessionCookie,
    DeviceCookie(device): DeviceCookie,
    JsonBody(body): JsonBody<LoginRequest>,
) -> Result<Response, Problem> {
    let mode = match body.mode {
        Some(LoginMode::Token) => Mode::Token,
        Some(LoginMode::Cookie) | None => Mode::Cookie { remember: body.remember.unwrap_or(false) },
    };
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

/// Signed in.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoginAnswer {
    status: LoginStatus,
    /// A JWT (RFC 9068) that speaks for the session.
    #[schema(value_type = String)]
    access_token: Revealed,
    token_type: TokenType,
    /// How long the access token lives, in seconds.
    #[schema(minimum = 0)]
    expires_in: i64,
    session: StartedSession,
    /// Renews the session at `/api/v1/token`; with mode `token` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, pattern = "^dwr_[A-Za-z0-9_-]+$")]
    refresh_token: Option<Revealed>,
}

/// What came of it. More values may come; whoever meets an unknown one is not signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LoginStatus {
    SignedIn,
}

/// The session that began.
#[derive(Serialize, ToSchema)]
pub(crate) struct StartedSession {
    /// Its id, the `sid` of its access tokens.
    #[schema(value_type = String, pattern = "^session_[0-9a-z]{26}$")]
    id: SessionId,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends whatever happens.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

fn present(signed_in: &SignedIn, now: Timestamp) -> Result<Response, Problem> {
    let session = &signed_in.session;
    let mut cookies = Vec::new();
    let refresh_token = match &signed_in.credential {
        Credential::Cookie(token) => {
            cookies.push(set_session_cookie(token, session, now)?);
            None
        }
        Credential::Refresh(text) => Some(Revealed::new(text.as_str())),
    };
    if let Some(device) = &signed_in.device_cookie {
        cookies.push(set_device_cookie(device)?);
    }
    let body = LoginAnswer {
        status: LoginStatus::SignedIn,
        access_token: Revealed::new(signed_in.access.text.reveal()),
        token_type: TokenType::Bearer,
        expires_in: signed_in.access.expires_in,
        session: StartedSession { id: session.id, created_at: session.created_at, expires_at: session.expires_at },
        refresh_token,
    };
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
