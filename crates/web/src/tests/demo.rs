//! The demo routes: one of each kind, with handlers as real ones look.

use axum::Json;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use doorward_model::id::Session;
use doorward_model::secret::SecretText;
use doorward_model::time::Timestamp;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{CANARY, Demo, cookie_of};
use crate::body::{Change, Fields, FormBody, FromFields, JsonBody, OptionalJson};
use crate::cookies::{Life, session_cookie};
use crate::edge::FormActionOrigin;
use crate::extract::{
    Caller, ListQuery, MaybeSignedIn, Op, PathId, PublicFormToken, ScriptNonce, SessionCookie, SessionFormToken,
    SetCookies, SignedIn,
};
use crate::problem::{Code, Problem};
use crate::route::{Access, CacheClass, CorsRule, CsrfRule, Door, RateClass, Retirement, Route, endpoint};

pub(super) struct Login {
    email: String,
    #[expect(dead_code, reason = "a password is taken and never shown")]
    password: SecretText,
    remember: bool,
}

impl FromFields for Login {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required_as("email", |text: String| {
            if text.contains('@') { Ok(text) } else { Err(("invalid_email", "An e-mail address is expected.")) }
        });
        let password = fields.required("password");
        let remember = fields.optional("remember");
        Some(Self { email: email?, password: password?, remember: remember?.unwrap_or(false) })
    }
}

struct Profile {
    name: Change<String>,
}

impl FromFields for Profile {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self { name: fields.change("name")? })
    }
}

async fn me(State(_): State<Demo>, op: Op, SignedIn(principal): SignedIn) -> Json<Value> {
    Json(json!({
        "id": principal.user_id,
        "actor": format!("{:?}", op.0.actor),
        "address": op.0.address.map(|address| address.to_string()),
        "user_agent": op.0.user_agent,
        "request_id": op.0.request_id,
    }))
}

async fn patch_me(_: SignedIn, JsonBody(profile): JsonBody<Profile>) -> Json<Value> {
    Json(json!({ "name": format!("{:?}", profile.name) }))
}

async fn login(caller: Caller, JsonBody(login): JsonBody<Login>) -> Result<Response, Problem> {
    let may = caller.may_hold_refresh_tokens;
    if !caller.may_receive_cookies {
        return Ok(Json(json!({ "status": "token", "may": may })).into_response());
    }
    let cookie = session_cookie(&cookie_of(1), Life::BrowserSession).map_err(Problem::internal)?;
    Ok((SetCookies(vec![cookie]), Json(json!({ "email": login.email, "remember": login.remember, "may": may })))
        .into_response())
}

async fn renew(SessionCookie(cookie): SessionCookie, OptionalJson(body): OptionalJson<Profile>) -> Json<Value> {
    Json(json!({ "cookie": cookie.is_some(), "body": body.map(|body| format!("{:?}", body.name)) }))
}

async fn reset() -> Problem {
    Problem::new(Code::InvalidOneTimeToken)
}

async fn end_session(_: SignedIn, PathId(id): PathId<Session>) -> String {
    id.to_string()
}

async fn list(_: SignedIn, query: ListQuery) -> Json<Value> {
    Json(json!({ "data": [], "limit": query.limit, "next_cursor": query.cursor }))
}

async fn csrf_token(SessionFormToken(token): SessionFormToken) -> Json<Value> {
    Json(json!({ "csrf_token": *token.reveal() }))
}

async fn login_page(PublicFormToken(token): PublicFormToken, MaybeSignedIn(who): MaybeSignedIn) -> Response {
    let html = Html(format!("<p>{}</p><p>{}</p>", *token.reveal(), who.is_some()));
    (axum::Extension(FormActionOrigin::new("https://app.example.net").unwrap()), html).into_response()
}

async fn post_login_page(form: FormBody<Login>) -> Response {
    match form.result {
        Ok(login) => (StatusCode::OK, login.email).into_response(),
        Err(errors) => {
            let codes: Vec<String> = errors.iter().map(|error| format!("{} {}", error.pointer, error.code)).collect();
            let html = Html(format!("{} [{}]", codes.join(", "), form.values.typed("email")));
            (StatusCode::UNPROCESSABLE_ENTITY, html).into_response()
        }
    }
}

async fn account_page(_: SignedIn, ScriptNonce(nonce): ScriptNonce) -> Html<String> {
    Html(format!("<script nonce=\"{nonce}\"></script>"))
}

async fn post_account_page(_: SignedIn, form: FormBody<()>) -> StatusCode {
    if form.result.is_ok() { StatusCode::NO_CONTENT } else { StatusCode::UNPROCESSABLE_ENTITY }
}

