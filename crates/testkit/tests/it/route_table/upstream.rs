//! Nobody signs in by another provider's word: what one sends after a sign-in of its own, or somebody who pretends to be one,
//! is nothing anywhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_testkit::browser::Browser;
use doorward_testkit::world::PUBLIC_URL;
use doorward_testkit::{Answer, World, both};
use doorward_web::route::{Door, RouteInfo};
use http::{Method, header};
use serde_json::{Value, json};

use super::{is_unsafe, path, routes};
use crate::credentials::{EMAIL, number, register};

const UPSTREAM: &str = "https://upstream.example";

/// A token that says it is about the owner of an account here, whom its issuer calls an administrator.
fn id_token(algorithm: &str, verified: &Value) -> String {
    let now = 1_800_000_000;
    let claims = json!({
        "iss": UPSTREAM, "aud": PUBLIC_URL, "azp": PUBLIC_URL, "sub": "248289761001", "nonce": "n", "iat": now, "exp": now + 600,
        "email": EMAIL, "email_verified": verified, "role": "admin", "is_admin": true, "tenant": "other",
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(&json!({ "alg": algorithm, "typ": "JWT" })), part(&claims), "c2lnbmF0dXJl")
}

/// Answers as an upstream provider gives them: honest, mixed up with another one's, of a flow that hands tokens out in addresses, of
/// an assertion, and an error.
fn answers() -> Vec<Vec<(&'static str, String)>> {
    let text = |value: &str| value.to_owned();
    let code = || vec![("code", text("SplxlOBeZQQYbYS6WxSbIA")), ("state", text("af0ifjsldkj"))];
    let with = |more: &[(&'static str, &str)]| {
        code().into_iter().chain(more.iter().map(|(name, value)| (*name, text(value)))).collect::<Vec<_>>()
    };
    let tokens = |token: String| {
        vec![
            ("state", text("af0ifjsldkj")),
            ("access_token", text("opaque")),
            ("token_type", text("Bearer")),
            ("id_token", token),
        ]
    };
    vec![
        code(),
        with(&[("iss", UPSTREAM)]),
        with(&[("iss", PUBLIC_URL), ("redirect_uri", "https://evil.example/callback")]),
        tokens(id_token("none", &json!(true))),
        tokens(id_token("HS256", &json!("true"))),
        vec![("SAMLResponse", text("PHNhbWw6UmVzcG9uc2UvPg==")), ("RelayState", text("https://evil.example/"))],
        vec![("error", text("access_denied")), ("error_uri", text("https://evil.example/")), ("iss", text(UPSTREAM))],
    ]
}

/// Brings `fields` to a route as a browser that comes from there, with our own form's token where that is asked for.
async fn bring(browser: &mut Browser, route: &RouteInfo, fields: &[(&'static str, String)], token: &str) -> Answer {
    let at = path(route);
    if !is_unsafe(route) {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        return browser.open(&format!("{at}?{query}")).await;
    }
    if matches!(route.door, Door::Api | Door::Metadata) {
        let members = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        return browser.fetch(route.method.clone(), &at, Some(&Value::Object(members))).await;
    }
    let mut form: Vec<_> = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    form.push(("csrf_token".to_owned(), token.to_owned()));
    browser.send_form(&at, &form).await
}

async fn people(world: &World) -> [i64; 4] {
    let count = async |sql| number(world, sql).await;
    [
        count("SELECT COUNT(*) FROM users").await,
        count("SELECT COUNT(*) FROM users WHERE is_admin").await,
        count("SELECT COUNT(*) FROM sessions").await,
        count("SELECT COUNT(*) FROM grants").await,
    ]
}

/// There is no federation yet. Whoever adds it meets this test with the first route that takes such an answer.
///
/// Proves
#[test]
fn what_another_provider_answers_signs_nobody_in() {
    both(async |world| {
        register(world, EMAIL).await;
        let before = people(world).await;
        let mut asked = 0;
        for (number, route) in routes().iter().enumerate() {
            let mut stranger = world.browser(&format!("203.0.113.{}", number % 250 + 1));
            let page = stranger.open("/login").await.expect(200);
            let token =
                page.text().split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            for fields in answers() {
                let answer = bring(&mut stranger, route, &fields, &token).await;
                let what = format!("{} {} {fields:?}", route.method, route.path);
                assert!(answer.status.as_u16() < 500 && answer.status != 429, "{what}: {answer:?}");
                assert!(stranger.session_cookie().is_none(), "{what}");
                let led = answer.header(header::LOCATION).unwrap_or_default();
                assert!(!led.contains("evil.example") && !led.contains("upstream.example"), "{what}: {led}");
                asked += 1;
            }
        }
        assert!(asked > 7 * 60, "{asked}");
        assert_eq!(people(world).await, before);
    });
}

/// Fifty first sign-ins at once of the same person of another provider.
///
/// Proves: A-104
#[test]
fn fifty_answers_of_another_provider_at_once_make_nobody() {
    both(async |world| {
        let before = people(world).await;
        let fields =
            json!({ "id_token": id_token("none", &json!(true)), "code": "SplxlOBeZQQYbYS6WxSbIA", "state": "s" });
        let mut at_once = tokio::task::JoinSet::new();
        for number in 0..50 {
            let (mut stranger, fields) = (world.browser(&format!("203.0.113.{}", number + 1)), fields.clone());
            at_once.spawn(async move { stranger.fetch(Method::POST, "/api/v1/login", Some(&fields)).await.status });
        }
        assert!(at_once.join_all().await.iter().all(|status| *status == 422));
        assert_eq!(people(world).await, before);
    });
}
