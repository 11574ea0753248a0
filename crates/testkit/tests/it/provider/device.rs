//! Devices without a browser (RFC 8628): a person types their code on another one.

mod attacks;

use std::sync::Arc;

use doorward_testkit::{Answer, Browser, Setup, World, both, both_with};
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::relying_party::{RelyingParty, browser};
use super::{TYPED, signed_in};
use crate::credentials::count_events;
use crate::people::{AWAY, HOME, OWNER, PASSWORD};

pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const OTHER: &str = "other@example.com";
const OTHER_PASSWORD: &str = "quiet granite lantern orbit";

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

async fn tv(world: &World) -> RelyingParty {
    let metadata = json!({
        "client_name": "Television", "grant_types": [GRANT, "refresh_token"], "redirect_uris": [], "consent": "ask",
        "token_endpoint_auth_method": "none", "scope": "openid email offline_access",
    });
    RelyingParty::register(world, metadata).await
}

/// What the device got to begin with.
pub(super) struct Begun {
    pub(super) device_code: String,
    pub(super) user_code: String,
}

/// Begins with these fields.
pub(super) async fn started(tv: &RelyingParty, fields: &[(&str, &str)]) -> Begun {
    let answer = tv.call("/oauth2/device_authorization", form(fields)).await.expect(200);
    Begun { device_code: answer.string("device_code"), user_code: answer.string("user_code") }
}

async fn begin(tv: &RelyingParty) -> Begun {
    let fields = [("client_id", tv.client_id.as_str()), ("scope", "openid email")];
    let answer = tv.call("/oauth2/device_authorization", form(&fields)).await.expect(200);
    let (device_code, user_code) = (answer.string("device_code"), answer.string("user_code"));
    tv.world.canaries().add(&device_code);
    tv.world.canaries().add(&user_code);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.string("verification_uri"), "https://auth.example.test/device");
    assert_eq!(
        answer.string("verification_uri_complete"),
        format!("https://auth.example.test/device?user_code={user_code}")
    );
    assert_eq!((&answer.json()["expires_in"], &answer.json()["interval"]), (&json!(600), &json!(5)));
    Begun { device_code, user_code }
}

async fn poll(tv: &RelyingParty, begun: &Begun) -> Answer {
    tv.ask(form(&[("grant_type", GRANT), ("device_code", &begun.device_code), ("client_id", &tv.client_id)])).await
}

async fn error(tv: &RelyingParty, begun: &Begun) -> String {
    poll(tv, begun).await.expect(400).string("error")
}

pub(super) async fn decide(owner: &mut Browser, begun: &Begun, decision: &str) -> Answer {
    owner.open(&format!("/device?user_code={}", begun.user_code)).await.expect(200);
    owner.submit("/device/answer", &[("decision", decision)]).await.expect(200)
}

