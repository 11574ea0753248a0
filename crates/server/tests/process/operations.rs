//! What a running server tells its operators: readiness, metrics, and the file for whoever finds a weakness.

use std::path::Path;

use serde_json::{Value, json};

use crate::operator::{PASSWORD, body, sign_in, soon, who_am_i};
use crate::{Server, exchange, get};

/// What operators may build alerts on: every family with its type.
const FAMILIES: [(&str, &str); 20] = [
    ("http_requests_total", "counter"),
    ("http_request_seconds", "histogram"),
    ("sign_ins_total", "counter"),
    ("token_validation_seconds", "histogram"),
    ("password_hash_seconds", "histogram"),
    ("password_hash_queue_seconds", "histogram"),
    ("password_hash_queue_length", "gauge"),
    ("token_renewals_total", "counter"),
    ("token_reuse_total", "counter"),
    ("users_created_total", "counter"),
    ("store_pool_in_use", "gauge"),
    ("store_waiting", "gauge"),
    ("store_write_batch_size", "histogram"),
    ("events_total", "counter"),
    ("deliveries_total", "counter"),
    ("deliveries_waiting", "gauge"),
    ("deliveries_dead", "gauge"),
    ("revocation_feed_entries", "gauge"),
    ("revocation_feed_waiters", "gauge"),
    ("panics_total", "counter"),
];
/// What they say after one sign-up that was confirmed, one sign-in refused and one done, and one renewal.
const COUNTED: [&str; 13] = [
    "users_created_total 1",
    "password_hash_seconds_count{operation=\"verify\"} 2",
    "sign_ins_total{method=\"password\",outcome=\"success\"} 1",
    "sign_ins_total{method=\"password\",outcome=\"refused\"} 1",
    "events_total{action=\"session.sign_in\",outcome=\"success\"} 1",
    "events_total{action=\"session.sign_in\",outcome=\"refused\"} 1",
    "token_renewals_total 1",
    "token_reuse_total 0",
    "panics_total 0",
    "deliveries_total{outcome=\"sent\"} 1",
    "mails_sent_total{transport=\"file\",outcome=\"sent\"} 1",
    "http_requests_total{route=\"/api/v1/login\",method=\"POST\",status=\"401\"} 1",
    "token_validation_seconds_count{credential=\"access_token\",outcome=\"valid\"} 1",
];

/// The answer to a JSON body.
pub(crate) fn post(address: &str, path: &str, body: &Value) -> String {
    let body = body.to_string();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    );
    exchange(address, &(head + &body))
}

/// Signs up, reads the mail's code from its file and confirms.
pub(crate) fn make_account(folder: &Path, address: &str, email: &str) {
    let answer = post(address, "/api/v1/signup", &json!({"email": email, "password": PASSWORD}));
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let verification = body(&answer)["verification"].clone();
    let mail = soon(folder, || {
        let mut files = std::fs::read_dir(folder.join("doorward-data/mail")).ok()?.map(|entry| entry.unwrap().path());
        let complete = files.find(|path| path.extension().is_some_and(|kind| kind == "eml"))?;
        Some(std::fs::read_to_string(complete).unwrap())
    });
    let code = mail.lines().map(str::trim).find(|line| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit()));
    let confirmation = json!({"verification": verification, "code": code.expect("the mail has a code")});
    let answer = post(address, "/api/v1/email-verifications/confirm", &confirmation);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Proves: S-102, S-24, S-201, S-202
