//! The disk is full, the database is gone: what people and applications see, and that it passes by itself.

use std::time::Duration;

use doorward_store::Statement;
use doorward_testkit::{Answer, ApiClient, Browser, Engine, World, only_on};
use http::{Method, header};
use serde_json::json;

use crate::people::{HOME, OWNER, PASSWORD, count};

static COUNT_PENDING: Statement =
    Statement::new("it::faults::COUNT_PENDING", "SELECT count(*) FROM pending_signups WHERE email LIKE 'new%'");
static COUNT_SESSIONS: Statement = Statement::new("it::faults::COUNT_SESSIONS", "SELECT count(*) FROM sessions");
static COUNT_EVENTS: Statement = Statement::new("it::faults::COUNT_EVENTS", "SELECT count(*) FROM events");
/// A page of the database holds a few rows of each kind, so this many always fill it.
const MOST_CALLS: usize = 300;
/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(30);

struct Owner {
    client: ApiClient,
    browser: Browser,
}

/// Somebody with an account, signed in by the API and in a browser that shows a form.
async fn owner(world: &World) -> Owner {
    let mut client = world.api(HOME);
    client.make_account(OWNER, PASSWORD).await;
    client.sign_in(OWNER, PASSWORD).await.expect(200);
    let mut browser = world.browser(HOME);
    browser.sign_in(OWNER, PASSWORD).await.expect(200);
    Owner { client, browser }
}

fn is_unavailable(answer: &Answer) -> bool {
    if answer.status.is_success() {
        return false;
    }
    // The common check has seen the form of the problem and its `Retry-After`.
    answer.clone().expect_problem(503, "unavailable");
    true
}

