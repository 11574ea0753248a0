//! The lists of things to try that reviewers of such servers carry, each from its first line to its last.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use doorward_testkit::world::Request;
use doorward_testkit::{Answer, Setup, World, both, both_with};
use http::{Method, header};
use serde_json::{Value, json};

use super::algorithms::{all, keep_keys};
use super::pushed::push;
use super::relying_party::{FORM, RelyingParty, VERIFIER, header_of};
use super::renewal::{granted, renewing};
use super::{code, signed_in};
use crate::credentials::{bare, execute, with_bearer};
use crate::people::HOME;

pub(super) fn generous() -> Setup {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 1_000.0;
    setup
}

/// Proves, V10.4.4, V10.4.6, V10.4.12
#[test]
fn a_request_for_another_flow_or_without_a_good_challenge_is_refused_at_both_doors() {
    both_with(&generous(), async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let long = "a".repeat(44);
        for (name, value, error) in [
            ("response_type", "token", "unsupported_response_type"),
            ("response_type", "id_token", "unsupported_response_type"),
            ("response_type", "code token", "unsupported_response_type"),
            ("response_type", "code id_token", "unsupported_response_type"),
            ("response_type", "id_token token", "unsupported_response_type"),
            ("response_type", "code id_token token", "unsupported_response_type"),
            ("response_type", "none", "unsupported_response_type"),
            ("response_type", "CODE", "unsupported_response_type"),
            ("response_type", "code ", "unsupported_response_type"),
            ("response_mode", "fragment", "invalid_request"),
            ("response_mode", "web_message", "invalid_request"),
            ("response_mode", "query.jwt", "invalid_request"),
            ("response_mode", "form_post ", "invalid_request"),
            ("code_challenge_method", "plain", "invalid_request"),
            ("code_challenge_method", "", "invalid_request"),
            ("code_challenge_method", "S512", "invalid_request"),
            ("code_challenge_method", "s256", "invalid_request"),
            ("code_challenge", "", "invalid_request"),
            ("code_challenge", VERIFIER, "invalid_request"),
            ("code_challenge", "short", "invalid_request"),
            ("code_challenge", &long, "invalid_request"),
            ("code_challenge", "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!", "invalid_request"),
            ("scope", "openid *", "invalid_scope"),
            ("scope", "*", "invalid_scope"),
            ("scope", "OPENID", "invalid_scope"),
            ("scope", "openid%20admin", "invalid_scope"),
            ("scope", "openid\tadmin", "invalid_scope"),
            ("scope", "openid,admin", "invalid_scope"),
            ("scope", "openid admin", "invalid_scope"),
            ("scope", "openid \"", "invalid_scope"),
        ] {
            // The verifier of the standard's example happens to be a well-formed challenge: of another verifier.
            if value == VERIFIER {
                continue;
            }
            owner.open(&shop.start(&[(name, value)])).await.expect(303);
            assert_eq!(RelyingParty::error(&owner), error, "{name}: {value}");
            let body = shop.start(&[(name, value)]).split_once('?').unwrap().1.to_owned();
            assert_eq!(push(&shop, body).await.expect(400).string("error"), error, "{name}: {value}");
        }
        // A challenge that is the verifier itself is read as S256, and no verifier opens it as plain.
        owner.open(&shop.start(&[("code_challenge", VERIFIER)])).await.expect(303);
        let plain = shop.code(&owner);
        assert_eq!(shop.exchange(&plain, &[]).await.expect(400).string("error"), "invalid_grant");
    });
}

/// Proves: A-85, V10.4.6
#[test]
fn a_code_is_opened_by_its_own_verifier_only() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let mine = code(&shop, &mut owner).await;
        let challenge = shop.start(&[]);
        let challenge = url::form_urlencoded::parse(challenge.split_once('?').unwrap().1.as_bytes())
            .find(|(name, _)| name == "code_challenge")
            .unwrap()
            .1
            .into_owned();
        let (short, long, bad) = ("a".repeat(42), "a".repeat(129), format!("{}+", "a".repeat(43)));
        for verifier in ["", "wrong", &short, &long, &bad, &challenge, &VERIFIER.to_uppercase(), &"a".repeat(43)] {
            let answer = shop.exchange(&mine, &[("code_verifier", verifier)]).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_grant", "{verifier}");
        }
        shop.tokens(&mine).await;
        // Whoever need not use it may not begin to in the middle: somebody has taken the challenge away.
        let without = RelyingParty::register(world, json!({ "require_pkce": false })).await;
        owner.open(&without.start(&[("code_challenge", ""), ("code_challenge_method", "")])).await.expect(303);
        let bare = without.code(&owner);
        assert_eq!(without.exchange(&bare, &[]).await.expect(400).string("error"), "invalid_grant");
        for wrong in [&[("code_challenge", "")][..], &[("code_challenge_method", "")]] {
            owner.open(&without.start(wrong)).await.expect(303);
            assert_eq!(RelyingParty::error(&owner), "invalid_request", "{wrong:?}");
        }
        let no_nonce = [("code_challenge", ""), ("code_challenge_method", ""), ("nonce", "")];
        owner.open(&without.start(&no_nonce)).await.expect(303);
        assert_eq!(RelyingParty::error(&owner), "invalid_request");
        without.exchange(&bare, &[("code_verifier", "")]).await.expect(200);
    });
}

