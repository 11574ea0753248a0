//! What callers hold, and the shortest way to get it.

use doorward_model::id::UserId;
use doorward_model::time::Timestamp;
use doorward_store::{Statement, StoreError};
use doorward_testkit::world::{PUBLIC_URL, Request};
use doorward_testkit::{Answer, World};
use http::{Method, header};
use serde_json::{Value, json};

pub(crate) const EMAIL: &str = "ada@example.org";
pub(crate) const PASSWORD: &str = "lovelace met babbage in june";
pub(crate) const OTHER_PASSWORD: &str = "quiet granite lantern orbit";
pub(crate) const ADDRESS: &str = "198.51.100.7";

/// What somebody holds after signing in; what their mode does not give is empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) session: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) cookie: String,
}

pub(crate) async fn register(world: &World, email: &str) -> UserId {
    world.operator().create_user(email, PASSWORD).await
}

/// A request of something that is no browser.
pub(crate) fn bare(method: &Method, path: &str) -> Request {
    Request::new(method.clone(), path, ADDRESS)
}

pub(crate) fn with_json(request: Request, body: &Value) -> Request {
    request.header(header::CONTENT_TYPE, "application/json").body(body.to_string())
}

pub(crate) fn with_bearer(request: Request, token: &str) -> Request {
    request.header(header::AUTHORIZATION, &format!("Bearer {token}"))
}

pub(crate) fn with_cookie(request: Request, value: &str) -> Request {
    request.header(header::COOKIE, &format!("__Host-doorward={value}"))
}

/// As one of our own pages sends it.
pub(crate) fn same_origin(request: Request) -> Request {
    request.header("sec-fetch-site", "same-origin").header(header::ORIGIN, PUBLIC_URL)
}

pub(crate) async fn sign_in(world: &World, email: &str, more: &Value) -> Answer {
    let mut body = json!({ "email": email, "password": PASSWORD });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    world.send(with_json(bare(&Method::POST, "/api/v1/login"), &body)).await
}

/// An application that holds a refresh token.
pub(crate) async fn application(world: &World, email: &str) -> Held {
    let answer = sign_in(world, email, &json!({ "mode": "token" })).await.expect(200);
    let mut held = held(&answer);
    held.refresh = answer.string("refresh_token");
    held
}

/// A browser that holds a cookie.
pub(crate) async fn browser(world: &World, email: &str) -> Held {
    let answer = sign_in(world, email, &json!({})).await.expect(200);
    Held { cookie: cookie_of(&answer), ..held(&answer) }
}

fn held(answer: &Answer) -> Held {
    let session = answer.json()["session"]["id"].as_str().unwrap().to_owned();
    Held { session, access: answer.string("access_token"), ..Held::default() }
}

/// The session cookie an answer sets.
pub(crate) fn cookie_of(answer: &Answer) -> String {
    let cookies = answer.cookies();
    cookies.into_iter().find(|(name, _)| name == "__Host-doorward").map(|(_, value)| value).unwrap()
}

pub(crate) async fn renew(world: &World, refresh: &str) -> Answer {
    let request = bare(&Method::POST, "/api/v1/token");
    world.send(with_json(request, &json!({ "refresh_token": refresh }))).await
}

pub(crate) async fn me_by_bearer(world: &World, access: &str) -> Answer {
    world.send(with_bearer(bare(&Method::GET, "/api/v1/me"), access)).await
}

pub(crate) async fn me_by_cookie(world: &World, cookie: &str) -> Answer {
    world.send(with_cookie(bare(&Method::GET, "/api/v1/me"), cookie)).await
}

pub(crate) async fn csrf(world: &World, cookie: &str) -> String {
    world.send(with_cookie(bare(&Method::GET, "/api/v1/csrf"), cookie)).await.expect(200).string("csrf_token")
}

/// An unsafe call with cookie and token, as one of our own pages sends it.
pub(crate) async fn own_call(world: &World, method: &Method, path: &str, cookie: &str) -> Request {
    let token = csrf(world, cookie).await;
    same_origin(with_cookie(bare(method, path), cookie)).header("x-csrf-token", &token)
}

/// Moves the clock so that the next request happens at `at`: each request moves it by a millisecond.
pub(crate) fn next_at(world: &World, at: Timestamp) {
    world.advance(at.since_ms(world.now()) - 1);
}

/// Learns what other nodes revoked, as every node does each second.
pub(crate) async fn poll(world: &World) {
    world.app().poll_revocations(&world.operator().op()).await.unwrap();
}

/// One number from the database.
pub(crate) async fn number(world: &World, sql: &'static str) -> i64 {
    let statement: &'static Statement = Box::leak(Box::new(Statement::new("tests::NUMBER", sql)));
    let found: Result<i64, StoreError> =
        world.store().read(move |tx| tx.query_one(statement, &[], |row| row.get(0))).await;
    found.unwrap()
}

/// Changes rows; says how many.
pub(crate) async fn execute(world: &World, sql: &'static str) -> u64 {
    let statement: &'static Statement = Box::leak(Box::new(Statement::new("tests::EXECUTE", sql)));
    let changed: Result<u64, StoreError> = world.store().write(move |tx| tx.execute(statement, &[])).await;
    changed.unwrap()
}

/// How many events of a kind there are.
pub(crate) async fn count_events(world: &World, action: &str) -> usize {
    world.actions().await.iter().filter(|seen| *seen == action).count()
}

/// A claim of a token, unverified.
pub(crate) fn claim(token: &str, name: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()[name].clone()
}
