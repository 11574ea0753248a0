//! The feed of revocations, and tokens that are bound to keys.

use doorward_model::time::HOUR_MS;
use doorward_testkit::world::Request;
use doorward_testkit::{Answer, World, both};
use http::{Method, header};
use serde_json::json;

use super::kept::{granted, keeping, renewal};
use super::{Holder, TOKEN, token};
use crate::credentials::poll;
use crate::people::{HOME, OWNER};
use crate::provider::own_keys::OwnKey;
use crate::provider::relying_party::RelyingParty;
use crate::provider::signed_in;
use crate::revocation_feed::follower::{Follower, Page};

const FEED: &str = "/oauth2/revocations";

async fn feed(world: &World, scheme: &str, access: &str, proofs: &[&str]) -> Answer {
    let mut request =
        Request::new(Method::GET, FEED, HOME).header(header::AUTHORIZATION, &format!("{scheme} {access}"));
    for proof in proofs {
        request = request.header("dpop", proof);
    }
    world.send(request).await
}

/// Proves: V10.3.5, A-110
#[test]
fn whoever_has_only_a_bound_token_does_not_follow() {
    both(async |world| {
        let (key, other) = (OwnKey::new("ES256"), OwnKey::new("ES256"));
        let fields = json!({
            "grant_types": ["authorization_code", "client_credentials"],
            "scope": "doorward:revocations",
        });
        let service = RelyingParty::register(world, fields).await;
        poll(world).await;
        let holder = Holder::new(&service, &key).await;
        let proof = holder.proof("POST", TOKEN, None, "one");
        let asked = "grant_type=client_credentials&scope=doorward:revocations";
        let access = token(&service, asked, &[&proof]).await.expect(200).string("access_token");
        let thief = Holder { world, key: &other, nonce: holder.nonce.clone() };
        let stolen = thief.proof("GET", FEED, Some(&access), "two");
        let elsewhere = holder.proof("GET", "/oauth2/userinfo", Some(&access), "three");
        for (name, scheme, proofs) in [
            ("as if it were not bound", "Bearer", vec![]),
            ("without a proof", "DPoP", vec![]),
            ("with another key", "DPoP", vec![stolen.as_str()]),
            ("with a proof for another address", "DPoP", vec![elsewhere.as_str()]),
        ] {
            let answer = feed(world, scheme, &access, &proofs).await;
            assert_eq!(answer.status.as_u16(), 401, "{name}");
        }
        let good = holder.proof("GET", FEED, Some(&access), "four");
        let answer = feed(world, "DPoP", &access, &[&good]).await.expect(200);
        assert!(answer.header("dpop-nonce").is_some());
        feed(world, "DPoP", &access, &[&good]).await.expect(401);
    });
}

/// A refresh token that stays the same leaves no trace of the tokens it gives.
///
/// Proves: S-31
#[test]
fn what_a_kept_refresh_token_gave_is_told_however_old_it_is() {
    both(async |world| {
        signed_in(world).await;
        let key = OwnKey::new("ES256");
        let pairwise = json!({ "subject_type": "pairwise" });
        let (first, second) = (
            RelyingParty::register(world, keeping(&pairwise)).await,
            RelyingParty::register(world, keeping(&pairwise)).await,
        );
        let follower = Follower::register(world).await;
        let mut issued = Vec::new();
        for shop in [&first, &second] {
            let holder = Holder::new(shop, &key).await;
            let refresh =
                granted(world, shop, &holder, &format!("begin {}", shop.client_id)).await.string("refresh_token");
            issued.push((shop, refresh));
        }
        world.advance(3 * HOUR_MS);
        let mut tokens = Vec::new();
        for (shop, refresh) in issued {
            let holder = Holder::new(shop, &key).await;
            let proof = holder.proof("POST", TOKEN, None, &format!("renewal {}", shop.client_id));
            tokens.push(token(shop, &renewal(&refresh), &[&proof]).await.expect(200).string("access_token"));
        }
        let op = world.operator().op();
        assert!(world.app().delete_client(&op, &first.client_id).await.unwrap());
        let id = world.operator().find_user(OWNER).await.unwrap();
        world.operator().disable(id).await;
        poll(world).await;
        let asked = "grant_type=client_credentials&scope=doorward:revocations".to_owned();
        let fresh = follower.party.ask(asked).await.expect(200).string("access_token");
        let page = Follower { token: fresh, ..follower.clone() }.page("").await;
        for (shop, token) in [(&first, &tokens[0]), (&second, &tokens[1])] {
            let claims = shop.verify(token).await;
            assert_eq!(claims.get("sid"), None);
            let grants = page.revoked.iter().filter(|entry| entry.kind == "grant").cloned().collect();
            let only_grants = Page { revoked: grants, ..page.clone() };
            assert!(only_grants.names(shop, token).await);
        }
    });
}
