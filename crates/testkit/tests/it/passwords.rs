//! `/api/v1/password/forgot`, `…/reset` and `…/change`.

use doorward_model::time::{HOUR_MS, MINUTE_MS};
use doorward_testkit::{World, both};
use http::Method;
use serde_json::json;

use crate::people::{AWAY, HOME, OTHER_PASSWORD, OWNER, PASSWORD, WRONG_PASSWORD, stranger};

/// Proves: A-3, V6.3.8
#[test]
fn forgot_answers_the_same_for_unknown_known_and_disabled() {
    both(async |world| {
        let operator = world.operator();
        operator.create_user(OWNER, PASSWORD).await;
        let disabled = operator.create_user("disabled@example.org", PASSWORD).await;
        operator.disable(disabled).await;
        let mut shapes = Vec::new();
        for (number, email) in [OWNER, "disabled@example.org", "unknown@example.org"].into_iter().enumerate() {
            let client = world.api(&stranger(number));
            let answer = client.post("/api/v1/password/forgot", &json!({ "email": email })).await.expect(202);
            shapes.push(answer.shape());
        }
        assert_eq!(shapes[0], shapes[1]);
        assert_eq!(shapes[0], shapes[2]);
        let receivers: Vec<_> = world.letters().await.into_iter().map(|letter| letter.to).collect();
        assert_eq!(receivers, [OWNER]);
    });
}

/// Proves, S-10, V6.3.7, V7.4.3
#[test]
fn a_reset_works_once_ends_every_session_and_signs_nobody_in() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut application = world.api(HOME);
        application.sign_in(OWNER, PASSWORD).await.expect(200);
        let mut browser = world.browser(HOME);
        browser.sign_in(OWNER, PASSWORD).await.expect(200);
        let token = application.reset_token(OWNER).await;
        application.reset(&token, "short").await.expect_problem(422, "validation_failed");
        let answer = world.api(HOME).reset(&token, OTHER_PASSWORD).await.expect(204);
        assert!(answer.cookies().iter().all(|(name, _)| name == "__Host-doorward-device"), "nobody is signed in");
        application.get("/api/v1/me").await.expect(401);
        application.renew().await.expect(401);
        browser.fetch(Method::GET, "/api/v1/me", None).await.expect(401);
        application.reset(&token, WRONG_PASSWORD).await.expect_problem(400, "invalid_token");
        let client = world.api(HOME);
        client.login(OWNER, PASSWORD).await.expect_problem(401, "invalid_credentials");
        client.login(OWNER, OTHER_PASSWORD).await.expect(200);
        let subjects: Vec<_> = world.letters_to(OWNER).await.into_iter().map(|letter| letter.subject).collect();
        let told = subjects.iter().filter(|subject| subject.contains("password")).count();
        assert!(told >= 2, "the link, and that it was used: {subjects:?}");
    });
}

/// Proves: A-57, V6.5.1, V2.3.4, V15.4.2
#[test]
fn of_twenty_resets_with_one_link_one_counts() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let token = world.api(HOME).reset_token(OWNER).await;
        let mut resets = tokio::task::JoinSet::new();
        for number in 0..20 {
            let (client, token) = (world.api(&stranger(number)), token.clone());
            let password = format!("{number} gulls over a {number} harbour wall");
            resets.spawn(async move { (client.reset(&token, &password).await.status.as_u16(), password) });
        }
        let answers = resets.join_all().await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(status, _)| *status == 204);
        assert!(won.len() == 1 && lost.iter().all(|(status, _)| *status == 400), "{won:?} {lost:?}");
        world.api(HOME).login(OWNER, &won[0].1).await.expect(200);
        world.api(&stranger(30)).login(OWNER, &lost[0].1).await.expect(401);
    });
}

/// Proves: A-57
#[test]
fn a_reset_link_dies_after_an_hour_with_a_new_password_and_with_the_account_disabled() {
    both(async |world| {
        let operator = world.operator();
        let id = operator.create_user(OWNER, PASSWORD).await;
        let mut client = world.api(HOME);
        let late = client.reset_token(OWNER).await;
        world.advance(HOUR_MS + MINUTE_MS);
        client.reset(&late, OTHER_PASSWORD).await.expect_problem(400, "invalid_token");

        let before_change = client.reset_token(OWNER).await;
        client.sign_in(OWNER, PASSWORD).await.expect(200);
        let body = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
        client.post("/api/v1/password/change", &body).await.expect(204);
        client.reset(&before_change, WRONG_PASSWORD).await.expect_problem(400, "invalid_token");

        let before_disabling = client.reset_token(OWNER).await;
        operator.disable(id).await;
        client.reset(&before_disabling, WRONG_PASSWORD).await.expect_problem(400, "invalid_token");
        operator.enable(id).await;
        client.reset(&before_disabling, WRONG_PASSWORD).await.expect_problem(400, "invalid_token");
    });
}