/// Proves, V10.4.4
#[test]
fn a_grant_that_is_not_there_or_not_the_clients_gives_nothing() {
    both_with(&generous(), async |world| {
        let shop = RelyingParty::register(world, json!({})).await;
        let public = RelyingParty::register(world, json!({ "token_endpoint_auth_method": "none" })).await;
        for (grant, error) in [
            ("password&username=a&password=b", "unsupported_grant_type"),
            ("implicit", "unsupported_grant_type"),
            ("urn:example:unknown", "unsupported_grant_type"),
            ("urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=x", "unsupported_grant_type"),
            ("urn:ietf:params:oauth:grant-type:saml2-bearer", "unsupported_grant_type"),
            ("urn:openid:params:grant-type:ciba", "unsupported_grant_type"),
            ("Authorization_Code", "unsupported_grant_type"),
            ("authorization_code ", "unsupported_grant_type"),
            ("", "invalid_request"),
            ("client_credentials", "unauthorized_client"),
            ("refresh_token&refresh_token=x", "unauthorized_client"),
            ("urn:ietf:params:oauth:grant-type:device_code&device_code=x", "unauthorized_client"),
            ("urn:ietf:params:oauth:grant-type:token-exchange&subject_token=x", "unauthorized_client"),
        ] {
            for (who, body) in [
                (&shop, format!("grant_type={grant}")),
                (&public, format!("grant_type={grant}&client_id={}", public.client_id)),
            ] {
                let answer = who.ask(body).await.expect(400);
                assert_eq!(answer.string("error"), error, "{grant}");
                assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"), "{grant}");
            }
        }
        for path in ["/oauth2/token", "/oauth2/revoke", "/oauth2/introspect", "/oauth2/par"] {
            for (method, kind, status) in [
                (Method::GET, FORM, 405),
                (Method::PUT, FORM, 405),
                (Method::POST, "application/json", 415),
                (Method::POST, "multipart/form-data; boundary=x", 415),
                (Method::POST, "text/plain", 415),
                (Method::POST, "", 415),
            ] {
                let request = Request::new(method.clone(), path, HOME).header(header::CONTENT_TYPE, kind);
                let answer = world.send(request.body("{}".to_owned())).await.expect(status);
                assert_eq!(answer.string("error"), "invalid_request", "{method} {path} {kind}");
                assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"), "{method} {path} {kind}");
            }
        }
    });
}

async fn with_headers(world: &World, headers: &[String], body: &str) -> Answer {
    let mut request = Request::new(Method::POST, "/oauth2/token", HOME).header(header::CONTENT_TYPE, FORM);
    for value in headers {
        request = request.header(header::AUTHORIZATION, value);
    }
    world.send(request.body(body.to_owned())).await
}

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

