//! Applications that want to hear of it are told that a session is over, whatever ended it.

use std::collections::BTreeSet;
use std::sync::Arc;

use doorward_app::outbound::{ClientDocuments, DocumentAnswer, NoDocument};
use doorward_testkit::{Browser, Setup, World, both_with};
use http::Method;
use serde_json::{Value, json};

use super::relying_party::{RelyingParty, browser};
use super::{code, signed_in};
use crate::people::{AWAY, HOME, OWNER, PASSWORD};

const EAR: &str = "https://shop.example/backchannel";
const OTHER_PASSWORD: &str = "quiet granite lantern orbit";

/// A world in which only the application's own address may be called.
fn setup() -> Setup {
    struct OnlyEar;

    impl ClientDocuments for OnlyEar {
        fn objection(&self, address: &str) -> Option<&'static str> {
            (address != EAR).then_some("leads into a network that is not public")
        }

        fn fetch<'a>(&'a self, _: &'a str) -> DocumentAnswer<'a> {
            Box::pin(std::future::ready(Err(NoDocument::TooLate)))
        }
    }

    let mut setup = Setup::default();
    setup.outbound.documents = Arc::new(OnlyEar);
    setup
}

async fn shop(world: &World) -> RelyingParty {
    RelyingParty::register(world, json!({"backchannel_logout_uri": EAR})).await
}

/// Signs in to the application and returns the session's id as the application knows it.
async fn session(shop: &RelyingParty, owner: &mut Browser) -> String {
    let code = code(shop, owner).await;
    shop.tokens(&code).await.claims["sid"].as_str().unwrap().to_owned()
}

/// The application sends the browser to sign out of this session.
async fn sign_out_by_application(shop: &RelyingParty, owner: &mut Browser, session: &str) {
    let code = code(shop, owner).await;
    let tokens = shop.tokens(&code).await;
    assert_eq!(tokens.claims["sid"], json!(session));
    owner.open(&format!("/oauth2/logout?id_token_hint={}", tokens.id_token)).await.expect(200);
}

/// The sessions that the application was told are over; each message is checked as the standard says.
async fn told(world: &World, shop: &RelyingParty, user: &Value) -> Vec<String> {
    let mut sessions = Vec::new();
    let mut ids = BTreeSet::new();
    for announcement in world.announcements().await {
        assert_eq!(announcement.address, EAR);
        let header = announcement.token.split('.').next().unwrap();
        let header = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header["typ"], "logout+jwt");
        let claims = shop.verify(&announcement.token).await;
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://auth.example.test"), &json!(shop.client_id)));
        assert_eq!(&claims["sub"], user);
        assert_eq!(claims["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
        assert_eq!(claims.get("nonce"), None);
        assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 120, "{claims}");
        assert_eq!(claims["jti"], json!(announcement.id));
        assert!(ids.insert(announcement.id.clone()), "a message of its own each");
        sessions.push(claims["sid"].as_str().unwrap().to_owned());
    }
    sessions
}

/// Proves
#[test]
fn an_application_is_told_whatever_ends_a_session() {
    both_with(&setup(), async |world| {
        let user = json!(world.operator().create_user(OWNER, PASSWORD).await);
        let shop = shop(world).await;
        let mut expected = Vec::new();
        let mut begin = async || {
            let mut owner = browser(world, HOME);
            owner.sign_in(OWNER, PASSWORD).await.expect(200);
            let session = session(&shop, &mut owner).await;
            expected.push(session.clone());
            (owner, session)
        };
        // At once, and not only when something else ends it too.
        let count = async || told(world, &shop, &user).await.len();
        // Signed out by the person.
        let (mut owner, _) = begin().await;
        owner.open("/account").await.expect(200);
        owner.submit("/logout", &[]).await.expect(200);
        assert_eq!(count().await, 1);
        // Signed out by the application.
        let (mut owner, session_id) = begin().await;
        sign_out_by_application(&shop, &mut owner, &session_id).await;
        assert_eq!(count().await, 2);
        // Ended from another device, by itself and with all others.
        let ((mut owner, first), (mut other, _)) = (begin().await, begin().await);
        other.fetch(Method::DELETE, &format!("/api/v1/sessions/{first}"), None).await.expect(204);
        assert_eq!(owner.fetch(Method::GET, "/api/v1/me", None).await.status, 401);
        assert_eq!(count().await, 3);
        let (mut owner, _) = begin().await;
        owner.fetch(Method::POST, "/api/v1/sessions/revoke-others", None).await.expect(204);
        assert_eq!(count().await, 4);
        // The browser signs in anew.
        owner.open(&shop.start(&[("prompt", "login")])).await.expect(200);
        owner.submit("/login", &super::TYPED).await.expect(303);
        assert_eq!(count().await, 5);
        // Another password, and the mailbox.
        let (mut owner, _) = begin().await;
        let (mut changed, _) = begin().await;
        let change = json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD});
        changed.fetch(Method::POST, "/api/v1/password/change", Some(&change)).await.expect(204);
        assert_eq!(owner.fetch(Method::GET, "/api/v1/me", None).await.status, 401);
        assert_eq!(count().await, 6);
        let reset = world.api(AWAY).reset_token(OWNER).await;
        world.api(AWAY).reset(&reset, PASSWORD).await.expect(204);
        assert_eq!(count().await, 7);
        // Nobody has used it for too long, and the operator keeps the person out.
        let (_, _) = begin().await;
        let mut heard = told(world, &shop, &user).await;
        assert_eq!(heard.len(), expected.len() - 1, "all but the last");
        world.look_for_ended_sessions().await;
        assert_eq!(told(world, &shop, &user).await.len(), heard.len(), "it lives");
        world.advance(60 * 24 * 3_600_000);
        world.look_for_ended_sessions().await;
        heard = told(world, &shop, &user).await;
        assert_eq!(heard.len(), 8);
        let mut owner = browser(world, HOME);
        owner.sign_in(OWNER, PASSWORD).await.expect(200);
        expected.push(session(&shop, &mut owner).await);
        world.operator().disable(world.operator().find_user(OWNER).await.unwrap()).await;
        heard = told(world, &shop, &user).await;
        let sort = |mut list: Vec<String>| {
            list.sort();
            list
        };
        assert_eq!(sort(heard), sort(expected), "each once, and no other");
        let events = world.actions().await;
        assert_eq!(events.iter().filter(|action| *action == "session.end_announced").count(), 9);
    });
}

