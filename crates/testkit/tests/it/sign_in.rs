//! `/api/v1/login`.

use doorward_app::hashing::HashParameters;
use doorward_model::password::Password;
use doorward_model::time::DAY_MS;
use doorward_store::Statement;
use doorward_testkit::world::Request;
use doorward_testkit::{Setup, both, both_with};
use http::{Method, header};
use serde_json::json;

use crate::people::{AWAY, HOME, OTHER_PASSWORD, OWNER, PASSWORD, WRONG_PASSWORD, change, count, read_text, stranger};

static FORGET_PASSWORD: Statement = Statement::new("it::FORGET_PASSWORD", "DELETE FROM passwords WHERE user_id = $1");
static READ_PHC: Statement = Statement::new("it::READ_PHC", "SELECT phc FROM passwords");
static COUNT_ATTEMPTS: Statement = Statement::new("it::COUNT_ATTEMPTS", "SELECT count(*) FROM attempts");

/// Proves: A-1, S-23, V6.3.8, V6.3.4
#[test]
fn every_refusal_is_the_same_answer() {
    both(async |world| {
        let operator = world.operator();
        operator.create_user(OWNER, PASSWORD).await;
        let disabled = operator.create_user("disabled@example.org", PASSWORD).await;
        operator.disable(disabled).await;
        let without = operator.create_user("without@example.org", PASSWORD).await;
        change(world, &FORGET_PASSWORD, &without.to_string()).await;
        world.api(HOME).sign_up("pending@example.org", PASSWORD).await.expect(202);
        let before = world.app().hasher.gauges().computed;
        let cases = [
            ("unknown@example.org", PASSWORD),
            (OWNER, WRONG_PASSWORD),
            ("pending@example.org", PASSWORD),
            ("disabled@example.org", PASSWORD),
            ("without@example.org", PASSWORD),
            ("no address at all", PASSWORD),
        ];
        let mut shapes = Vec::new();
        for (number, (email, password)) in cases.into_iter().enumerate() {
            let answer = world.api(&stranger(number)).login(email, password).await;
            shapes.push(answer.expect_problem(401, "invalid_credentials").shape());
        }
        for (shape, (email, _)) in shapes.iter().zip(cases) {
            assert_eq!(*shape, shapes[0], "{email}");
        }
        assert_eq!(world.app().hasher.gauges().computed - before, 6, "each costs one hash");
    });
}

/// Proves: A-22, V6.2.8
#[test]
fn only_the_whole_password_signs_in() {
    let long = "seven herons crossed a marsh while copper lanterns swung above the quay and eleven badgers slept on!";
    assert_eq!(long.len(), 100);
    both(async |world| {
        world.operator().create_user(OWNER, long).await;
        let tries = [
            long[..72].to_owned(),
            long[..64].to_owned(),
            long[..99].to_owned(),
            format!("{long} "),
            format!(" {long}"),
            format!("{long}x"),
            long.to_uppercase(),
            long.replacen("seven", "Seven", 1),
        ];
        for (number, wrong) in tries.iter().enumerate() {
            let answer = world.api(&stranger(number)).login(OWNER, wrong).await;
            answer.expect_problem(401, "invalid_credentials");
        }
        world.api(&stranger(20)).login(OWNER, &format!("{long}\0")).await;
        world.api(HOME).login(OWNER, long).await.expect(200);
    });
}

/// Proves: A-22
#[test]
fn a_password_with_nul_behind_it_is_another_password() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let answer = world.api(HOME).login(OWNER, &format!("{PASSWORD}\0")).await;
        assert!([401, 422].contains(&answer.status.as_u16()), "{}", answer.text());
        assert!(answer.json().get("access_token").is_none());
    });
}

/// Proves: A-20, V6.2.9
#[test]
fn a_password_that_is_too_long_is_refused_before_anything_is_computed() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let client = world.api(HOME);
        let before = world.app().hasher.gauges().computed;
        client.login(OWNER, &"x".repeat(257)).await.expect_problem(422, "validation_failed");
        client.sign_up("new@example.org", &"x".repeat(257)).await.expect_problem(422, "validation_failed");
        client.login(OWNER, &"x".repeat(1 << 20)).await.expect_problem(413, "payload_too_large");
        client.sign_up("new@example.org", &"x".repeat(10 << 20)).await.expect_problem(413, "payload_too_large");
        assert_eq!(world.app().hasher.gauges().computed, before);
        client.login(OWNER, &"\u{1f980}".repeat(256)).await.expect_problem(401, "invalid_credentials");
        assert_eq!(world.app().hasher.gauges().computed, before + 1);
    });
}