/// Proves: A-112
#[test]
fn a_person_lets_a_device_in_by_its_code() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let tv = tv(world).await;
        let begun = begin(&tv).await;
        assert_eq!(error(&tv, &begun).await, "authorization_pending");
        // Signed out, with the code typed as people type it; the sign-in leads back to it.
        let mut owner = browser(world, HOME);
        owner.open("/device").await.expect(200);
        assert!(owner.location.starts_with("/login?flow="), "{}", owner.location);
        owner.submit("/login", &TYPED).await.expect(200);
        assert!(owner.location.starts_with("/device?flow="), "{}", owner.location);
        let typed = format!(" {} ", begun.user_code.to_lowercase().replace('-', " "));
        let page = owner.submit("/device", &[("user_code", &typed)]).await.expect(200);
        for expected in
            ["Let Television on your device", &begun.user_code, OWNER, "see your e-mail address", "198.51.100.200"]
        {
            assert!(page.text().contains(expected), "{expected}: {}", page.text());
        }
        let page = owner.submit("/preferences", &[("language", "de")]).await.expect(200);
        assert!(page.text().contains("Television") && page.text().contains(&begun.user_code), "{}", page.text());
        owner.submit("/device/answer", &[("decision", "allow")]).await.expect(200);
        let tokens = poll(&tv, &begun).await.expect(200);
        assert_eq!(tokens.string("scope"), "openid email");
        let person = tv.userinfo(&tokens.string("access_token")).await.expect(200);
        assert_eq!(person.string("email"), OWNER);
        let claims: Value = tv.verify(&tokens.string("id_token")).await;
        assert_eq!((&claims["aud"], claims.get("nonce")), (&json!(tv.client_id), None));
        tv.refresh(&tokens.string("refresh_token"), &[]).await.expect(200);
        // Once.
        assert_eq!(error(&tv, &begun).await, "invalid_grant");
        owner.open(&format!("/device?user_code={}", begun.user_code)).await.expect(422);
        assert_eq!(count_events(world, "consent.given").await, 1);
        assert_eq!(count_events(world, "grant.created").await, 1);
        // It stands among the applications, and goes with them.
        let applications = owner.fetch(Method::GET, "/api/v1/applications", None).await.expect(200).json();
        assert_eq!(applications["data"][0]["name"], "Television", "{applications}");
        let path = format!("/api/v1/applications/{}", tv.client_id);
        owner.fetch(Method::DELETE, &path, None).await.expect(204);
        tv.userinfo(&tokens.string("access_token")).await.expect(401);
    });
}

/// Proves: A-112
#[test]
fn a_device_hears_no_more_than_how_it_stands() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (first, other) = (tv(world).await, tv(world).await);
        let begun = begin(&first).await;
        assert_eq!(error(&first, &begun).await, "authorization_pending");
        assert_eq!(error(&first, &begun).await, "slow_down");
        world.advance(5_000);
        assert_eq!(error(&first, &begun).await, "slow_down", "the wait has grown");
        world.advance(15_000);
        assert_eq!(error(&first, &begun).await, "authorization_pending");
        assert_eq!(error(&other, &begun).await, "invalid_grant", "another client's");
        let unknown = Begun { device_code: format!("dwdc_{}", "A".repeat(43)), user_code: String::new() };
        assert_eq!(error(&first, &unknown).await, "invalid_grant");
        decide(&mut owner, &begun, "deny").await;
        assert_eq!(error(&first, &begun).await, "access_denied");
        let late = begin(&first).await;
        decide(&mut owner, &late, "allow").await;
        world.advance(600_000);
        assert_eq!(error(&first, &late).await, "expired_token");
        let over = begin(&first).await;
        world.advance(600_000);
        owner.open(&format!("/device?user_code={}", over.user_code)).await.expect(422);
        // Whoever said yes has gone before the device came.
        let gone = begin(&first).await;
        decide(&mut owner, &gone, "allow").await;
        owner.fetch(Method::POST, "/api/v1/logout", None).await.expect(204);
        assert_eq!(error(&first, &gone).await, "invalid_grant");
        // Or has thought better of it.
        let mut owner = browser(world, HOME);
        owner.sign_in(OWNER, PASSWORD).await.expect(200);
        let withdrawn = begin(&first).await;
        decide(&mut owner, &withdrawn, "allow").await;
        let path = format!("/api/v1/applications/{}", first.client_id);
        owner.fetch(Method::DELETE, &path, None).await.expect(204);
        assert_eq!(error(&first, &withdrawn).await, "access_denied");
        // An application that is not registered for it, and one that asks for more than it may.
        let shop = RelyingParty::register(world, json!({"token_endpoint_auth_method": "none"})).await;
        let fields = [("client_id", shop.client_id.as_str())];
        let answer = shop.call("/oauth2/device_authorization", form(&fields)).await.expect(400);
        assert_eq!(answer.string("error"), "unauthorized_client");
        let fields = [("client_id", first.client_id.as_str()), ("scope", "openid profile")];
        let answer = first.call("/oauth2/device_authorization", form(&fields)).await.expect(400);
        assert_eq!(answer.string("error"), "invalid_scope");
    });
}

