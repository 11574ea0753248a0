//! The edge as a whole: demo routes built through the real table, driven without sockets.

mod access;
mod bodies;
mod cors;
mod csrf;
mod demo;
mod errors;
mod headers;
mod hosts;
mod limits;
mod observed;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use doorward_app::authentication::{AuthenticationError, Principal, Via};
use doorward_app::op::Op;
use doorward_model::id::{SessionId, UserId};
use doorward_model::random::Random;
use doorward_model::secret::{PlainToken, TokenKind};
use doorward_model::time::{Clock, Timestamp};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::csrf::{pre_token, session_token};
use crate::edge::{Edge, PeerAddress};
use crate::gateway::Gateway;
use crate::route_table::RouteTable;
use crate::settings::{EdgeSettings, PublicUrl};

/// The origin of the demo deployment.
const OWN: &str = "https://auth.example.com";
/// The one listed origin.
const LISTED: &str = "https://app.example.org";
/// A value that must never come back in any answer.
const CANARY: &str = "canary-secret-value";

/// An application with four sessions, known by the first byte of their cookie.
#[derive(Clone)]
struct Demo(Arc<DemoState>);

struct DemoState {
    now: AtomicI64,
    drawn: AtomicU64,
    asked: AtomicU64,
}

struct CountingRandom(Arc<DemoState>);

impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let drawn = self.0.drawn.fetch_add(1, Ordering::Relaxed);
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = drawn.to_le_bytes()[index % 8];
        }
    }
}

impl Clock for DemoState {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.now.load(Ordering::Relaxed))
    }
}

fn principal(number: u8, via: Via, now: Timestamp) -> Result<Principal, AuthenticationError> {
    match number {
        ALICE | ADMIN | BOB => Ok(Principal {
            user_id: UserId::from_uuid([number; 16]),
            session_id: SessionId::from_uuid([number; 16]),
            is_admin: number == ADMIN,
            authenticated_at: now,
            via,
        }),
        EXPIRED => Err(AuthenticationError::SessionExpired),
        REVOKED => Err(AuthenticationError::SessionRevoked),
        DOWN => Err(AuthenticationError::Unchecked(doorward_store::StoreError::Unavailable)),
        BROKEN => Err(AuthenticationError::Unchecked(doorward_store::StoreError::Corrupt("a session has no user"))),
        PANIC => panic!("{CANARY}"),
        _ => Err(AuthenticationError::Invalid),
    }
}

const ALICE: u8 = 1;
/// Where a client's scripts live.
const CLIENT_ORIGIN: &str = "https://board.example.net";
const ADMIN: u8 = 2;
const BOB: u8 = 3;
const EXPIRED: u8 = 4;
const REVOKED: u8 = 5;
const DOWN: u8 = 6;
const PANIC: u8 = 7;
const BROKEN: u8 = 8;
const UNKNOWN: u8 = 99;

impl Gateway for Demo {
    fn clock(&self) -> &dyn Clock {
        self.0.as_ref()
    }

    fn random(&self) -> Arc<dyn Random> {
        Arc::new(CountingRandom(Arc::clone(&self.0)))
    }

    async fn authenticate_cookie(&self, op: &Op, cookie: PlainToken) -> Result<Principal, AuthenticationError> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        let number = (0..=u8::MAX).find(|number| cookie.matches(&cookie_of(*number))).unwrap_or(UNKNOWN);
        principal(number, Via::Cookie, op.now)
    }

    async fn authenticate_bearer(&self, op: &Op, token: &str) -> Result<Principal, AuthenticationError> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        match token {
            "alice" => principal(ALICE, Via::Bearer, op.now),
            "expired" => Err(AuthenticationError::TokenExpired),
            _ => Err(AuthenticationError::Invalid),
        }
    }

    async fn is_client_origin(&self, origin: &str) -> bool {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        origin == CLIENT_ORIGIN
    }
}

fn cookie_of(number: u8) -> PlainToken {
    PlainToken::from_bytes(TokenKind::Session, [number; 32])
}

/// The `Cookie` header of a session.
fn cookie(number: u8) -> String {
    format!("__Host-doorward={}", *cookie_of(number).reveal())
}

/// The token of a session.
fn csrf_of(number: u8) -> String {
    session_token(&cookie_of(number)).reveal().to_string()
}

/// A `pre` cookie of zeros and its token.
fn pre() -> (String, String) {
    let line = format!("__Host-doorward-pre={}", "A".repeat(43));
    let mut headers = HeaderMap::new();
    headers.insert("cookie", line.parse().unwrap());
    let cookies = crate::cookies::Cookies::read(&headers);
    let token = pre_token(cookies.pre.present().unwrap()).reveal().to_string();
    (line, token)
}

/// A demo deployment.
struct Harness {
    demo: Demo,
    edge: Arc<Edge<Demo>>,
    router: Router,
}

impl Harness {
    fn new() -> Self {
        Self::with(|_| ())
    }

    /// Limits far away, so that tables of many requests are not cut short.
    fn unlimited() -> Self {
        Self::with(|settings| settings.limit_scale = 1000.0)
    }

    fn with(adjust: impl FnOnce(&mut EdgeSettings)) -> Self {
        let demo = Demo(Arc::new(DemoState {
            now: AtomicI64::new(1_800_000_000_000),
            drawn: AtomicU64::new(0),
            asked: AtomicU64::new(0),
        }));
        let mut settings = EdgeSettings::new(PublicUrl::parse(OWN).unwrap());
        settings.token_origins = vec![LISTED.to_owned()];
        adjust(&mut settings);
        let edge = Arc::new(Edge::new(demo.clone(), settings));
        let router = RouteTable::new(demo::routes()).unwrap().into_router(&edge);
        Self { demo, edge, router }
    }

    fn advance_ms(&self, ms: i64) {
        self.demo.0.now.fetch_add(ms, Ordering::Relaxed);
    }

    /// How often the application was asked about a credential.
    fn asked(&self) -> u64 {
        self.demo.0.asked.load(Ordering::Relaxed)
    }

    /// Sends a request and checks what every answer owes.
    async fn send(&self, request: Request<Body>) -> Answer {
        let is_head = request.method() == http::Method::HEAD;
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        headers::check_baseline(&answer);
        errors::check_form(&answer, is_head);
        answer
    }
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The problem's code; empty for anything else.
    fn code(&self) -> String {
        if !self.header("content-type").starts_with("application/problem+json") {
            return String::new();
        }
        self.json()["code"].as_str().unwrap().to_owned()
    }

    /// Status and code.
    fn outcome(&self) -> (u16, String) {
        (self.status, self.code())
    }
}

/// A request to the demo deployment from one address, with `lines` as further headers.
fn request(method: &str, path: &str, lines: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path);
    if !lines.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        builder = builder.header("host", "auth.example.com");
    }
    for (name, value) in lines {
        builder = builder.header(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let mut request = builder.body(body.into()).unwrap();
    let peer: SocketAddr = "203.0.113.9:4711".parse().unwrap();
    request.extensions_mut().insert(PeerAddress(peer));
    request
}

fn get(path: &str, lines: &[(&str, &str)]) -> Request<Body> {
    request("GET", path, lines, Body::empty())
}

fn is_ok(status: u16) -> bool {
    StatusCode::from_u16(status).unwrap().is_success()
}
