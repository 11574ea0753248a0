//! Requests that are pushed beforehand (RFC 9126) or signed (RFC 9101).

mod signed;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_testkit::world::{PUBLIC_URL, Request};
use doorward_testkit::{Answer, Browser, Setup, both, both_with};
use http::{Method, header};
use serde_json::json;

use super::relying_party::{FORM, RelyingParty, browser};
use super::{TYPED, signed_in};
use crate::people::{AWAY, HOME, OWNER, PASSWORD};

pub(super) use signed::{claims, signed};

const PUSH: &str = "/oauth2/par";

/// The parameters of an honest request, with these changed; an empty value leaves one out.
pub(super) fn form(shop: &RelyingParty, changes: &[(&str, &str)]) -> String {
    shop.start(changes).split_once('?').unwrap().1.to_owned()
}

pub(super) async fn push(shop: &RelyingParty, body: String) -> Answer {
    let mut request = Request::new(Method::POST, PUSH, HOME).header(header::CONTENT_TYPE, FORM);
    if let Some(secret) = &shop.secret {
        let basic = STANDARD.encode(format!("{}:{secret}", shop.client_id));
        request = request.header(header::AUTHORIZATION, &format!("Basic {basic}"));
    }
    shop.world.send(request.body(body)).await
}

/// Pushes an honest request with these changes, and gives the address to send people to.
async fn pushed(shop: &RelyingParty, changes: &[(&str, &str)]) -> String {
    let answer = push(shop, form(shop, changes)).await.expect(201);
    assert_eq!(answer.json()["expires_in"], 90);
    assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"));
    address(shop, &answer.string("request_uri"))
}

fn address(shop: &RelyingParty, request_uri: &str) -> String {
    let fields = [("client_id", shop.client_id.as_str()), ("request_uri", request_uri)];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("/oauth2/authorize?{query}")
}

/// What the request says on a page of ours, where it leads nowhere.
async fn refused_on_a_page(owner: &mut Browser, path: &str) {
    let page = owner.open(path).await.expect(400);
    assert!(page.header(header::LOCATION).is_none(), "{path}");
}

/// Proves
#[test]
fn a_pushed_request_is_answered_once_and_nothing_outside_counts() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let other = RelyingParty::register(world, json!({})).await;
        let path = pushed(&shop, &[]).await;
        assert!(path.contains("request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A"), "{path}");
        // Another application cannot use it.
        let taken = path.replace(&shop.client_id, &other.client_id);
        refused_on_a_page(&mut owner, &taken).await;
        let outside = form(&other, &[]);
        owner.open(&format!("{taken}&{}", outside.replace("client_id=", "x="))).await.expect(303);
        assert_eq!(RelyingParty::error(&owner), "invalid_request_uri", "to it there is no such request");
        let more = "&scope=openid+profile+admin&redirect_uri=https%3A%2F%2Fevil.example&state=x&nonce=y&code_challenge=z\
                    &code_challenge_method=plain&prompt=login&max_age=0";
        owner.open(&format!("{path}{more}")).await.expect(303);
        let tokens = shop.tokens(&shop.code(&owner)).await;
        assert_eq!(shop.verify(&tokens.access).await["scope"], json!("openid email"));
        refused_on_a_page(&mut owner, &path).await;
        // A response type that contradicts what was pushed is a mix of two requests.
        let path = pushed(&shop, &[]).await;
        refused_on_a_page(&mut owner, &format!("{path}&response_type=token")).await;
        for (path, code) in [
            (address(&shop, "urn:ietf:params:oauth:request_uri:made-up"), "unknown"),
            (address(&shop, "urn:ietf:params:oauth:request_uri:"), "empty"),
            (address(&shop, "https://shop.example/request"), "fetched"),
            (address(&shop, "http://169.254.169.254/"), "fetched"),
            (format!("{path}&request_uri=urn%3Aother"), "twice"),
            (format!("{path}&request=e30.e30.e30"), "both"),
        ] {
            let page = owner.open(&path).await.expect(400);
            assert!(page.header(header::LOCATION).is_none(), "{code}");
        }
        world.advance(89_000);
        owner.open(&path).await.expect(303);
        shop.code(&owner);
        let late = pushed(&shop, &[]).await;
        world.advance(90_000);
        refused_on_a_page(&mut owner, &late).await;
    });
}

/// Proves: A-98
#[test]
fn a_visitor_who_came_in_time_may_take_an_hour_to_sign_in() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let shop = RelyingParty::register(world, json!({ "consent": "ask" })).await;
        let path = pushed(&shop, &[("response_mode", "form_post")]).await;
        let mut owner = browser(world, AWAY);
        owner.open(&path).await.expect(200);
        assert!(owner.location.starts_with("/login?flow="), "{}", owner.location);
        world.advance(10 * 60_000);
        // Whoever has only the address comes too late.
        refused_on_a_page(&mut browser(world, HOME), &path).await;
        owner.submit("/login", &TYPED).await.expect(200);
        assert!(owner.has_form("/oauth2/consent"), "{}", owner.page.as_ref().unwrap().text());
        world.advance(60_000);
        let page = owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(200);
        assert!(page.text().contains("dwac_"), "{}", page.text());
        // What was answered is not answered again, by a reload or from the history.
        let way = owner.location.clone();
        assert!(way.starts_with("/oauth2/authorize?flow="), "{way}");
        refused_on_a_page(&mut owner, &way).await;
    });
}