/// Proves, S-232, V6.2.2, V6.3.7, V7.2.4, V7.4.3
#[test]
fn a_change_gives_this_browser_a_new_cookie_and_ends_every_other_session() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut here = world.browser(HOME);
        here.sign_in(OWNER, PASSWORD).await.expect(200);
        let mut there = world.browser(AWAY);
        there.sign_in(OWNER, PASSWORD).await.expect(200);
        let mut stale = here.clone();
        let body = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
        here.fetch(Method::POST, "/api/v1/password/change", Some(&body)).await.expect(204);
        assert_ne!(here.session_cookie(), stale.session_cookie());
        here.fetch(Method::GET, "/api/v1/me", None).await.expect(200);
        stale.fetch(Method::GET, "/api/v1/me", None).await.expect(401);
        there.fetch(Method::GET, "/api/v1/me", None).await.expect(401);
        let client = world.api(HOME);
        client.login(OWNER, PASSWORD).await.expect(401);
        client.login(OWNER, OTHER_PASSWORD).await.expect(200);
        let subjects: Vec<_> = world.letters_to(OWNER).await.into_iter().map(|letter| letter.subject).collect();
        assert!(subjects.iter().any(|subject| subject.contains("password")), "{subjects:?}");
    });
}

/// Whether the latest sign-in was one from a device that the account did not know.
async fn came_from_a_new_device(world: &World) -> bool {
    let events = world.events().await;
    let last = events.iter().rfind(|event| event.action == "session.sign_in").unwrap();
    last.data.contains("\"new_device\":true")
}

/// Proves: A-37, S-232
#[test]
fn a_new_password_forgets_every_device_but_the_one_that_set_it() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let (mut here, mut there) = (world.browser(HOME), world.browser(AWAY));
        for browser in [&mut here, &mut there] {
            browser.sign_in(OWNER, PASSWORD).await.expect(200);
            browser.jar.remove("__Host-doorward");
            browser.sign_in(OWNER, PASSWORD).await.expect(200);
            assert!(!came_from_a_new_device(world).await, "it is known by its cookie");
        }
        let body = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
        here.fetch(Method::POST, "/api/v1/password/change", Some(&body)).await.expect(204);
        for (browser, is_new) in [(&mut here, false), (&mut there, true)] {
            browser.jar.remove("__Host-doorward");
            browser.sign_in(OWNER, OTHER_PASSWORD).await.expect(200);
            assert_eq!(came_from_a_new_device(world).await, is_new, "after a change");
        }
        let token = world.api(HOME).reset_token(OWNER).await;
        world.api(HOME).reset(&token, PASSWORD).await.expect(204);
        for browser in [&mut here, &mut there] {
            browser.jar.remove("__Host-doorward");
            browser.sign_in(OWNER, PASSWORD).await.expect(200);
            assert!(came_from_a_new_device(world).await, "after a reset");
        }
    });
}

/// Proves: A-29, V6.2.3
#[test]
fn a_wrong_current_password_changes_nothing_and_is_counted() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut client = world.api(HOME);
        client.sign_in(OWNER, PASSWORD).await.expect(200);
        let wrong = json!({ "current_password": WRONG_PASSWORD, "new_password": OTHER_PASSWORD });
        let mut statuses = Vec::new();
        for _ in 0..30 {
            let answer = client.post("/api/v1/password/change", &wrong).await;
            if answer.status.as_u16() == 401 {
                assert_eq!(answer.code(), "invalid_credentials");
            }
            statuses.push(answer.status.as_u16());
        }
        let looked_at = statuses.iter().filter(|status| **status == 401).count();
        assert!((5..=12).contains(&looked_at), "{statuses:?}");
        assert_eq!(statuses.last(), Some(&429));
        let missing = client.post("/api/v1/password/change", &json!({ "new_password": OTHER_PASSWORD })).await;
        missing.expect_problem(422, "validation_failed");
        world.api(HOME).login(OWNER, PASSWORD).await.expect(200);
    });
}

/// Proves: A-24, V6.2.1, V6.2.4, S-109, S-126
#[test]
fn the_same_passwords_are_refused_at_sign_up_change_and_reset() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut client = world.api(HOME);
        client.sign_in(OWNER, PASSWORD).await.expect(200);
        let token = client.reset_token(OWNER).await;
        let too_long = "x".repeat(257);
        for weak in ["12345678", "Password1!Password1!", "qwertyuiopasdfgh", "owner@example.org", &too_long] {
            let refused = client.sign_up(OWNER, weak).await.expect_problem(422, "validation_failed");
            let reset = client.reset(&token, weak).await.expect_problem(422, "validation_failed");
            let body = json!({ "current_password": PASSWORD, "new_password": weak });
            let change = client.post("/api/v1/password/change", &body).await.expect_problem(422, "validation_failed");
            let codes = |answer: &doorward_testkit::Answer| -> Vec<String> {
                answer.complaints().into_iter().map(|(_, code)| code).collect()
            };
            assert!(!codes(&refused).is_empty());
            assert_eq!(codes(&reset), codes(&refused), "{weak}");
            assert_eq!(codes(&change), codes(&refused), "{weak}");
        }
        client.reset(&token, OTHER_PASSWORD).await.expect(204);
    });
}