#[test]
fn a_running_server_says_what_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    make_account(folder.path(), &server.public, "ann@example.com");
    assert!(sign_in(&server.public, "nobody@example.com").starts_with("HTTP/1.1 401"));
    let session = sign_in(&server.public, "ann@example.com");
    assert!(session.starts_with("HTTP/1.1 200"), "{session}");
    let session = body(&session);
    assert!(who_am_i(&server.public, session["access_token"].as_str().unwrap()).starts_with("HTTP/1.1 200"));
    let renewed = post(&server.public, "/api/v1/token", &json!({"refresh_token": session["refresh_token"]}));
    assert!(renewed.starts_with("HTTP/1.1 200"), "{renewed}");
    let ready = get(&server.operations, "/readyz");
    for check in ["running", "database", "keys", "clock"] {
        assert!(ready.contains(&format!(r#"{{"name":"{check}","ok":true}}"#)), "{check}: {ready}");
    }
    // The gauges are set every few seconds, and a delivery is counted a moment after its mail is there.
    let metrics = soon(folder.path(), || {
        let metrics = get(&server.operations, "/metrics");
        (metrics.contains("\ndeliveries_dead ") && metrics.contains("\ndeliveries_total{")).then_some(metrics)
    });
    for (family, kind) in FAMILIES {
        assert!(metrics.contains(&format!("# HELP {family} ")), "{family} is not explained in\n{metrics}");
        assert!(metrics.contains(&format!("# TYPE {family} {kind}\n")), "{family} is no {kind} in\n{metrics}");
    }
    for line in COUNTED {
        assert!(metrics.lines().any(|found| found == line), "{line} is missing in\n{metrics}");
    }
    for family in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let family = family.split(' ').next().unwrap();
        assert!(metrics.contains(&format!("# HELP {family} ")), "{family} is not explained");
    }
    assert!(!metrics.contains("ann@example.com") && !metrics.contains("nobody@example.com"));
}

/// A relay that is not there, and one that takes the connection and says nothing: people do not notice either.
///
/// Proves: A-151, V16.5.2
#[test]
fn a_dead_or_silent_relay_slows_no_request() {
    let relay = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = relay.local_addr().unwrap().port();
    // Nothing listens on port 1 of this machine.
    for port in [1, port] {
        let folder = tempfile::tempdir().unwrap();
        let relay_settings =
            format!("[mail]\ntransport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\nencryption = \"none\"\n");
        std::fs::write(folder.path().join("doorward.toml"), relay_settings).unwrap();
        let server = Server::start(folder.path());
        let sign_up = |email: &str| {
            let answer = post(&server.public, "/api/v1/signup", &json!({"email": email, "password": PASSWORD}));
            assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        };
        sign_up("ann@example.com");
        let silent = if port == 1 {
            let tried = "mails_sent_total{transport=\"smtp\",outcome=\"transient\"} ";
            soon(folder.path(), || get(&server.operations, "/metrics").contains(tried).then_some(()));
            None
        } else {
            // The server is talking to the relay from here on, and gets no word for as long as this lives.
            Some(relay.accept().unwrap())
        };
        for number in 0..5 {
            sign_up(&format!("ben{number}@example.com"));
        }
        assert!(sign_in(&server.public, "nobody@example.com").starts_with("HTTP/1.1 401"));
        assert!(get(&server.operations, "/readyz").starts_with("HTTP/1.1 200"), "mail is no reason to be unready");
        let waiting = soon(folder.path(), || {
            let metrics = get(&server.operations, "/metrics");
            let line = metrics.lines().find_map(|line| line.strip_prefix("deliveries_waiting "))?;
            line.parse::<u32>().ok().filter(|waiting| *waiting == 6)
        });
        assert_eq!(waiting, 6, "nothing is lost");
        drop(silent);
    }
}

/// Proves: A-172, V13.4.1, V13.4.2, V13.4.3, V13.4.7
#[test]
fn nothing_that_was_not_meant_to_be_served_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    for path in [
        "/.git/HEAD",
        "/.git/config",
        "/.env",
        "/.dockerignore",
        "/Cargo.toml",
        "/config.toml",
        "/doorward.toml",
        "/doorward-data/doorward.db",
        "/doorward.db",
        "/master.key",
        "/admin-link",
        "/debug/pprof",
        "/metrics",
        "/livez",
        "/readyz",
        "/server-status",
        "/login.bak",
        "/login~",
        "/login.old",
        "/index.html.swp",
        "/static/",
        "/assets",
        "/assets/",
        "/assets/app.css.map",
        "/assets/views.rs",
        "/assets/../doorward.toml",
        "/assets/%2e%2e/%2e%2e/doorward.toml",
        "/backup.zip",
    ] {
        assert!(get(&server.public, path).starts_with("HTTP/1.1 404"), "{path}");
    }
}

/// Proves: S-272
#[test]
fn security_txt_is_served_as_soon_as_there_is_a_contact() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    assert!(get(&server.public, "/.well-known/security.txt").starts_with("HTTP/1.1 404"));
    server.signal("-TERM");
    assert_eq!(server.exit_code(), Some(0));
    let contact = "[security]\ncontact = \"mailto:security@example.com\"\n";
    std::fs::write(folder.path().join("doorward.toml"), contact).unwrap();
    let server = Server::start(folder.path());
    let answer = get(&server.public, "/.well-known/security.txt");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for line in [
        "content-type: text/plain; charset=utf-8",
        "Contact: mailto:security@example.com",
        "Canonical: http://localhost:8080/.well-known/security.txt",
    ] {
        assert!(answer.lines().any(|found| found == line), "{line} is missing in\n{answer}");
    }
}
