//! People see which applications may have what, and take it back.

use doorward_testkit::html::unescape;
use doorward_testkit::{Browser, Setup, both, both_with};
use http::Method;
use serde_json::{Value, json};

use super::relying_party::{RelyingParty, browser};
use super::{code, signed_in};
use crate::people::AWAY;

const OTHER: &str = "other@example.com";
const OTHER_PASSWORD: &str = "quiet granite lantern orbit";

pub(super) fn somebody_elses() -> Value {
    json!({"consent": "ask", "scope": "openid email orders:read", "resources": ["https://api.example"]})
}

pub(super) async fn allow(shop: &RelyingParty, owner: &mut Browser, changes: &[(&str, &str)]) -> String {
    owner.open(&shop.start(changes)).await.expect(200);
    owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(303);
    shop.code(owner)
}

async fn applications(owner: &mut Browser) -> Vec<Value> {
    let answer = owner.fetch(Method::GET, "/api/v1/applications", None).await.expect(200).json();
    assert_eq!(answer["next_cursor"], Value::Null);
    answer["data"].as_array().unwrap().clone()
}

/// Proves: V10.4.9, V10.7.3
#[test]
fn an_application_is_listed_with_what_it_may_have_and_when_it_last_did() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        assert!(applications(&mut owner).await.is_empty());
        let shop = RelyingParty::register(world, somebody_elses()).await;
        allow(&shop, &mut owner, &[("resource", "https://api.example")]).await;
        let allowed_at = json!(world.now());
        let own = RelyingParty::register(world, json!({"client_name": "Board"})).await;
        code(&own, &mut owner).await;
        world.advance(60_000);
        let again = code(&shop, &mut owner).await;
        shop.exchange(&again, &[]).await.expect(200);
        let used_at = json!(world.now());
        let listed = applications(&mut owner).await;
        assert_eq!(listed.len(), 2, "{listed:?}");
        let first = &listed[0];
        assert_eq!((&first["client_id"], &first["name"]), (&json!(shop.client_id), &json!("Shop")));
        assert_eq!(first["scopes"], json!(["openid", "email"]));
        assert_eq!(first["resources"], json!(["https://api.example"]));
        assert!(first["granted_at"].as_str() <= allowed_at.as_str() && first["granted_at"].is_string(), "{first}");
        assert_eq!(first["last_used_at"], used_at);
        assert_eq!((&listed[1]["name"], &listed[1]["granted_at"]), (&json!("Board"), &Value::Null));
        let page = owner.open("/account/applications").await.expect(200);
        let text = unescape(page.text());
        for told in ["Shop", "Board", "recognise you", "see your e-mail address", "https://api.example", "not asked"] {
            assert!(text.contains(told), "{told}: {text}");
        }
        // Page by page, and nobody else's.
        let one = owner.fetch(Method::GET, "/api/v1/applications?limit=1", None).await.expect(200).json();
        let next = one["next_cursor"].as_str().unwrap();
        assert_eq!(next, shop.client_id);
        let rest =
            owner.fetch(Method::GET, &format!("/api/v1/applications?cursor={next}"), None).await.expect(200).json();
        assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
        for wrong in ["~", "user_01h455vb4pex5vsknk084sn02q", &"x".repeat(129)] {
            let path = format!("/api/v1/applications?cursor={wrong}");
            owner.fetch(Method::GET, &path, None).await.expect_problem(422, "validation_failed");
        }
        world.operator().create_user(OTHER, OTHER_PASSWORD).await;
        let mut other = browser(world, AWAY);
        other.sign_in(OTHER, OTHER_PASSWORD).await.expect(200);
        assert!(applications(&mut other).await.is_empty());
        let path = format!("/api/v1/applications/{}", shop.client_id);
        other.fetch(Method::DELETE, &path, None).await.expect_problem(404, "not_found");
        other.open("/account/applications").await.expect(200);
        assert!(!other.has_form("/account/applications/revoke"));
        assert_eq!(applications(&mut owner).await.len(), 2, "what others do changes nothing");
    });
}

