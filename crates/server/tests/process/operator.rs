//! `doorward user` and `doorward keys` beside a running server, on both databases.

use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::postgres::Database;
use crate::{Server, doorward, exchange, get, run, text};

pub(crate) const PASSWORD: &str = "violet lamp under seven bridges";

/// How often something is looked at until it has followed; each look starts a process, which paces the loop.
const LOOKS: usize = 200;

pub(crate) fn create(folder: &Path, email: &str, password: &str, more: &[&str]) -> Output {
    let mut process = doorward(folder)
        .args(["user", "create", "--email", email, "--password-stdin"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    process.wait_with_output().unwrap()
}

fn answer(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refusal(output: &Output) -> String {
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    text(&output.stderr)
}

pub(crate) fn sign_in(address: &str, email: &str) -> String {
    let body = json!({"email": email, "password": PASSWORD, "mode": "token"}).to_string();
    let length = body.len();
    exchange(
        address,
        &format!(
            "POST /api/v1/login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
    )
}

pub(crate) fn body(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn access_token(address: &str) -> String {
    body(&sign_in(address, "ann@example.com"))["access_token"].as_str().unwrap().to_owned()
}

pub(crate) fn who_am_i(address: &str, token: &str) -> String {
    exchange(
        address,
        &format!(
            "GET /api/v1/me HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        ),
    )
}

/// Looks until there is what is looked for.
pub(crate) fn soon<T>(folder: &Path, look: impl Fn() -> Option<T>) -> T {
    let found = (0..LOOKS).find_map(|_| {
        run(folder, &["keys", "list"]);
        look()
    });
    found.expect("it comes soon")
}

/// Looks until the server refuses the token.
fn is_refused_soon(folder: &Path, server: &Server, token: &str) -> bool {
    soon(folder, || who_am_i(&server.public, token).starts_with("HTTP/1.1 401").then_some(true))
}

fn operators_commands_work_beside_a_running_server(folder: &Path) {
    let server = Server::start(folder);
    let ann = answer(&create(
        folder,
        "ann@example.com",
        &format!("{PASSWORD}\n"),
        &["--name", "Ann", "--verified", "--admin", "--json"],
    ));
    assert_eq!((&ann["email"], &ann["name"]), (&json!("ann@example.com"), &json!("Ann")));
    assert_eq!((&ann["email_verified"], &ann["is_admin"]), (&json!(true), &json!(true)));
    let id = ann["id"].as_str().unwrap();

    let twice = refusal(&create(folder, "ANN@example.com", PASSWORD, &[]));
    assert!(twice.contains("has an account already"), "{twice}");
    let weak = refusal(&create(folder, "ben@example.com", "password123\n", &[]));
    assert!(weak.contains("too_short") && weak.contains("password_blocklisted"), "{weak}");
    assert!(!weak.contains("password123"), "{weak}");
    let ben = answer(&create(folder, "ben@example.com", PASSWORD, &["--json"]));
    assert_eq!((&ben["email_verified"], &ben["is_admin"]), (&json!(false), &json!(false)));

    let first = answer(&run(folder, &["user", "list", "--limit", "1", "--json"]));
    assert_eq!((&first["data"][0]["id"], &first["next_cursor"]), (&json!(id), &json!(id)));
    let second = answer(&run(folder, &["user", "list", "--limit", "1", "--after", id, "--json"]));
    assert_eq!((&second["data"][0]["id"], &second["next_cursor"]), (&ben["id"], &Value::Null));
    assert_eq!(answer(&run(folder, &["user", "show", id, "--json"])), ann);
    assert_eq!(answer(&run(folder, &["user", "show", "Ann@Example.com", "--json"])), ann);
    let unknown = refusal(&run(folder, &["user", "show", "nobody@example.com"]));
    assert!(unknown.contains("there is no user nobody@example.com"), "{unknown}");

    let token = access_token(&server.public);
    assert!(who_am_i(&server.public, &token).starts_with("HTTP/1.1 200"));
    let disabled = answer(&run(folder, &["user", "disable", "ann@example.com", "--json"]));
    assert!(disabled["disabled_at"].is_string());
    assert_eq!(answer(&run(folder, &["user", "disable", id, "--json"])), disabled, "once is enough");
    assert!(sign_in(&server.public, "ann@example.com").starts_with("HTTP/1.1 401"));
    assert!(is_refused_soon(folder, &server, &token), "the running server follows");
    assert_eq!(answer(&run(folder, &["user", "enable", id, "--json"]))["disabled_at"], Value::Null);
    assert!(who_am_i(&server.public, &token).starts_with("HTTP/1.1 401"), "what ended stays ended");
    rotation(folder, &server);
    server.signal("-TERM");
    assert_eq!(server.exit_code(), Some(0));
}

fn the_link_goes_with_the_first_administrator(folder: &Path) {
    let server = Server::start(folder);
    let file = folder.join("doorward-data").join("admin-link");
    assert!(std::fs::read_to_string(&file).unwrap().contains("/setup?token="));
    answer(&create(folder, "ben@example.com", PASSWORD, &["--json"]));
    assert!(file.exists(), "nobody administers it yet");
    answer(&create(folder, "ann@example.com", PASSWORD, &["--admin", "--json"]));
    soon(folder, || (!file.exists()).then_some(()));
    server.signal("-TERM");
    assert_eq!(server.exit_code(), Some(0));
}

fn rotation(folder: &Path, server: &Server) {
    let token = access_token(&server.public);
    let states = || {
        let keys = answer(&run(folder, &["keys", "list", "--json"]));
        // The others rotate with it; the RSA key is made beside the running server, sooner or later.
        let own = keys["data"].as_array().unwrap().iter().filter(|key| key["algorithm"] == "ES256");
        own.map(|key| key["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states(), ["active"]);
    let changes = answer(&run(folder, &["keys", "rotate", "--json"]));
    assert_eq!(changes["changes"][0]["state"], "published");
    assert_eq!(states(), ["published", "active"]);
    assert_eq!(answer(&run(folder, &["keys", "rotate", "--json"])), json!({"changes": []}));
    assert!(who_am_i(&server.public, &token).starts_with("HTTP/1.1 200"), "a rotation disturbs nobody");
    answer(&run(folder, &["keys", "rotate", "--emergency", "--json"]));
    assert_eq!(states(), ["active", "gone", "gone"]);
    assert!(is_refused_soon(folder, server, &token), "what the old key signed is dead");
    assert!(who_am_i(&server.public, &access_token(&server.public)).starts_with("HTTP/1.1 200"));
    let keys = body(&get(&server.public, "/.well-known/jwks.json"))["keys"].take();
    let mut algorithms: Vec<_> = keys.as_array().unwrap().iter().map(|key| key["alg"].as_str().unwrap()).collect();
    algorithms.sort_unstable();
    assert_eq!(algorithms, ["ES256", "EdDSA", "RS256"]);
}

#[test]
fn operators_commands_work_beside_a_running_server_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    operators_commands_work_beside_a_running_server(folder.path());
}

#[test]
fn operators_commands_work_beside_a_running_server_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let _database = Database::configured_in(folder.path());
    operators_commands_work_beside_a_running_server(folder.path());
}

#[test]
fn the_link_goes_with_the_first_administrator_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    the_link_goes_with_the_first_administrator(folder.path());
}

#[test]
fn the_link_goes_with_the_first_administrator_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let _database = Database::configured_in(folder.path());
    the_link_goes_with_the_first_administrator(folder.path());
}

#[test]
fn a_wrong_folder_is_named_and_not_filled() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["user", "list"][..], &["keys", "list"], &["user", "show", "ann@example.com"]] {
        let refused = refusal(&run(folder.path(), arguments));
        assert!(refused.contains("there is no data in doorward-data"), "{refused}");
    }
    assert!(!folder.path().join("doorward-data").exists());
    assert_eq!(run(folder.path(), &["user", "create", "--email", "ann@example.com"]).status.code(), Some(2));
}
