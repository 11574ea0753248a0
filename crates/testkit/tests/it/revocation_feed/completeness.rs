//! Everything that ends a token is told: wherever asking about a token would say that it is not good any more, the feed names
//! something that this very token carries, and it names nothing of a token that is good.

mod ends;

use doorward_testkit::{Browser, World, both};
use serde_json::{Value, json};

use super::another;
use super::follower::Follower;
use crate::credentials::{me_by_bearer, poll};
use crate::people::{AWAY, OWNER, PASSWORD};
use crate::provider::machines::machine;
use crate::provider::relying_party::{RelyingParty, Tokens, browser, form, header_of};
use crate::provider::renewal::{API, FILES, granted, renewing};
use crate::provider::signed_in;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

/// One access token of each way to get one.
struct Issued {
    name: &'static str,
    token: String,
    header: Value,
    claims: Value,
}

/// Everybody who has a token of the owner, or one of their own.
struct Scene {
    world: World,
    owner: Browser,
    shop: RelyingParty,
    /// Knows the owner by a name of its own, and no session.
    private: RelyingParty,
    /// Was let in for longer than the session.
    offline: RelyingParty,
    /// Acts for people at another service.
    service: RelyingParty,
    machine: RelyingParty,
    /// Whom all tokens of applications are for.
    api: RelyingParty,
    of_shop: Tokens,
    of_offline: Tokens,
    /// The owner's own program.
    native_refresh: String,
    issued: Vec<Issued>,
}

impl Scene {
    async fn set(world: &World) -> Self {
        let mut owner = signed_in(world).await;
        let session = owner.fetch(http::Method::POST, "/api/v1/token", None).await.expect(200).string("access_token");
        let body = json!({ "email": OWNER, "password": PASSWORD, "mode": "token" });
        let native = world.api(AWAY).post("/api/v1/login", &body).await.expect(200);
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        let private = RelyingParty::register(world, renewing(&json!({ "subject_type": "pairwise" }))).await;
        let offline = RelyingParty::register(world, renewing(&json!({}))).await;
        let api = json!({ "grant_types": [], "redirect_uris": [], "served_resources": [API, FILES] });
        let api = RelyingParty::register(world, api).await;
        let fields = json!({
            "grant_types": [EXCHANGE], "redirect_uris": [], "served_resources": [API], "resources": [FILES],
            "scope": "orders",
        });
        let service = RelyingParty::register(world, fields).await;
        let machine = machine(world, &json!({})).await;
        let asked = [("scope", "openid orders"), ("resource", API)];
        let of_shop = granted(&shop, &mut owner, &asked).await;
        let of_private = granted(&private, &mut owner, &asked).await;
        let longer = [("scope", "openid orders offline_access"), ("resource", API)];
        let of_offline = granted(&offline, &mut owner, &longer).await;
        let exchange =
            vec![("grant_type", EXCHANGE), ("subject_token", &of_shop.access), ("subject_token_type", ACCESS)];
        let exchanged = service.ask(form(exchange, &[("resource", FILES)])).await.expect(200).string("access_token");
        let own = machine.ask("grant_type=client_credentials".to_owned()).await.expect(200).string("access_token");
        let mut issued = Vec::new();
        for (name, token) in [
            ("session", session),
            ("native", native.string("access_token")),
            ("shop", of_shop.access.clone()),
            ("private", of_private.access.clone()),
            ("offline", of_offline.access.clone()),
            ("exchanged", exchanged),
            ("machine", own),
        ] {
            let (header, claims) = (header_of(&token), shop.verify(&token).await);
            issued.push(Issued { name, token, header, claims });
        }
        let (world, native_refresh) = (world.clone(), native.string("refresh_token"));
        Self {
            world,
            owner,
            shop,
            private,
            offline,
            service,
            machine,
            api,
            of_shop,
            of_offline,
            native_refresh,
            issued,
        }
    }

    /// Whether Doorward itself takes the token for a good one.
    async fn is_good(&self, issued: &Issued) -> bool {
        if ["session", "native"].contains(&issued.name) {
            me_by_bearer(&self.world, &issued.token).await.status.as_u16() == 200
        } else {
            self.api.introspect(&issued.token).await["active"] == true
        }
    }

    async fn dead(&self) -> Vec<&'static str> {
        let mut dead = Vec::new();
        for issued in &self.issued {
            if !self.is_good(issued).await {
                dead.push(issued.name);
            }
        }
        dead
    }
}

/// Does `end` and finds that exactly `expected` died, and that the feed says so of each, on this node and another.
#[expect(clippy::needless_pass_by_value, reason = "closures are passed by value")]
fn ends(end: impl AsyncFn(&mut Scene), expected: &[&str]) {
    both(async |world| {
        let mut scene = Scene::set(world).await;
        let follower = Follower::register(world).await;
        assert_eq!(scene.dead().await, [""; 0]);
        end(&mut scene).await;
        assert_eq!(scene.dead().await, expected);
        let other = another(world).await;
        // The follower's own token may have died with the rest.
        let asked = "grant_type=client_credentials&scope=doorward:revocations".to_owned();
        let token = follower.party.ask(asked).await.expect(200).string("access_token");
        let follower = Follower { token, ..follower };
        for node in [world, &other] {
            poll(node).await;
            let page = follower.at(node).page("").await;
            assert!(!page.more);
            let named = scene.issued.iter().filter(|issued| page.names_claims(&issued.header, &issued.claims));
            let named: Vec<&str> = named.map(|issued| issued.name).collect();
            assert_eq!(named, expected, "{:?}", page.revoked);
        }
    });
}

/// A grant that is made while its session ends is either told or never made.
///
/// Proves: S-31, A-182
#[test]
fn a_grant_that_is_made_while_its_session_ends_is_told() {
    both(async |world| {
        let scene = Scene::set(world).await;
        let follower = Follower::register(world).await;
        let mut given = Vec::new();
        for _ in 0..15 {
            let mut owner = browser(world, AWAY);
            owner.sign_in(OWNER, PASSWORD).await.expect(200);
            let start = scene.private.start(&[("scope", "openid orders"), ("resource", API)]);
            owner.open(&start).await.expect(303);
            let code = scene.private.code(&owner);
            let redeem = scene.private.exchange(&code, &[]);
            let (redeemed, ended) = tokio::join!(redeem, owner.fetch(http::Method::POST, "/api/v1/logout", None));
            ended.expect(204);
            if redeemed.status.is_success() {
                given.push(redeemed.string("access_token"));
            } else {
                assert_eq!(redeemed.expect(400).string("error"), "invalid_grant");
            }
        }
        poll(world).await;
        let page = follower.page("").await;
        for token in given {
            assert_eq!(scene.api.introspect(&token).await["active"], false);
            assert!(page.names(&scene.private, &token).await);
        }
    });
}