/// The form is for the question that was shown, to the person and in the session it was shown to.
///
/// Proves
#[test]
fn nobody_lets_a_device_in_by_somebody_elses_click() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        world.operator().create_user(OTHER, OTHER_PASSWORD).await;
        let mut other = browser(world, AWAY);
        other.sign_in(OTHER, OTHER_PASSWORD).await.expect(200);
        let tv = tv(world).await;
        let (mine, theirs) = (begin(&tv).await, begin(&tv).await);
        // A link alone lets nobody in.
        let page = owner.open(&format!("/device?user_code={}", mine.user_code)).await.expect(200);
        assert!(page.text().contains("If somebody sent you this code"), "{}", page.text());
        assert!(page.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
        assert_eq!(error(&tv, &mine).await, "authorization_pending");
        // The page of one person in the browser of another.
        let mut switched = owner.clone();
        switched.jar = other.jar.clone();
        switched.jar.insert("__Host-doorward-pre".into(), owner.jar["__Host-doorward-pre"].clone());
        switched.submit("/device/answer", &[("decision", "allow")]).await.expect(200);
        assert!(switched.location.starts_with("/device?flow="), "asked again");
        // Without a decision it is asked again; somebody who is signed out signs in first.
        let mut undecided = owner.clone();
        undecided.submit("/device/answer", &[("decision", "")]).await.expect(200);
        assert!(undecided.location.starts_with("/device?flow="), "{}", undecided.location);
        let mut nobody = owner.clone();
        nobody.jar.remove("__Host-doorward");
        nobody.submit("/device/answer", &[("decision", "allow")]).await.expect(200);
        assert!(nobody.location.starts_with("/login?flow="), "{}", nobody.location);
        world.advance(20_000);
        assert_eq!(error(&tv, &mine).await, "authorization_pending");
        // A form of another site brings no token of ours; a sealed request of another kind is none.
        let forged = world.browser(AWAY).fetch(Method::POST, "/device/answer", None).await;
        assert!(forged.status.is_client_error(), "{}", forged.status);
        decide(&mut owner, &theirs, "allow").await;
        world.advance(20_000);
        assert_eq!(error(&tv, &mine).await, "authorization_pending", "one code is not another");
        poll(&tv, &theirs).await.expect(200);
    });
}

/// Proves: A-112
#[test]
fn whoever_tries_codes_is_stopped() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 1.0;
    both_with(&setup, async |world| {
        let mut owner = signed_in(world).await;
        let mut tried = 0;
        loop {
            let answer = owner.open("/device?user_code=BCDF-GHJK").await;
            if answer.status == 429 {
                break;
            }
            answer.expect(422);
            tried += 1;
            assert!(tried <= 60, "nobody is stopped");
        }
        assert!(tried >= 10, "people mistype: {tried}");
    });
}

/// Proves: A-112
#[test]
fn of_fifty_answers_one_counts_and_of_fifty_devices_one_gets_tokens() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let tv = tv(world).await;
        let begun = begin(&tv).await;
        owner.open(&format!("/device?user_code={}", begun.user_code)).await.expect(200);
        let mut answers = JoinSet::new();
        for number in 0..50 {
            let mut owner = owner.clone();
            let decision = if number % 2 == 0 { "allow" } else { "deny" };
            answers
                .spawn(async move { owner.submit("/device/answer", &[("decision", decision)]).await.status.as_u16() });
        }
        let statuses = answers.join_all().await;
        assert!(statuses.iter().all(|status| [200, 422].contains(status)), "{statuses:?}");
        let decided = count_events(world, "consent.given").await + count_events(world, "consent.denied").await;
        assert_eq!(decided, 1);
        let begun = begin(&tv).await;
        decide(&mut owner, &begun, "allow").await;
        let (tv, begun) = (Arc::new(tv), Arc::new(begun));
        let mut polls = JoinSet::new();
        for _ in 0..50 {
            let (tv, begun) = (Arc::clone(&tv), Arc::clone(&begun));
            polls.spawn(async move { poll(&tv, &begun).await.status.as_u16() });
        }
        let statuses = polls.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 400].contains(status)), "{statuses:?}");
    });
}
