//! What is refused for the sake of security is told: in the log line of its request, by one word of a closed list, and
//! where something of somebody's ended by it, as an event.

use doorward_testkit::world::Request;
use doorward_testkit::{Answer, Setup, World, both, both_with};
use http::{Method, header};
use serde_json::{Value, json};

use crate::people::{HOME, OTHER_PASSWORD, OWNER, PASSWORD};
use crate::provider::relying_party::{FORM, RelyingParty, SERVER, browser};
use crate::provider::renewal::{granted, renewing};
use crate::provider::{code, signed_in};

/// What the log says of a request.
fn told(world: &World, answer: &Answer) -> Value {
    let request_id = answer.header("x-request-id").unwrap();
    world.canaries().request_line(request_id).unwrap()
}

fn assert_told(world: &World, answer: &Answer, route: &str, code: &str) {
    let line = told(world, answer);
    assert_eq!((&line["http.route"], &line["problem.code"]), (&json!(route), &json!(code)), "{line}");
    assert_eq!(line["http.status"], answer.status.as_u16());
}

async fn events(world: &World, action: &str) -> usize {
    world.actions().await.iter().filter(|known| *known == action).count()
}

/// Proves: V16.3.3, V16.2.4
#[test]
fn a_forged_request_and_a_body_that_is_none_are_told() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut owner = world.browser(HOME);
        owner.sign_in(OWNER, PASSWORD).await.expect(200);
        let cookie = format!("__Host-doorward={}", owner.session_cookie().unwrap());
        let forged = |path: &str| {
            Request::new(Method::POST, path, HOME)
                .header(header::COOKIE, &cookie)
                .header("sec-fetch-site", "cross-site")
                .header(header::ORIGIN, "https://evil.example")
        };
        for route in ["/api/v1/logout", "/api/v1/password/change", "/account/password"] {
            let answer = world.send(forged(route)).await.expect(403);
            assert_told(world, &answer, route, "csrf_failed");
        }
        let raw = |path: &str, kind: &str, body: &str| {
            Request::new(Method::POST, path, HOME).header(header::CONTENT_TYPE, kind).body(body.to_owned())
        };
        for (route, kind, body, code) in [
            ("/api/v1/login", "application/json", "{", "malformed_request"),
            ("/api/v1/login", "application/json", "{}", "validation_failed"),
            ("/api/v1/login", "text/plain", "{}", "unsupported_media_type"),
            ("/api/v1/password/reset", "application/json", "{}", "validation_failed"),
            ("/api/v1/token", "application/json", "[]", "validation_failed"),
            ("/oauth2/token", FORM, "", "invalid_client"),
            ("/oauth2/token", FORM, "grant_type=refresh_token&client_id=nobody", "invalid_client"),
            ("/oauth2/introspect", FORM, "token=x", "invalid_client"),
            ("/oauth2/par", FORM, "client_id=nobody", "invalid_client"),
        ] {
            let answer = world.send(raw(route, kind, body)).await;
            assert_told(world, &answer, route, code);
        }
        let answer =
            world.send(Request::new(Method::GET, "/oauth2/authorize?client_id=nobody", HOME)).await.expect(400);
        assert_told(world, &answer, "/oauth2/authorize", "unauthorized_client");
    });
}

/// Proves: V16.3.3, V16.2.4
#[test]
fn an_error_that_goes_back_to_the_application_is_told_too() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({"consent": "ask"})).await;
        let mut nobody = browser(world, HOME);
        for (more, status, code) in [
            (&[("prompt", "none")][..], 303, "login_required"),
            (&[("response_type", "token")], 303, "unsupported_response_type"),
            (&[("scope", "openid"), ("redirect_uri", "https://evil.example")], 400, "invalid_request"),
            (&[("prompt", "none"), ("response_mode", "form_post")], 200, "login_required"),
        ] {
            let answer = nobody.open(&shop.start(more)).await.expect(status);
            assert_told(world, &answer, "/oauth2/authorize", code);
        }
        owner.open(&shop.start(&[])).await.expect(200);
        let no = owner.submit("/oauth2/consent", &[("decision", "deny")]).await.expect(303);
        assert_told(world, &no, "/oauth2/authorize", "access_denied");
        owner.open(&shop.start(&[])).await.expect(200);
        let yes = owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(303);
        assert_eq!(told(world, &yes).get("problem.code"), None);
    });
}