/// Proves: A-90, V10.4.10
#[test]
fn a_client_proves_itself_in_its_own_way_or_not_at_all() {
    both_with(&generous(), async |world| {
        let shop = RelyingParty::register(world, json!({})).await;
        let posts = RelyingParty::register(world, json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
        let public = RelyingParty::register(world, json!({ "token_endpoint_auth_method": "none" })).await;
        let (id, secret) = (shop.client_id.as_str(), shop.secret.clone().unwrap());
        let (posting, posted) = (posts.client_id.as_str(), posts.secret.clone().unwrap());
        let good = basic(&format!("{id}:{secret}"));
        let body = "grant_type=authorization_code&code=dwac_x".to_owned();
        for (name, headers, body, status) in [
            ("nothing", vec![], format!("{body}&client_id={id}"), 401),
            ("nobody", vec![], body.clone(), 401),
            ("wrong secret", vec![basic(&format!("{id}:dwcs_{}", "A".repeat(43)))], body.clone(), 401),
            ("secret of another", vec![basic(&format!("{id}:{posted}"))], body.clone(), 401),
            ("empty secret", vec![basic(&format!("{id}:"))], body.clone(), 401),
            ("no colon", vec![basic(id)], body.clone(), 401),
            ("no base64", vec!["Basic %%%".to_owned()], body.clone(), 401),
            ("no text", vec![format!("Basic {}", STANDARD.encode(b"\xff\xfe:\xff"))], body.clone(), 401),
            ("no value", vec!["Basic".to_owned()], body.clone(), 401),
            ("bad percent", vec![basic(&format!("{id}%zz:{secret}"))], body.clone(), 401),
            ("another scheme", vec![format!("Bearer {secret}")], body.clone(), 401),
            ("huge", vec![basic(&format!("{id}:{}", "a".repeat(4_000)))], body.clone(), 401),
            ("two headers", vec![good.clone(), good.clone()], body.clone(), 400),
            ("both ways", vec![good.clone()], format!("{body}&client_id={id}&client_secret={secret}"), 400),
            ("another id in the body", vec![good.clone()], format!("{body}&client_id={posting}"), 400),
            ("posted, not registered", vec![], format!("{body}&client_id={id}&client_secret={secret}"), 401),
            ("basic, not registered", vec![basic(&format!("{posting}:{posted}"))], body.clone(), 401),
            ("a public one with a secret", vec![basic(&format!("{}:{secret}", public.client_id))], body.clone(), 401),
            ("secret twice", vec![], format!("{body}&client_id={posting}&client_secret=a&client_secret={posted}"), 400),
        ] {
            let answer = with_headers(world, &headers, &body).await.expect(status);
            let error = if status == 401 { "invalid_client" } else { "invalid_request" };
            assert_eq!(answer.string("error"), error, "{name}");
            if status == 401 && !headers.is_empty() {
                assert!(answer.header(header::WWW_AUTHENTICATE).unwrap().starts_with("Basic "), "{name}");
            }
        }
        let proved =
            async |header: String| with_headers(world, &[header], &body).await.string("error") == "invalid_grant";
        assert!(proved(good.clone()).await, "the way these tests prove it is right");
        let answer = with_headers(world, &[], &format!("{body}&client_id={posting}&client_secret={posted}")).await;
        assert_eq!(answer.expect(400).string("error"), "invalid_grant");
        // Two are good during a rotation, and the old one not for longer.
        let rotate = async |overlap_ms| {
            let rotated = world.app().rotate_client_secret(&world.operator().op(), id, overlap_ms).await;
            let next = rotated.unwrap().unwrap().reveal().to_string();
            world.canaries().add(&next);
            basic(&format!("{id}:{next}"))
        };
        let second = rotate(10_000).await;
        assert!(proved(good.clone()).await && proved(second.clone()).await);
        world.advance(10_000);
        assert!(!proved(good).await && proved(second.clone()).await);
        let third = rotate(0).await;
        assert!(!proved(second).await && proved(third).await);
    });
}

/// Proves
#[test]
fn an_application_that_is_kept_out_has_nothing_and_uses_nothing_up() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        let service = json!({ "grant_types": [], "redirect_uris": [], "served_resources": [super::renewal::API] });
        let service = RelyingParty::register(world, service).await;
        let tokens = granted(&shop, &mut owner, &[("resource", super::renewal::API)]).await;
        let unused = code(&shop, &mut owner).await;
        assert_eq!(service.introspect(&tokens.access).await["active"], true);
        let of_the_shop = "UPDATE clients SET disabled_at = 1 WHERE metadata LIKE '%callback%'";
        assert_eq!(execute(world, of_the_shop).await, 1);
        assert_eq!(shop.exchange(&unused, &[]).await.expect(401).string("error"), "invalid_client");
        assert_eq!(shop.refresh(&tokens.refresh, &[]).await.expect(401).string("error"), "invalid_client");
        shop.userinfo(&tokens.access).await.expect(401);
        assert_eq!(service.introspect(&tokens.access).await, json!({ "active": false }));
        shop.revoke(&tokens.refresh).await.expect(401);
        push(&shop, shop.start(&[]).split_once('?').unwrap().1.to_owned()).await.expect(401);
        let page = owner.open(&shop.start(&[])).await.expect(400);
        assert!(page.header(header::LOCATION).is_none());
        assert_eq!(execute(world, "UPDATE clients SET disabled_at = NULL").await, 2);
        shop.tokens(&unused).await;
        shop.userinfo(&tokens.access).await.expect(200);
        shop.refresh(&tokens.refresh, &[]).await.expect(200);
    });
}

