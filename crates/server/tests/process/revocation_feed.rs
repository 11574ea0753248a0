//! A service follows what a running server revokes, itself or from the command line.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::operator::{PASSWORD, body, create, sign_in, soon};
use crate::postgres::Database;
use crate::{Server, exchange, get, run, text};

/// The token of a service that is registered as the manual says.
fn token(folder: &Path, address: &str) -> String {
    let arguments = ["client", "create", "--name", "Orders API", "--grant", "client_credentials"];
    let more = ["--scope", "doorward:revocations", "--auth-method", "client_secret_post", "--json"];
    let output = run(folder, &[&arguments[..], &more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let form = format!(
        "grant_type=client_credentials&scope=doorward:revocations&client_id={}&client_secret={}",
        made["client_id"].as_str().unwrap(),
        made["client_secret"].as_str().unwrap()
    );
    let request = format!(
        "POST /oauth2/token HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    );
    body(&exchange(address, &request))["access_token"].as_str().unwrap().to_owned()
}

/// What a page says behind `cursor`, waiting for news. The server looks the first time soon after it has started.
fn page(address: &str, token: &str, cursor: &str) -> Value {
    loop {
        let answer = exchange(
            address,
            &format!(
                "GET /oauth2/revocations?wait=20&cursor={cursor} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                 authorization: Bearer {token}\r\n\r\n"
            ),
        );
        if answer.starts_with("HTTP/1.1 503") {
            continue;
        }
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let payload = answer.split_once("\r\n\r\n").unwrap().1.split('.').nth(1).unwrap();
        return serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    }
}

fn kinds(page: &Value) -> Vec<&str> {
    page["revoked"].as_array().unwrap().iter().map(|entry| entry[0].as_str().unwrap()).collect()
}

fn sign_out(address: &str) {
    let held = body(&sign_in(address, "ann@example.com"))["access_token"].as_str().unwrap().to_owned();
    let answer = exchange(
        address,
        &format!(
            "POST /api/v1/logout HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {held}\r\n\
             content-length: 0\r\n\r\n"
        ),
    );
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

fn a_service_hears_what_is_revoked_while_it_waits(folder: &Path) {
    let server = Server::start(folder);
    assert_eq!(create(folder, "ann@example.com", PASSWORD, &["--verified"]).status.code(), Some(0));
    let (token, address) = (token(folder, &server.public), server.public.clone());
    sign_out(&address);
    let first = page(&address, &token, "");
    assert_eq!(kinds(&first), ["session"]);
    let mut cursor = first["cursor"].as_str().unwrap().to_owned();
    let by_command = || {
        assert_eq!(run(folder, &["user", "disable", "ann@example.com"]).status.code(), Some(0));
    };
    // Whoever has not connected yet cannot any more.
    let by_signal = || {
        let waits = || get(&server.operations, "/metrics").contains("revocation_feed_waiters 1").then_some(());
        soon(folder, waits);
        server.signal("-TERM");
    };
    let ends: [(&str, &dyn Fn()); 3] =
        [("session", &|| sign_out(&address)), ("subject", &by_command), ("", &by_signal)];
    for (kind, end) in ends {
        let (at, shown, behind) = (address.clone(), token.clone(), cursor.clone());
        let waiting = std::thread::spawn(move || page(&at, &shown, &behind));
        end();
        let heard = waiting.join().unwrap();
        assert!(if kind.is_empty() { heard["revoked"] == json!([]) } else { kinds(&heard).contains(&kind) }, "{heard}");
        heard["cursor"].as_str().unwrap().clone_into(&mut cursor);
    }
    assert_eq!(server.exit_code(), Some(0));
}

/// Proves: S-31, S-74, S-193, A-183
#[test]
fn a_service_hears_what_is_revoked_while_it_waits_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    a_service_hears_what_is_revoked_while_it_waits(folder.path());
}

/// Proves: S-31, S-74, S-193, A-183
#[test]
fn a_service_hears_what_is_revoked_while_it_waits_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let _database = Database::configured_in(folder.path());
    a_service_hears_what_is_revoked_while_it_waits(folder.path());
}
