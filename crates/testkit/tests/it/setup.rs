//! `/setup`: the first administrator by the one-time link.

use doorward_model::time::{HOUR_MS, SECOND_MS};
use doorward_store::Statement;
use doorward_testkit::both;
use serde_json::json;

use crate::people::{AWAY, HOME, OTHER_PASSWORD, OWNER, PASSWORD, count, stranger};

static COUNT_USERS: Statement = Statement::new("it::setup::COUNT_USERS", "SELECT count(*) FROM users");

/// Proves: A-170, V6.3.2
#[test]
fn nobody_is_known_before_the_first_administrator() {
    both(async |world| {
        assert_eq!(count(world, &COUNT_USERS).await, 0);
        for email in ["admin", "root", "admin@localhost", "admin@example.com", "administrator@auth.example.test", "sa"]
        {
            for password in ["", "admin", "root", "test", "password", "doorward", "changeme"] {
                // A fresh minute and network for each, so that no limit answers instead.
                world.advance(HOUR_MS);
                let answer = world.api(&stranger(email.len() * 10 + password.len())).login(email, password).await;
                assert!([401, 422].contains(&answer.status.as_u16()), "{email} {password}: {}", answer.text());
            }
        }
        // Without the link the page offers nothing, and a guessed link is none.
        for path in ["/setup", "/setup?token=", "/setup?token=dwo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let mut browser = world.browser(AWAY);
            browser.open(path).await;
            assert!(!browser.has_form("/setup"), "{path}");
        }
        assert_eq!(count(world, &COUNT_USERS).await, 0);
    });
}

/// Proves: V6.3.2, V6.4.1
#[test]
fn the_link_makes_one_administrator_and_then_no_other() {
    both(async |world| {
        let link = world.operator().administrator_link().await.unwrap();
        let mut late = world.browser(AWAY);
        late.open(&link).await.expect(200);
        let mut first = world.browser(HOME);
        for _ in 0..3 {
            first.open(&link).await.expect(200);
            assert!(first.has_form("/setup") && !first.location.contains("token="));
        }
        first.submit("/setup", &[("email", OWNER), ("password", PASSWORD)]).await.expect(200);
        assert!(first.location.starts_with("/login"), "{}", first.location);
        let mut client = world.api(HOME);
        client.sign_in(OWNER, PASSWORD).await.expect(200);
        assert_eq!(client.get("/api/v1/me").await.expect(200).json()["is_admin"], json!(true));
        late.submit("/setup", &[("email", "late@example.org"), ("password", OTHER_PASSWORD)]).await.expect(200);
        assert!(!late.location.starts_with("/login"), "{}", late.location);
        late.open(&link).await.expect(200);
        assert!(!late.has_form("/setup"));
        assert_eq!(count(world, &COUNT_USERS).await, 1);
        assert_eq!(world.operator().administrator_link().await, None);
    });
}

/// Proves: V6.3.2, V6.4.1, V15.4.2
#[test]
fn of_ten_who_use_the_link_at_once_one_becomes_the_administrator() {
    both(async |world| {
        let link = world.operator().administrator_link().await.unwrap();
        let mut browsers = Vec::new();
        for number in 0..10 {
            let mut browser = world.browser(&stranger(number));
            browser.open(&link).await.expect(200);
            browsers.push(browser);
        }
        let mut users = tokio::task::JoinSet::new();
        for (number, mut browser) in browsers.into_iter().enumerate() {
            users.spawn(async move {
                let email = format!("admin{number}@example.org");
                browser.submit("/setup", &[("email", &email), ("password", PASSWORD)]).await.expect(200);
                browser.location.starts_with("/login")
            });
        }
        assert_eq!(users.join_all().await.into_iter().filter(|made| *made).count(), 1);
        assert_eq!(count(world, &COUNT_USERS).await, 1);
    });
}

/// Proves: V6.4.1
#[test]
fn the_link_works_for_an_hour_and_not_after_a_newer_one() {
    both(async |world| {
        let older = world.operator().administrator_link().await.unwrap();
        let newer = world.operator().administrator_link().await.unwrap();
        let mut browser = world.browser(HOME);
        browser.open(&older).await.expect(200);
        assert!(!browser.has_form("/setup"));
        world.advance(HOUR_MS - 30 * SECOND_MS);
        browser.open(&newer).await.expect(200);
        assert!(browser.has_form("/setup"));
        world.advance(31 * SECOND_MS);
        browser.submit("/setup", &[("email", OWNER), ("password", PASSWORD)]).await.expect(200);
        browser.open(&newer).await.expect(200);
        assert!(!browser.has_form("/setup"));
        assert_eq!(count(world, &COUNT_USERS).await, 0);
    });
}