/// Proves: A-105
#[test]
fn a_message_is_repeated_until_it_is_heard_and_is_the_same_one() {
    both_with(&setup(), async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let silent = RelyingParty::register(world, json!({})).await;
        let user = json!(world.operator().find_user(OWNER).await.unwrap());
        let session = session(&shop, &mut owner).await;
        // Twice in the same session is told once, and whoever did not ask for it hears nothing.
        code(&shop, &mut owner).await;
        let quiet = code(&silent, &mut owner).await;
        silent.tokens(&quiet).await;
        assert!(told(world, &shop, &user).await.is_empty(), "it goes on");
        owner.open("/account").await.expect(200);
        owner.submit("/logout", &[]).await.expect(200);
        world.applications_are_deaf(2);
        for _ in 0..2 {
            assert!(told(world, &shop, &user).await.is_empty());
            // A token that was written once would be over by now.
            world.advance(300_000);
        }
        assert_eq!(told(world, &shop, &user).await, [session]);
        world.advance(3_600_000);
        assert_eq!(told(world, &shop, &user).await.len(), 1);
    });
}

/// Proves
#[test]
fn an_application_that_is_changed_or_gone_is_told_nothing() {
    both_with(&setup(), async |world| {
        let mut owner = signed_in(world).await;
        let (gone, changed) = (shop(world).await, shop(world).await);
        for shop in [&gone, &changed] {
            session(shop, &mut owner).await;
        }
        let op = world.operator().op();
        let inside = json!({"backchannel_logout_uri": "https://10.0.0.1/"}).as_object().unwrap().clone();
        assert!(world.app().update_client(&op, &changed.client_id, inside).await.is_err());
        assert!(world.app().delete_client(&op, &gone.client_id).await.unwrap());
        let nothing = json!({"backchannel_logout_uri": null}).as_object().unwrap().clone();
        world.app().update_client(&op, &changed.client_id, nothing).await.unwrap().unwrap();
        owner.open("/account").await.expect(200);
        owner.submit("/logout", &[]).await.expect(200);
        assert!(world.announcements().await.is_empty());
        let left = crate::credentials::number(world, "SELECT COUNT(*) FROM client_sessions").await;
        assert_eq!(left, 0);
    });
}

/// Proves: A-105
#[test]
fn an_application_that_is_kept_out_is_told_all_the_same() {
    both_with(&setup(), async |world| {
        let mut owner = signed_in(world).await;
        let user = json!(world.operator().find_user(OWNER).await.unwrap());
        let shop = shop(world).await;
        let session = session(&shop, &mut owner).await;
        assert!(world.app().disable_client(&world.operator().op(), &shop.client_id).await.unwrap());
        assert!(told(world, &shop, &user).await.is_empty(), "the session goes on");
        owner.open("/account").await.expect(200);
        owner.submit("/logout", &[]).await.expect(200);
        assert_eq!(told(world, &shop, &user).await, [session]);
    });
}

/// Proves: A-97
#[test]
fn an_application_that_knows_people_by_names_of_its_own_is_told_by_those() {
    both_with(&setup(), async |world| {
        let mut owner = signed_in(world).await;
        let pairwise = json!({"backchannel_logout_uri": EAR, "subject_type": "pairwise"});
        let shop = RelyingParty::register(world, pairwise).await;
        let code = code(&shop, &mut owner).await;
        let claims = shop.tokens(&code).await.claims;
        owner.fetch(Method::POST, "/api/v1/logout", None).await.expect(204);
        assert_eq!(told(world, &shop, &claims["sub"]).await, [claims["sid"].as_str().unwrap()]);
    });
}