/// Proves: A-25, V14.2.1
#[test]
fn nothing_in_an_address_signs_in() {
    both(async |world| {
        let mut owner = world.api(HOME);
        world.operator().create_user(OWNER, PASSWORD).await;
        owner.sign_in(OWNER, PASSWORD).await.expect(200);
        let access = owner.access_token.clone().unwrap();
        let password = PASSWORD.replace(' ', "%20");
        world.canaries().add(&password);
        let before = world.app().hasher.gauges().computed;
        let query = format!("email={OWNER}&password={password}");
        world.api(AWAY).get(&format!("/api/v1/login?{query}")).await.expect_problem(405, "method_not_allowed");
        let mut browser = world.browser(AWAY);
        let page = browser.open(&format!("/login?{query}")).await.expect(200);
        assert!(!page.text().contains(PASSWORD) && browser.session_cookie().is_none());
        world.api(AWAY).get(&format!("/api/v1/me?access_token={access}")).await.expect_problem(401, "invalid_token");
        let basic = Request::new(Method::POST, "/api/v1/login", AWAY)
            .header(header::AUTHORIZATION, "Basic b3duZXJAZXhhbXBsZS5vcmc6eA==")
            .header(header::CONTENT_TYPE, "application/json")
            .body("{}".to_owned());
        let answer = world.send(basic).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
        assert!(!answer.header(header::WWW_AUTHENTICATE).unwrap_or_default().contains("Basic"));
        assert_eq!(world.app().hasher.gauges().computed, before);
    });
}

/// Proves: A-30, V7.2.4
#[test]
fn a_planted_cookie_is_replaced_and_dead_after_signing_in() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        world.operator().create_user("attacker@example.org", OTHER_PASSWORD).await;
        let mut attacker = world.browser(AWAY);
        attacker.sign_in("attacker@example.org", OTHER_PASSWORD).await.expect(200);
        let mut victim = world.browser(HOME);
        victim.jar.clone_from(&attacker.jar);
        let body = json!({ "email": OWNER, "password": PASSWORD });
        victim.fetch(Method::POST, "/api/v1/login", Some(&body)).await.expect(200);
        assert_ne!(victim.session_cookie(), attacker.session_cookie());
        attacker.fetch(Method::GET, "/api/v1/me", None).await.expect(401);
        let me = victim.fetch(Method::GET, "/api/v1/me", None).await.expect(200);
        assert_eq!(me.string("email"), OWNER);
    });
}

/// Proves: A-36, V7.4.2, V8.3.2
#[test]
fn a_user_who_is_disabled_is_out_at_the_next_request() {
    both(async |world| {
        let id = world.operator().create_user(OWNER, PASSWORD).await;
        let mut client = world.api(HOME);
        client.sign_in(OWNER, PASSWORD).await.expect(200);
        let mut browser = world.browser(HOME);
        browser.sign_in(OWNER, PASSWORD).await.expect(200);
        client.get("/api/v1/me").await.expect(200);
        world.operator().disable(id).await;
        client.get("/api/v1/me").await.expect(401);
        client.renew().await.expect(401);
        browser.fetch(Method::GET, "/api/v1/me", None).await.expect(401);
        client.login(OWNER, PASSWORD).await.expect_problem(401, "invalid_credentials");
        world.operator().enable(id).await;
        client.get("/api/v1/me").await.expect(401);
        world.api(HOME).login(OWNER, PASSWORD).await.expect(200);
    });
}

/// Proves: A-36, V7.4.2
#[test]
fn who_is_disabled_while_the_password_is_hashed_is_not_signed_in() {
    // Hashes that take long enough to be disabled behind them: forty in front of the one that counts.
    let hash = HashParameters::new(19 * 1024, 2, 1).unwrap();
    both_with(&Setup { hash, ..Setup::default() }, async |world| {
        let id = world.operator().create_user(OWNER, PASSWORD).await;
        let mut ahead = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let hasher = world.app().hasher.clone();
            ahead.spawn(async move { hasher.verify(Password::new(WRONG_PASSWORD).unwrap(), None).await.unwrap() });
        }
        let client = world.api(HOME);
        let signing_in = tokio::spawn(async move { client.login(OWNER, PASSWORD).await });
        // The attempt is counted in the transaction that read the account.
        while count(world, &COUNT_ATTEMPTS).await == 0 {
            tokio::task::yield_now().await;
        }
        world.operator().disable(id).await;
        assert!(!signing_in.is_finished());
        signing_in.await.unwrap().expect_problem(401, "invalid_credentials");
        ahead.join_all().await;
    });
}

#[test]
fn signing_in_stores_a_new_hash_when_the_parameters_have_changed() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let old = read_text(world, &READ_PHC).await;
        assert!(old.contains("m=64,t=1,p=1"), "{old}");
        let stronger = HashParameters::new(128, 2, 1).unwrap();
        let restarted = world.restarted(Setup { hash: stronger, ..Setup::default() }).await;
        restarted.api(HOME).login(OWNER, WRONG_PASSWORD).await.expect(401);
        assert_eq!(read_text(world, &READ_PHC).await, old);
        restarted.api(HOME).login(OWNER, PASSWORD).await.expect(200);
        let new = read_text(world, &READ_PHC).await;
        assert!(new.contains("m=128,t=2,p=1"), "{new}");
        restarted.api(HOME).login(OWNER, PASSWORD).await.expect(200);
        assert_eq!(read_text(world, &READ_PHC).await, new);
    });
}

/// Proves: V6.2.10
#[test]
fn a_password_does_not_expire() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        world.advance(5 * 365 * DAY_MS);
        let mut client = world.api(HOME);
        client.sign_in(OWNER, PASSWORD).await.expect(200);
        client.get("/api/v1/me").await.expect(200);
    });
}
