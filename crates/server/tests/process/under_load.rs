//! A server that is told to stop, or whose database stands still, while people use it.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::operations::post;
use crate::operator::{PASSWORD, body, create, sign_in, soon, who_am_i};
use crate::postgres::Database;
use crate::{Server, doorward, get};

/// Applications that renew at the same time.
const HOLDERS: usize = 6;
/// So many renewals happen before the server is told to stop.
const BEFORE_STOPPING: usize = 60;
/// More calls than there are connections to the database.
const AT_ONCE: usize = 200;

fn serve(folder: &Path) -> Server {
    let mut command = doorward(folder);
    // They all come from one address.
    command.env("DOORWARD_LIMITS__SCALE", "1000");
    let mut server = Server::spawn(command);
    // Somebody reads the log, or the server waits for them.
    let lines = std::mem::replace(&mut server.lines, Box::new(std::iter::empty()));
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    server
}

/// The answer, or none when the server is not there any more.
fn try_post(address: &str, path: &str, content: &Value) -> Option<String> {
    let (address, path, content) = (address.to_owned(), path.to_owned(), content.clone());
    let answer = std::thread::spawn(move || post(&address, &path, &content)).join().ok()?;
    answer.contains("\r\n\r\n").then_some(answer)
}

/// Renews until the server is gone; returns the last token that arrived.
fn renew_until_it_ends(address: &str, first: String, renewed: &AtomicUsize) -> String {
    let mut token = first;
    while let Some(answer) = try_post(address, "/api/v1/token", &json!({ "refresh_token": token })) {
        if answer.starts_with("HTTP/1.1 200") {
            body(&answer)["refresh_token"].as_str().unwrap().clone_into(&mut token);
        } else {
            // The family's own limit; nothing was used up.
            assert!(answer.starts_with("HTTP/1.1 429") || answer.starts_with("HTTP/1.1 503"), "{answer}");
        }
        renewed.fetch_add(1, Ordering::Relaxed);
    }
    token
}

fn no_token_is_lost_or_doubled_when_the_server_stops(folder: &Path) {
    assert_eq!(create(folder, "ann@example.com", PASSWORD, &[]).status.code(), Some(0));
    let server = serve(folder);
    let first = |_| body(&sign_in(&server.public, "ann@example.com"))["refresh_token"].as_str().unwrap().to_owned();
    let held: Vec<String> = (0..HOLDERS).map(first).collect();
    let renewed = AtomicUsize::new(0);
    let last: Vec<String> = std::thread::scope(|scope| {
        let (address, renewed) = (server.public.as_str(), &renewed);
        let holders: Vec<_> =
            held.into_iter().map(|token| scope.spawn(move || renew_until_it_ends(address, token, renewed))).collect();
        while renewed.load(Ordering::Relaxed) < BEFORE_STOPPING {
            std::thread::yield_now();
        }
        server.signal("-TERM");
        holders.into_iter().map(|holder| holder.join().unwrap()).collect()
    });
    assert_eq!(server.exit_code(), Some(0));
    let server = serve(folder);
    for token in &last {
        let answer = soon(folder, || {
            let answer = post(&server.public, "/api/v1/token", &json!({ "refresh_token": token }));
            (!answer.starts_with("HTTP/1.1 429")).then_some(answer)
        });
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let access = body(&answer)["access_token"].as_str().unwrap().to_owned();
        assert!(who_am_i(&server.public, &access).starts_with("HTTP/1.1 200"));
    }
    assert!(get(&server.operations, "/metrics").contains("\ntoken_reuse_total 0\n"));
    server.signal("-TERM");
    assert_eq!(server.exit_code(), Some(0));
}

/// Proves: A-182
#[test]
fn no_token_is_lost_or_doubled_when_the_server_stops_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    no_token_is_lost_or_doubled_when_the_server_stops(folder.path());
}

/// Proves: A-182
#[test]
fn no_token_is_lost_or_doubled_when_the_server_stops_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let _database = Database::configured_in(folder.path());
    no_token_is_lost_or_doubled_when_the_server_stops(folder.path());
}

/// Proves: A-148
#[test]
fn a_database_that_stands_still_is_answered_503_and_passes_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::configured_in(folder.path());
    assert_eq!(create(folder.path(), "ann@example.com", PASSWORD, &[]).status.code(), Some(0));
    let server = serve(folder.path());
    assert!(sign_in(&server.public, "ann@example.com").starts_with("HTTP/1.1 200"));
    let mut other = database.connect();
    let mut standstill = other.transaction().unwrap();
    standstill.batch_execute("LOCK TABLE users, attempts IN ACCESS EXCLUSIVE MODE").unwrap();
    std::thread::scope(|scope| {
        let address = server.public.as_str();
        let asked: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(|| sign_in(address, "ann@example.com"))).collect();
        // What needs no database is answered meanwhile.
        assert!(get(address, "/.well-known/jwks.json").starts_with("HTTP/1.1 200"));
        assert!(get(&server.operations, "/livez").starts_with("HTTP/1.1 200"));
        for answer in asked {
            let answer = answer.join().unwrap();
            assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
            assert!(answer.contains("\r\nretry-after: "), "{answer}");
        }
    });
    standstill.rollback().unwrap();
    let answer = soon(folder.path(), || {
        let answer = sign_in(&server.public, "ann@example.com");
        (!answer.starts_with("HTTP/1.1 503")).then_some(answer)
    });
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.signal("-TERM");
    assert_eq!(server.exit_code(), Some(0));
}