async fn hang() -> StatusCode {
    std::future::pending().await
}

async fn crash() -> StatusCode {
    panic!("{CANARY} sql postgres /src/secret.rs")
}

async fn fail() -> Problem {
    Problem::internal(std::io::Error::other(format!("{CANARY} SELECT * FROM users")))
}

async fn framework(_: Json<Value>) -> StatusCode {
    StatusCode::OK
}

/// A mistake that the edge makes harmless: a cookie on an answer that caches may keep.
async fn careless() -> Result<Response, Problem> {
    let cookie = session_cookie(&cookie_of(1), Life::BrowserSession).map_err(Problem::internal)?;
    Ok((SetCookies(vec![cookie]), "ok").into_response())
}

async fn plain() -> &'static str {
    "ok"
}

macro_rules! route {
    ($method:ident $path:literal, $door:ident, $access:ident, $rate:ident, $csrf:ident, $cache:expr, $cors:ident, $handler:expr) => {
        Route {
            method: Method::$method,
            path: $path,
            door: Door::$door,
            access: Access::$access,
            rate: RateClass::$rate,
            csrf: CsrfRule::$csrf,
            cache: $cache,
            cors: CorsRule::$cors,
            retires: None,
            handler: endpoint($handler),
        }
    };
}

/// 2026-07-01 and a year later.
pub(super) const RETIRES: Retirement = Retirement {
    deprecated_at: Timestamp::from_ms(1_782_864_000_000),
    sunset_at: Some(Timestamp::from_ms(1_814_400_000_000)),
};

pub(super) fn routes() -> Vec<Route<Demo>> {
    use CacheClass::{Immutable, NoStore, PublicFor, Revalidate};
    let old = || route!(GET "/api/v1/old", Api, Public, Read, Safe, NoStore, Closed, plain);
    vec![
        route!(GET "/api/v1/me", Api, Session, Read, Safe, NoStore, Closed, me),
        route!(PATCH "/api/v1/me", Api, Session, Write, SessionHeader, NoStore, Closed, patch_me),
        route!(GET "/api/v1/admin", Api, AdminSession, Read, Safe, NoStore, Closed, plain),
        route!(POST "/api/v1/login", Api, Public, Credential, SameOrigin, NoStore, TokenOrigins, login),
        route!(POST "/api/v1/token", Api, Public, Renewal, SessionHeader, NoStore, TokenOrigins, renew),
        route!(POST "/api/v1/reset", Api, Public, Credential, SameOrigin, NoStore, Closed, reset),
        route!(GET "/api/v1/csrf", Api, Session, Read, Safe, NoStore, Closed, csrf_token),
        route!(GET "/api/v1/sessions", Api, Session, Read, Safe, NoStore, Closed, list),
        route!(DELETE "/api/v1/sessions/{id}", Api, Session, Write, SessionHeader, NoStore, Closed, end_session),
        route!(GET "/api/v1/hang", Api, Public, Read, Safe, NoStore, Closed, hang),
        route!(GET "/api/v1/crash", Api, Public, Read, Safe, NoStore, Closed, crash),
        route!(GET "/api/v1/fail", Api, Public, Read, Safe, NoStore, Closed, fail),
        route!(POST "/api/v1/framework", Api, Public, Write, SameOrigin, NoStore, Closed, framework),
        route!(GET "/login", PopupPage, Optional, Read, Safe, NoStore, Closed, login_page),
        route!(POST "/login", PopupPage, Public, Credential, PublicForm, NoStore, Closed, post_login_page),
        route!(GET "/account", Page, Session, Read, Safe, NoStore, Closed, account_page),
        route!(POST "/account", Page, Session, Write, SessionForm, NoStore, Closed, post_account_page),
        route!(GET "/crash", Page, Public, Read, Safe, NoStore, Closed, crash),
        route!(GET "/.well-known/jwks.json", Metadata, Public, Metadata, Safe, PublicFor(300), ClientOrigins, plain),
        route!(GET "/assets/app.css", Metadata, Public, Static, Safe, Immutable, Closed, plain),
        route!(GET "/careless.json", Metadata, Public, Metadata, Safe, PublicFor(300), Closed, careless),
        route!(GET "/openapi.json", Metadata, Public, Metadata, Safe, Revalidate, Closed, plain),
        Route { retires: Some(RETIRES), ..old() },
        Route {
            path: "/api/v1/ageing",
            retires: Some(Retirement { sunset_at: None, ..RETIRES }),
            handler: endpoint(fail),
            ..old()
        },
    ]
}
