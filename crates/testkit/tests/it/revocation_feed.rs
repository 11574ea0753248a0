//! What was revoked, told to services that accept tokens without asking about each.

mod completeness;
pub(crate) mod follower;
mod waiting;

use doorward_testkit::{Setup, World, both, both_with};
use http::Method;
use serde_json::json;

use crate::credentials::poll;
use crate::people::{OWNER, PASSWORD};
use crate::provider::machines::machine;
use crate::provider::relying_party::RelyingParty;
use crate::provider::renewal::{granted, renewing};
use crate::provider::signed_in;
use follower::{FEED, Follower, Page};

/// Another node over the same database.
async fn another(world: &World) -> World {
    world.restarted(Setup { seed: 2, ..Setup::default() }).await
}

/// Proves: S-31, S-193
#[test]
fn a_service_reads_what_was_revoked_in_order_and_each_thing_once() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        let follower = Follower::register(world).await;
        poll(world).await;
        let before = follower.page("").await;
        assert_eq!((before.revoked.len(), before.more), (0, false));

        let first = granted(&shop, &mut owner, &[]).await;
        let second = granted(&shop, &mut owner, &[]).await;
        shop.revoke(&first.access).await.expect(200);
        shop.revoke(&second.refresh).await.expect(200);
        assert!(follower.after(&before).await.revoked.is_empty(), "nobody has looked yet");
        poll(world).await;
        let page = follower.after(&before).await;
        assert_eq!(page.kinds(), ["token", "grant"]);
        assert!(page.names(&shop, &first.access).await && page.names(&shop, &second.access).await);
        assert!(page.revoked[0].at < page.revoked[1].at && page.as_of >= page.revoked[1].at);
        let last = follower.after(&page).await;
        assert!(last.revoked.is_empty() && !last.more);

        let third = granted(&shop, &mut owner, &[]).await;
        owner.fetch(Method::POST, "/api/v1/logout", None).await.expect(204);
        poll(world).await;
        let page = follower.after(&last).await;
        assert!(page.names(&shop, &third.access).await, "{:?}", page.kinds());
        // Whoever comes later reads everything that matters still.
        assert_eq!(follower.page("").await.kinds(), [vec!["token", "grant"], page.kinds()].concat());
    });
}

/// Proves: A-121, V10.3.2, V9.2.3, V10.3.5
#[test]
fn nobody_follows_without_a_token_that_a_client_got_for_it() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let follower = Follower::register(world).await;
        poll(world).await;
        follower.page("").await;
        let answer = world.send(follower::request("", None)).await.expect(401);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        // A first-party token, one of a person's grant, one of another scope, one for another service, an ID token.
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        let tokens = granted(&shop, &mut owner, &[]).await;
        let session = owner.fetch(Method::POST, "/api/v1/token", None).await.expect(200).string("access_token");
        let both_scopes = json!({ "scope": "orders doorward:revocations" });
        let other = machine(world, &both_scopes).await;
        let own = |more: &'static str| {
            let asked = format!("grant_type=client_credentials{more}");
            async { other.ask(asked).await.expect(200).string("access_token") }
        };
        let (orders, narrowed, wide) = (
            own("&scope=orders").await,
            own("&scope=doorward:revocations&resource=https://api.example").await,
            own("").await,
        );
        for (token, status, error) in [
            (&tokens.access, 403, "insufficient_scope"),
            (&orders, 403, "insufficient_scope"),
            (&narrowed, 401, "invalid_token"),
            (&session, 401, "invalid_token"),
            (&tokens.id_token, 401, "invalid_token"),
            (&tokens.refresh, 401, "invalid_token"),
            (&format!("{}x", follower.token), 401, "invalid_token"),
            (&"x".repeat(9_000), 401, "invalid_token"),
        ] {
            let answer = world.send(follower::request("", Some(token))).await.expect(status);
            let challenge = answer.header("www-authenticate").unwrap_or_default().to_owned();
            assert!(challenge.starts_with(&format!("Bearer error=\"{error}\"")), "{challenge}");
            assert_eq!((answer.string("error"), answer.header("cache-control")), (error.to_owned(), Some("no-store")));
        }
        world.send(follower::request("", Some(&wide))).await.expect(200);
        // In the address it is nobody's.
        world.send(follower::request(&format!("?access_token={}", follower.token), None)).await.expect(401);
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            world.send(follower::by(&method, &follower.token)).await.expect(405);
        }
        let head = world.send(follower::by(&Method::HEAD, &follower.token)).await.expect(200);
        assert_eq!((head.text(), head.header("content-type")), ("", Some(follower::MEDIA_TYPE)));
        // Taken back from the client, its tokens are good for nothing.
        let changes = json!({ "scope": "orders" }).as_object().unwrap().clone();
        world.app().update_client(&world.operator().op(), &other.client_id, changes).await.unwrap().unwrap();
        world.send(follower::request("", Some(&wide))).await.expect(401);
        world.app().delete_client(&world.operator().op(), &follower.client_id).await.unwrap();
        world.send(follower::request("", Some(&follower.token))).await.expect(401);
    });
}