/// Proves: S-31, A-83, A-95, A-122
#[test]
fn an_application_that_is_let_in_again_begins_anew() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        let tokens = granted(&shop, &mut owner, &[]).await;
        let unused = code(&shop, &mut owner).await;
        let pushed = || async { push(&shop, shop.start(&[]).split_once('?').unwrap().1.to_owned()).await };
        let request = pushed().await.expect(201).string("request_uri");
        let (app, operator) = (world.app(), world.operator());
        assert!(app.disable_client(&operator.op(), &shop.client_id).await.unwrap());
        assert!(!app.disable_client(&operator.op(), &shop.client_id).await.unwrap(), "once is enough");
        pushed().await.expect(401);
        owner.open(&shop.start(&[])).await.expect(400);
        assert!(app.enable_client(&operator.op(), &shop.client_id).await.unwrap());
        assert!(!app.enable_client(&operator.op(), &shop.client_id).await.unwrap());
        assert_eq!(shop.exchange(&unused, &[]).await.expect(400).string("error"), "invalid_grant");
        assert_eq!(shop.refresh(&tokens.refresh, &[]).await.expect(400).string("error"), "invalid_grant");
        shop.userinfo(&tokens.access).await.expect(401);
        let begin = format!("/oauth2/authorize?client_id={}&request_uri={request}", shop.client_id);
        owner.open(&begin).await.expect(400);
        world.advance(11_000);
        let anew = granted(&shop, &mut owner, &[]).await;
        shop.userinfo(&anew.access).await.expect(200);
        shop.refresh(&anew.refresh, &[]).await.expect(200);
        assert!(!app.disable_client(&operator.op(), "client_none").await.unwrap());
        assert!(!app.enable_client(&operator.op(), "../../etc").await.unwrap());
    });
}

/// Texts that were made with what everybody can read of a key.
fn with_public_bytes(text: &str, key: &Value) -> Vec<(String, String)> {
    let payload = text.split('.').nth(1).unwrap();
    let mut secrets = vec![("JWK".to_owned(), key.to_string().into_bytes()), ("nothing".to_owned(), Vec::new())];
    for name in ["n", "e", "x", "y", "kid"] {
        let Some(value) = key[name].as_str() else { continue };
        secrets.push((format!("{name} as text"), value.into()));
        secrets.extend(URL_SAFE_NO_PAD.decode(value).ok().map(|bytes| (name.to_owned(), bytes)));
    }
    let algorithms = [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)];
    let mut all = Vec::new();
    for (algorithm, function) in algorithms {
        let head = json!({ "alg": algorithm, "typ": header_of(text)["typ"], "kid": key["kid"] });
        let input = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(head.to_string()));
        for (name, secret) in &secrets {
            let tag = hmac::sign(&hmac::Key::new(function, secret), input.as_bytes());
            all.push((format!("{algorithm} with {name}"), format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))));
        }
    }
    all
}

/// Proves, V9.1.2
#[test]
fn what_everybody_can_read_of_a_key_signs_nothing() {
    let mut setup = all();
    setup.edge.limit_scale = 1_000.0;
    both_with(&setup, async |world| {
        let mut owner = signed_in(world).await;
        keep_keys(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let mine = code(&shop, &mut owner).await;
        let tokens = shop.tokens(&mine).await;
        let keys = world.send(Request::new(Method::GET, "/.well-known/jwks.json", HOME)).await.expect(200).json();
        let keys = keys["keys"].as_array().unwrap();
        let mut kinds: Vec<&str> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds, ["ES256", "EdDSA", "RS256"]);
        let mut ids: Vec<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), keys.len(), "no two keys have one id");
        for key in keys {
            for secret in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert_eq!(key.get(secret), None, "{secret}");
            }
            assert_eq!(key["use"], "sig");
            for (name, text) in with_public_bytes(&tokens.access, key) {
                assert_eq!(shop.userinfo(&text).await.expect(401).string("error"), "invalid_token", "{name}");
                world.send(with_bearer(bare(&Method::GET, "/api/v1/me"), &text)).await.expect(401);
            }
            for (name, text) in with_public_bytes(&tokens.id_token, key) {
                owner.open(&shop.start(&[("prompt", "none"), ("id_token_hint", &text)])).await.expect(303);
                assert_eq!(RelyingParty::error(&owner), "login_required", "{name}");
            }
        }
    });
}