fn assert_unavailable_page(answer: &Answer) {
    let answer = answer.clone().expect(503);
    assert!(answer.header(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html")));
    assert!(answer.header(header::RETRY_AFTER).is_some_and(|after| after.parse::<u32>().is_ok_and(|s| s > 0)));
    assert!(answer.text().contains("<h1"), "{}", answer.text());
    for inner in ["SQLITE", "sqlite", "postgres", "StoreError", "database or disk"] {
        assert!(!answer.text().contains(inner), "{inner}: {}", answer.text());
    }
}

/// Calls until the database has no place left; returns how many calls succeeded.
async fn until_full(call: impl AsyncFn(usize) -> Answer) -> usize {
    let mut number = 0;
    while !is_unavailable(&call(number).await) {
        number += 1;
        assert!(number < MOST_CALLS, "{number} calls fit into a file that cannot grow");
    }
    number
}

/// Calls until the server has noticed that the database is back; until then it says that it cannot answer.
async fn until_back(call: impl AsyncFn() -> Answer) {
    let waiting = async {
        while is_unavailable(&call().await) {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(SOON, waiting).await.is_ok(), "it does not recover by itself");
}

/// Proves: A-151, S-228, V2.3.3
#[test]
fn a_full_disk_is_answered_503_spares_what_only_reads_and_passes_by_itself() {
    only_on(Engine::Sqlite, async |world| {
        let Owner { mut client, mut browser } = owner(world).await;
        world.fill_disk().await;
        let sign_up = async |number: usize| client.sign_up(&format!("new{number}@example.org"), PASSWORD).await;
        let made = until_full(sign_up).await;
        let (rows, sessions) = (count(world, &COUNT_PENDING).await, count(world, &COUNT_SESSIONS).await);
        assert_eq!(usize::try_from(rows).unwrap(), made, "what was refused left nothing behind");
        let signed_in = until_full(async |_| world.api(HOME).login(OWNER, PASSWORD).await).await;
        assert_eq!(count(world, &COUNT_SESSIONS).await - sessions, i64::try_from(signed_in).unwrap());
        let rename = async |number: usize| {
            let name = format!("Name {number} {}", "x".repeat(80));
            client.call(Method::PATCH, "/api/v1/me", Some(&json!({ "name": name }))).await
        };
        let renamed = until_full(rename).await;
        let events = count(world, &COUNT_EVENTS).await;
        assert!(is_unavailable(&rename(renamed + 1).await));
        assert_eq!(count(world, &COUNT_EVENTS).await, events, "a refused change is not recorded as done");

        browser.open("/account").await.expect(200);
        let refused = browser.submit("/account", &[("name", &"y".repeat(90))]).await;
        assert_unavailable_page(&refused);
        let name = client.get("/api/v1/me").await.expect(200).string("name");
        assert!(name.starts_with(&format!("Name {} ", renamed - 1)), "{name}");
        client.get("/api/v1/sessions").await.expect(200);
        world.browser(HOME).open("/login").await.expect(200);
        world.assert_intact().await;

        world.free_disk().await;
        sign_up(made).await.expect(202);
        rename(renamed).await.expect(200);
        client.renew().await.expect(200);
        client.sign_in(OWNER, PASSWORD).await.expect(200);
        browser.open("/account").await.expect(200);
        browser.submit("/account", &[("name", "Ada")]).await.expect(200);
        assert_eq!(client.get("/api/v1/me").await.expect(200).string("name"), "Ada");
        world.assert_intact().await;
    });
}

/// Proves: A-151, S-228, V16.3.4, V16.5.2
#[test]
fn a_database_that_is_gone_is_answered_503_everywhere_until_it_is_back() {
    only_on(Engine::Postgres, async |world| {
        let Owner { mut client, mut browser } = owner(world).await;
        browser.open("/account").await.expect(200);
        let (sessions, events) = (count(world, &COUNT_SESSIONS).await, count(world, &COUNT_EVENTS).await);
        let sign_up = async |client: &ApiClient| client.sign_up("new@example.org", PASSWORD).await;
        let refresh_token = client.refresh_token.clone().unwrap();
        let forgot = json!({ "email": OWNER });
        world.take_database_away();
        // More often than there are connections, so that each one has noticed.
        for _ in 0..10 {
            for answer in [
                sign_up(&client).await,
                world.api(HOME).login(OWNER, PASSWORD).await,
                world.api(HOME).post("/api/v1/password/forgot", &forgot).await,
                client.renew_with(&refresh_token).await,
                client.get("/api/v1/me").await,
                client.get("/api/v1/sessions").await,
                client.call(Method::PATCH, "/api/v1/me", Some(&json!({ "name": "Ada" }))).await,
                client.post("/api/v1/logout", &json!({})).await,
            ] {
                assert!(is_unavailable(&answer), "{answer:?}");
            }
        }
        let answer = client.get("/api/v1/me").await;
        let line = world.canaries().line_saying("a request failed").unwrap();
        assert_eq!((&line["level"], &line["fields"]["code"]), (&json!("ERROR"), &json!("unavailable")), "{line}");
        assert_eq!(line["span"]["request.id"].as_str(), answer.header("x-request-id"), "{line}");
        let typed = [("name", "Ada")];
        assert_unavailable_page(&browser.submit("/account", &typed).await);
        assert_unavailable_page(&browser.open("/account").await);
        let mut other = world.browser(HOME);
        other.open("/login").await.expect(200);
        assert_unavailable_page(&other.submit("/login", &[("email", OWNER), ("password", PASSWORD)]).await);

        world.give_database_back();
        until_back(async || sign_up(&client).await).await;
        // Nobody was signed out and nothing half done: the same credentials go on as if nothing had been.
        client.renew().await.expect(200);
        client.get("/api/v1/me").await.expect(200);
        browser.open("/account").await.expect(200);
        browser.submit("/account", &typed).await.expect(200);
        assert_eq!(client.get("/api/v1/me").await.expect(200).string("name"), "Ada");
        assert_eq!(count(world, &COUNT_PENDING).await, 1);
        assert_eq!(count(world, &COUNT_SESSIONS).await, sessions);
        assert_eq!(count(world, &COUNT_EVENTS).await, events + 2, "one sign-up and one change of a name");
        client.sign_in(OWNER, PASSWORD).await.expect(200);
    });
}