/// Proves: V9.2.3
#[test]
fn a_token_for_the_feed_is_good_nowhere_else() {
    both(async |world| {
        let follower = Follower::register(world).await;
        let claims = follower.party.verify(&follower.token).await;
        assert_eq!(claims["aud"], json!([FEED]));
        assert_eq!((&claims["scope"], &claims["sub"]), (&json!("doorward:revocations"), &json!(follower.client_id)));
        follower.party.userinfo(&follower.token).await.expect(401);
    });
}

/// Proves: A-91
#[test]
fn the_scope_of_the_feed_is_a_clients_own_and_no_persons_to_give() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let fields = json!({
            "grant_types": ["authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"],
            "scope": "openid orders doorward:revocations",
            "resources": ["https://api.example"],
        });
        let shop = RelyingParty::register(world, fields).await;
        owner.open(&shop.start(&[("scope", "openid doorward:revocations")])).await.expect(303);
        assert_eq!(RelyingParty::error(&owner), "invalid_scope");
        let asked = form_of(&[("client_id", &shop.client_id), ("scope", "doorward:revocations")]);
        let answer = shop.call("/oauth2/device_authorization", asked).await.expect(400);
        assert_eq!(answer.string("error"), "invalid_scope");
        for (wrong, field) in [
            (json!({ "scope": "openid doorward:revocations" }), "scope"),
            (
                json!({ "scope": "orders doorward:revocations", "grant_types": ["client_credentials"], "redirect_uris": [] }),
                "resources",
            ),
        ] {
            let mut fields = json!({ "redirect_uris": ["https://shop.example/callback"] }).as_object().unwrap().clone();
            fields.extend(wrong.as_object().unwrap().clone());
            let refused = world.app().create_client(&world.operator().op(), fields).await;
            let message = format!("{:?}", refused.err().unwrap());
            assert!(message.contains(&format!("field: \"{field}\"")), "{message}");
        }
    });
}

fn form_of(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Proves: A-90
#[test]
fn hostile_parameters_are_refused() {
    both(async |world| {
        let follower = Follower::register(world).await;
        poll(world).await;
        let page = follower.page("").await;
        let long = "A".repeat(201);
        for query in [
            "?wait=21",
            "?wait=-1",
            "?wait=1.5",
            "?wait=x",
            "?wait=%00",
            "?wait=1&wait=1",
            "?cursor=x",
            "?cursor=%ff",
            "?cursor=a%20b",
            "?cursor=..%2F..%2Fetc",
            "?cursor=AQ",
            "?cursor=a&cursor=a",
            &format!("?cursor={long}"),
            &format!("?cursor={}A", page.cursor),
            &format!("?cursor={}%3D", page.cursor),
        ] {
            let answer = world.send(follower::request(query, Some(&follower.token))).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_request", "{query}");
        }
        // A cursor that somebody made up leads them astray, and nothing else.
        for text in
            ["AQ".to_owned() + &"_".repeat(32), "AX".to_owned() + &"_".repeat(32), "AQ".to_owned() + &"A".repeat(32)]
        {
            let query = format!("?cursor={text}");
            let answer = world.send(follower::request(&query, Some(&follower.token))).await;
            assert!([200, 400].contains(&answer.status.as_u16()), "{text}: {}", answer.status);
        }
        follower.page("?unknown=1&wait=").await;
    });
}

/// Proves: V9.1.1
#[test]
fn a_page_is_signed_and_says_who_tells_it() {
    both(async |world| {
        let follower = Follower::register(world).await;
        poll(world).await;
        let answer = world.send(follower::request("", Some(&follower.token))).await.expect(200);
        assert_eq!(answer.header("content-type"), Some(follower::MEDIA_TYPE));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let header = crate::provider::relying_party::header_of(answer.text());
        assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("doorward-revocations+jwt")));
        assert_eq!(header.as_object().unwrap().len(), 3, "{header}");
        let claims = follower.party.verify(answer.text()).await;
        assert_eq!(claims["iss"], "https://auth.example.test");
        let (now, life) = (world.now().as_seconds(), 600 + 60);
        let near = |name: &str, expected: i64| (claims[name].as_i64().unwrap() - expected).abs() <= 1;
        assert!(near("iat", now) && near("complete_since", now - life), "{claims}");
        // It is no access token, and no proof of a sign-in.
        world.send(follower::request("", Some(answer.text()))).await.expect(401);
        follower.party.userinfo(answer.text()).await.expect(401);
    });
}

