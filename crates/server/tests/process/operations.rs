//! What a running server tells its operators: readiness, metrics, and the file for whoever finds a weakness.

use crate::operator::{create, sign_in};
use crate::{Server, get};

/// Metrics that operators may build alerts on, after one account was made and one sign-in refused and one done.
const METRICS: [&str; 14] = [
    "http_requests_total{",
    "http_request_seconds_bucket{",
    "sign_ins_total{method=\"password\",outcome=\"success\"} 1",
    "sign_ins_total{method=\"password\",outcome=\"refused\"} 1",
    "events_total{action=\"session.sign_in\",outcome=\"success\"} 1",
    "events_total{action=\"session.sign_in\",outcome=\"refused\"} 1",
    "password_hash_seconds_bucket{",
    "password_hash_queue_length ",
    "store_pool_in_use ",
    "store_waiting ",
    "store_write_batch_size_bucket{",
    "deliveries_waiting ",
    "deliveries_dead ",
    "process_resident_memory_bytes ",
];

/// Proves: S-102
#[test]
fn a_running_server_says_what_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let made = create(folder.path(), "ann@example.com", crate::operator::PASSWORD, &[]);
    assert_eq!(made.status.code(), Some(0), "{}", crate::text(&made.stderr));
    assert!(sign_in(&server.public, "nobody@example.com").starts_with("HTTP/1.1 401"));
    assert!(sign_in(&server.public, "ann@example.com").starts_with("HTTP/1.1 200"));
    let ready = get(&server.operations, "/readyz");
    for check in ["running", "database", "keys", "clock"] {
        assert!(ready.contains(&format!(r#"{{"name":"{check}","ok":true}}"#)), "{check}: {ready}");
    }
    let metrics = get(&server.operations, "/metrics");
    for name in METRICS {
        assert!(metrics.lines().any(|line| line.starts_with(name)), "{name} is missing in\n{metrics}");
    }
    assert!(!metrics.contains("ann@example.com") && !metrics.contains("nobody"));
}

/// Proves: A-172
#[test]
fn nothing_that_was_not_meant_to_be_served_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    for path in [
        "/.git/HEAD",
        "/.git/config",
        "/.env",
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
        "/assets/app.css.map",
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
