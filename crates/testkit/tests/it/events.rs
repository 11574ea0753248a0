//! What is recorded: one event for every change, none for a look.

use doorward_model::time::HOUR_MS;
use doorward_testkit::{Answer, World, both};
use http::Method;
use serde_json::json;

use crate::people::{HOME, OTHER_PASSWORD, OWNER, PASSWORD, WRONG_PASSWORD};

async fn recorded(world: &World, what: &str, answer: impl Future<Output = Answer>, expected: &[&str]) -> Answer {
    let before = world.actions().await.len();
    let answer = answer.await;
    let actions = world.actions().await;
    assert_eq!(actions[before..], *expected, "{what} answered {}", answer.status);
    answer
}

/// Proves: S-25, S-191, V16.3.1
#[test]
fn every_change_appends_exactly_one_event() {
    both(async |world| {
        let mut owner = world.api(HOME);
        let wrong = "000000";
        let signed_up = recorded(world, "sign-up", owner.sign_up(OWNER, PASSWORD), &["signup.requested"]).await;
        let handle = signed_up.string("verification");
        let resend = json!({ "verification": handle });
        let path = "/api/v1/email-verifications";
        recorded(world, "resend", owner.post(path, &resend), &["signup.verification_resent"]).await;
        let code = world.last_letter_to(OWNER).await.code();
        assert_ne!(code, wrong);
        recorded(world, "wrong code", owner.confirm_code(&handle, wrong), &["signup.verification_failed"]).await;
        recorded(world, "code", owner.confirm_code(&handle, &code), &["user.created"]).await;
        recorded(world, "wrong password", owner.login(OWNER, WRONG_PASSWORD), &["session.sign_in"]).await;
        recorded(world, "sign-in", owner.sign_in(OWNER, PASSWORD), &["session.sign_in"]).await.expect(200);
        let name = json!({ "name": "Ada" });
        let change = owner.call(Method::PATCH, "/api/v1/me", Some(&name));
        recorded(world, "profile", change, &["user.profile_changed"]).await.expect(200);
        let mut other = world.api(HOME);
        let session = other.sign_in(OWNER, PASSWORD).await.expect(200).json()["session"]["id"].clone();
        let path = format!("/api/v1/sessions/{}", session.as_str().unwrap());
        recorded(world, "end", owner.call(Method::DELETE, &path, None), &["session.ended"]).await.expect(204);
        other.sign_in(OWNER, PASSWORD).await.expect(200);
        let others = owner.call(Method::POST, "/api/v1/sessions/revoke-others", None);
        recorded(world, "end others", others, &["session.ended"]).await.expect(204);
        let forgot = json!({ "email": OWNER });
        let path = "/api/v1/password/forgot";
        recorded(world, "forgot", owner.post(path, &forgot), &["password.reset_requested"]).await;
        let body = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
        let change = owner.post("/api/v1/password/change", &body);
        recorded(world, "change", change, &["password.changed"]).await.expect(204);
        // The mail budget of the hour is spent.
        world.advance(HOUR_MS);
        let token = owner.reset_token(OWNER).await;
        recorded(world, "reset", owner.reset(&token, PASSWORD), &["password.reset"]).await.expect(204);
        owner.sign_in(OWNER, PASSWORD).await.expect(200);
        let sign_out = owner.call(Method::POST, "/api/v1/logout", None);
        recorded(world, "sign-out", sign_out, &["session.sign_out"]).await.expect(204);
    });
}

/// Proves: S-191
#[test]
fn looking_and_refused_requests_append_no_event() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut owner = world.api(HOME);
        owner.sign_in(OWNER, PASSWORD).await.expect(200);
        for path in
            ["/api/v1/me", "/api/v1/sessions", "/.well-known/jwks.json", "/login", "/signup", "/forgot", "/nowhere"]
        {
            recorded(world, path, owner.get(path), &[]).await;
        }
        let bodies = [
            ("/api/v1/signup", json!({ "email": "x", "password": PASSWORD })),
            ("/api/v1/login", json!({ "email": OWNER })),
            ("/api/v1/password/reset", json!({ "token": "nonsense", "password": OTHER_PASSWORD })),
            ("/api/v1/password/change", json!({ "current_password": PASSWORD, "new_password": "short" })),
        ];
        for (path, body) in bodies {
            recorded(world, path, owner.post(path, &body), &[]).await;
        }
    });
}

/// Proves: S-71, S-191, S-233, V16.2.1
#[test]
fn an_event_says_who_what_where_and_in_which_request() {
    both(async |world| {
        let id = world.operator().create_user(OWNER, PASSWORD).await;
        let mut browser = world.browser(HOME);
        browser.sign_in(OWNER, PASSWORD).await.expect(200);
        browser.submit("/logout", &[]).await.expect(200);
        let event = world.events().await.pop().unwrap();
        assert_eq!((event.actor, event.action.as_str()), (id.to_string(), "session.sign_out"));
        assert_eq!((event.outcome.as_str(), event.address.as_deref()), ("success", Some(HOME)));
        assert!(event.user_agent.unwrap().contains("Firefox"));

        let mut owner = world.api(HOME);
        let signed_in = owner.sign_in(OWNER, PASSWORD).await.expect(200);
        let event = world.events().await.pop().unwrap();
        assert_eq!(event.action, "session.sign_in");
        assert_eq!(Some(event.request_id.as_str()), signed_in.header("x-request-id"));
        assert_eq!(event.at, world.now());
        assert!(event.id.to_string().starts_with("event_"), "{}", event.id);
        assert_eq!(event.subject, Some(id.to_string()));
        let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(data["session"], signed_in.json()["session"]["id"], "{data}");
    });
}