#[test]
fn an_operator_can_let_everybody_follow() {
    let mut setup = Setup::default();
    setup.settings.public_revocations = true;
    both_with(&setup, async |world| {
        let mut owner = signed_in(world).await;
        owner.fetch(Method::POST, "/api/v1/logout", None).await.expect(204);
        poll(world).await;
        let answer = world.send(follower::request("", None)).await.expect(200);
        assert_eq!(answer.header("content-type"), Some(follower::MEDIA_TYPE));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=1"));
        // A token is not looked at.
        world.send(follower::request("", Some("whatever"))).await.expect(200);
        let answer = world.send(follower::request("?wait=1", None)).await.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        world.send(follower::request("?wait=x", None)).await.expect(400);
    });
}

/// Proves: A-122
#[test]
fn discovery_says_where_the_feed_is() {
    both(async |world| {
        for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
            let document = world.send(follower::get(path)).await.expect(200).json();
            assert_eq!(document["doorward_revocation_feed_endpoint"], FEED, "{path}");
        }
    });
}

/// Proves: S-31, V7.4.2
#[test]
fn a_person_who_is_kept_out_is_named_themselves() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        let follower = Follower::register(world).await;
        let earlier = granted(&shop, &mut owner, &[]).await;
        world.advance(1_000);
        let latest = granted(&shop, &mut owner, &[]).await;
        let second = world.now().as_seconds();
        let id = world.operator().find_user(OWNER).await.unwrap();
        world.operator().disable(id).await;
        poll(world).await;
        let page = follower.page("").await;
        let only = page.revoked.iter().filter(|entry| entry.kind == "subject").cloned().collect();
        let subject = Page { revoked: only, ..page.clone() };
        assert!(subject.names(&shop, &earlier.access).await, "{:?}", subject.revoked);
        // What was issued in this second is named by what it came from.
        assert!(page.names(&shop, &latest.access).await, "{:?}", page.revoked);
        // So whoever is let in again has good tokens at once, in the very same second.
        world.operator().enable(id).await;
        owner.sign_in(OWNER, PASSWORD).await.expect(200);
        let own = owner.fetch(Method::POST, "/api/v1/token", None).await.expect(200).string("access_token");
        let tokens = granted(&shop, &mut owner, &[]).await;
        assert_eq!(world.now().as_seconds(), second, "all of this within a second");
        for token in [&own, &tokens.access] {
            assert!(!page.names(&shop, token).await);
            assert!(!follower.page("").await.names(&shop, token).await);
        }
    });
}

/// Proves: S-31, S-193
#[test]
fn two_nodes_and_a_restart_lose_nothing() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        let follower = Follower::register(world).await;
        let other = another(world).await;
        for node in [world, &other] {
            poll(node).await;
        }
        let start = follower.page("").await;
        let tokens = granted(&shop, &mut owner, &[]).await;
        shop.revoke(&tokens.access).await.expect(200);
        // The other node does not know it yet, and tells it once it does.
        let blind = follower.at(&other).after(&start).await;
        assert!(blind.revoked.is_empty());
        poll(&other).await;
        let seen = follower.at(&other).after(&blind).await;
        assert!(seen.names(&shop, &tokens.access).await);
        // Going back and forth repeats each entry once a node, and not for ever.
        poll(world).await;
        let repeated = follower.after(&seen).await;
        assert!(repeated.names(&shop, &tokens.access).await);
        let quiet = follower.at(&other).after(&repeated).await;
        assert!(quiet.revoked.is_empty());
        assert!(follower.after(&quiet).await.revoked.is_empty());
        // A new process continues what an old one began.
        shop.revoke(&tokens.refresh).await.expect(200);
        let young = another(world).await;
        world.send(follower::request("", Some(&follower.token))).await.expect(200);
        young.send(follower::request("", Some(&follower.token))).await.expect(503);
        poll(&young).await;
        let page: Page = follower.at(&young).after(&quiet).await;
        assert!(page.kinds().contains(&"grant"), "{:?}", page.kinds());
    });
}