/// Proves: A-84, V10.4.9, V10.7.3
#[test]
fn what_an_application_may_have_is_taken_back_with_all_that_came_of_it() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        for by_page in [true, false] {
            let shop = RelyingParty::register(world, somebody_elses()).await;
            let other = RelyingParty::register(world, json!({})).await;
            let first = allow(&shop, &mut owner, &[]).await;
            let tokens = shop.tokens(&first).await;
            let (waiting, others) = (code(&shop, &mut owner).await, code(&other, &mut owner).await);
            let others = other.tokens(&others).await;
            if by_page {
                owner.open("/account/applications").await.expect(200);
                let fields = [("application", shop.client_id.as_str())];
                let page = owner.submit("/account/applications/revoke", &fields).await.expect(200);
                assert!(page.text().contains("has no access any more"), "{}", page.text());
            } else {
                let path = format!("/api/v1/applications/{}", shop.client_id);
                owner.fetch(Method::DELETE, &path, None).await.expect(204);
                owner.fetch(Method::DELETE, &path, None).await.expect_problem(404, "not_found");
            }
            shop.userinfo(&tokens.access).await.expect(401);
            let refused = shop.exchange(&waiting, &[]).await.expect(400);
            assert_eq!(refused.string("error"), "invalid_grant");
            other.userinfo(&others.access).await.expect(200);
            owner.open(&shop.start(&[("prompt", "none")])).await.expect(303);
            assert_eq!(RelyingParty::error(&owner), "consent_required");
            let again = allow(&shop, &mut owner, &[]).await;
            let refused = shop.exchange(&waiting, &[]).await.expect(400);
            assert_eq!(refused.string("error"), "invalid_grant", "it was of what was taken back");
            shop.tokens(&again).await;
        }
        let actions = world.actions().await;
        assert_eq!(actions.iter().filter(|action| *action == "consent.revoked").count(), 2, "{actions:?}");
        let told = crate::credentials::number(world, "SELECT COUNT(*) FROM revocations WHERE kind = 'grant'").await;
        assert_eq!(told, 2);
    });
}

/// An id that the operator chose is an id like those that are drawn.
///
/// Proves: V10.4.9, V10.7.3
#[test]
fn an_application_that_the_operator_named_is_listed_and_taken_back_too() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::declare(world, "Shop-1.example", somebody_elses()).await;
        let other = RelyingParty::declare(world, "shop", somebody_elses()).await;
        let first = allow(&shop, &mut owner, &[]).await;
        let tokens = shop.tokens(&first).await;
        allow(&other, &mut owner, &[]).await;
        let one = owner.fetch(Method::GET, "/api/v1/applications?limit=1", None).await.expect(200).json();
        assert_eq!(
            (&one["data"][0]["client_id"], &one["next_cursor"]),
            (&json!(shop.client_id), &json!(shop.client_id))
        );
        let rest = format!("/api/v1/applications?cursor={}", shop.client_id);
        let rest = owner.fetch(Method::GET, &rest, None).await.expect(200).json();
        assert_eq!((&rest["data"][0]["client_id"], &rest["next_cursor"]), (&json!("shop"), &Value::Null));
        let path = format!("/api/v1/applications/{}", shop.client_id);
        owner.fetch(Method::DELETE, &path, None).await.expect(204);
        shop.userinfo(&tokens.access).await.expect(401);
        for gone in [shop.client_id.as_str(), "nobody", "user_01h455vb4pex5vsknk084sn02q", "%ff", "a%2Fb", "~"] {
            let path = format!("/api/v1/applications/{gone}");
            owner.fetch(Method::DELETE, &path, None).await.expect_problem(404, "not_found");
        }
        assert_eq!(applications(&mut owner).await.len(), 1);
    });
}

/// Whatever comes first: when all is done and access was taken away last, nothing is left.
///
/// Proves: A-84, V10.4.9
#[test]
fn access_that_is_taken_away_while_codes_are_issued_and_used_leaves_no_grant() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 10.0;
    both_with(&setup, async |world| {
        let mut owner = signed_in(world).await;
        let shop = std::sync::Arc::new(RelyingParty::register(world, somebody_elses()).await);
        allow(&shop, &mut owner, &[]).await;
        let path = format!("/api/v1/applications/{}", shop.client_id);
        let mut at_work = tokio::task::JoinSet::new();
        for number in 0..50 {
            let (shop, mut owner, path) = (std::sync::Arc::clone(&shop), owner.clone(), path.clone());
            at_work.spawn(async move {
                if number == 25 {
                    owner.fetch(Method::DELETE, &path, None).await.expect(204);
                    return;
                }
                let answer = owner.open(&shop.start(&[])).await;
                if answer.status == 303 {
                    let answer = shop.exchange(&shop.code(&owner), &[]).await;
                    assert!([200, 400].contains(&answer.status.as_u16()), "{answer:?}");
                }
            });
        }
        at_work.join_all().await;
        let count = async |sql| crate::credentials::number(world, sql).await;
        assert_eq!(count("SELECT COUNT(*) FROM consents").await, 0);
        assert_eq!(count("SELECT COUNT(*) FROM grants WHERE revoked_at IS NULL").await, 0);
    });
}