/// Proves: V16.3.3
#[test]
fn whoever_asks_too_often_is_told() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 0.05;
    both_with(&setup, async |world| {
        let caller = world.api(HOME);
        let answer = loop {
            let answer = caller.login(OWNER, PASSWORD).await;
            if answer.status.as_u16() == 429 {
                break answer;
            }
        };
        assert_told(world, &answer, "/api/v1/login", "rate_limited");
    });
}

/// Proves: V16.3.3, S-25
#[test]
fn what_is_used_twice_is_told() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        // A link of a mail.
        let caller = world.api(HOME);
        let token = caller.reset_token(OWNER).await;
        caller.reset(&token, PASSWORD).await.expect(204);
        let again = caller.reset(&token, OTHER_PASSWORD).await.expect(400);
        assert_told(world, &again, "/api/v1/password/reset", "invalid_token");
        // A refresh token of the person's own.
        let mut program = world.api(HOME);
        let first = program.sign_in(OWNER, PASSWORD).await.expect(200).string("refresh_token");
        for _ in 0..2 {
            world.advance(20_000);
            program.renew().await.expect(200);
        }
        let reused = caller.renew_with(&first).await.expect_problem(401, "token_reused");
        assert_told(world, &reused, "/api/v1/token", "token_reused");
        assert_eq!(events(world, "token.reused").await, 1);
    });
}

/// Proves: V16.3.3, S-25
#[test]
fn what_an_application_presents_twice_is_told() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        let code = code(&shop, &mut owner).await;
        shop.exchange(&code, &[]).await.expect(200);
        let replayed = shop.exchange(&code, &[]).await.expect(400);
        assert_told(world, &replayed, "/oauth2/token", "invalid_grant");
        assert_eq!(events(world, "grant.code_reused").await, 1);

        let tokens = granted(&shop, &mut owner, &[]).await;
        shop.renew(&tokens.refresh).await;
        world.advance(20_000);
        let reused = shop.refresh(&tokens.refresh, &[]).await.expect(400);
        assert_told(world, &reused, "/oauth2/token", "invalid_grant");
        assert_eq!(events(world, "token.reused").await, 1);
        // A token that ended with it.
        let answer = shop.userinfo(&tokens.access).await.expect(401);
        assert_told(world, &answer, "/oauth2/userinfo", "invalid_token");
        let request = Request::new(Method::GET, "/oauth2/revocations", SERVER)
            .header(header::AUTHORIZATION, &format!("Bearer {}", tokens.access));
        assert_told(world, &world.send(request).await.expect(401), "/oauth2/revocations", "invalid_token");
    });
}

/// Proves: V16.3.4
#[test]
fn a_mail_that_nobody_takes_is_an_error_in_the_log() {
    both(async |world| {
        world.applications_are_deaf(1);
        world.api(HOME).sign_up(OWNER, PASSWORD).await;
        assert!(world.letters().await.is_empty());
        let line = world.canaries().line_saying("a delivery failed").unwrap();
        let fields = &line["fields"];
        assert_eq!((&line["level"], &fields["delivery.channel"]), (&json!("ERROR"), &json!("mail")), "{line}");
        assert_eq!((&fields["reason"], &fields["delivery.attempts"]), (&json!("nobody listens"), &json!(1)), "{line}");
        assert!(fields["delivery.id"].as_str().unwrap().starts_with("delivery_"), "{line}");
        assert!(!line.to_string().contains(OWNER), "{line}");
        world.advance(20_000);
        world.last_letter_to(OWNER).await;
    });
}