/// Proves
#[test]
fn of_fifty_who_open_a_pushed_request_at_once_one_gets_a_code() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 1_000.0;
    both_with(&setup, async |world| {
        let owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let path = pushed(&shop, &[]).await;
        let mut opened = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (mut owner, path) = (owner.clone(), path.clone());
            opened.spawn(async move {
                let answer = owner.open(&path).await;
                answer.header(header::LOCATION).is_some_and(|location| location.contains("code=dwac_"))
            });
        }
        assert_eq!(opened.join_all().await.into_iter().filter(|has_code| *has_code).count(), 1);
    });
}

/// Proves, V10.4.10
#[test]
fn what_is_wrong_with_a_request_is_said_when_it_is_pushed() {
    both(async |world| {
        let shop = RelyingParty::register(world, json!({})).await;
        let other = RelyingParty::register(world, json!({})).await;
        for (changes, error) in [
            (("redirect_uri", "https://evil.example/cb"), "invalid_request"),
            (("redirect_uri", ""), "invalid_request"),
            (("response_type", "token"), "unsupported_response_type"),
            (("code_challenge", ""), "invalid_request"),
            (("code_challenge_method", "plain"), "invalid_request"),
            (("scope", "openid admin"), "invalid_scope"),
            (("prompt", "none login"), "invalid_request"),
            (("request_uri", "urn:ietf:params:oauth:request_uri:x"), "invalid_request"),
            (("request_uri", "https://shop.example/request"), "invalid_request"),
            (("client_id", other.client_id.as_str()), "invalid_request"),
            (("resource", "https://api.example"), "invalid_target"),
            (("request", "e30.e30.e30"), "invalid_request_object"),
        ] {
            let answer = push(&shop, form(&shop, &[changes])).await.expect(400);
            assert_eq!(answer.string("error"), error, "{changes:?}");
        }
        let twice = format!("{}&scope=openid", form(&shop, &[]));
        assert_eq!(push(&shop, twice).await.expect(400).string("error"), "invalid_request");
        for body in [String::new(), "%ff".to_owned(), "a=%zz".to_owned()] {
            push(&shop, body).await.expect(400);
        }
        let wrong = format!("dwcs_{}", "A".repeat(43));
        for secret in [None, Some(wrong)] {
            let nobody = RelyingParty { world: world.clone(), client_id: shop.client_id.clone(), secret };
            let answer = push(&nobody, form(&shop, &[])).await.expect(401);
            assert_eq!(answer.string("error"), "invalid_client");
        }
        for (method, content_type, status) in
            [(Method::GET, FORM, 405), (Method::POST, "application/json", 415), (Method::POST, "", 415)]
        {
            let request = Request::new(method, PUSH, HOME).header(header::CONTENT_TYPE, content_type);
            world.send(request.body("{}".to_owned())).await.expect(status);
        }
        // A public client says who it is, and no secret is kept.
        let public = RelyingParty::register(world, json!({ "token_endpoint_auth_method": "none" })).await;
        push(&public, form(&public, &[])).await.expect(201);
        let posted = RelyingParty::register(world, json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
        let secret = posted.secret.clone().unwrap();
        let bare = RelyingParty { world: world.clone(), client_id: posted.client_id.clone(), secret: None };
        push(&bare, format!("{}&client_secret={secret}", form(&posted, &[]))).await.expect(201);
    });
}

/// Proves: A-98
#[test]
fn where_requests_must_be_pushed_no_other_is_taken() {
    for is_global in [false, true] {
        let mut setup = Setup::default();
        setup.settings.pushed_only = is_global;
        both_with(&setup, async |world| {
            let mut owner = signed_in(world).await;
            let required = json!({ "require_pushed_authorization_requests": !is_global });
            let shop = RelyingParty::register(world, required).await;
            owner.open(&shop.start(&[])).await.expect(303);
            assert_eq!(RelyingParty::error(&owner), "invalid_request");
            owner.open(&pushed(&shop, &[]).await).await.expect(303);
            shop.tokens(&shop.code(&owner)).await;
            let request = Request::new(Method::GET, "/.well-known/openid-configuration", HOME);
            let document = world.send(request).await.expect(200).json();
            assert_eq!(document["require_pushed_authorization_requests"], json!(is_global));
            assert_eq!(document["pushed_authorization_request_endpoint"], json!(format!("{PUBLIC_URL}{PUSH}")));
        });
    }
}
