//! Four credentials, four kinds: none is taken for another, and nothing forged for any.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use doorward_app::keys::access_tokens::AccessGrant;
use doorward_app::keys::{KeySettings, Keys};
use doorward_model::id::{SessionId, UserId};
use doorward_model::time::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use doorward_testkit::world::PUBLIC_URL;
use doorward_testkit::{Answer, World, both};
use http::Method;
use serde_json::{Value, json};

use crate::credentials::{
    EMAIL, application, bare, browser, claim, count_events, me_by_bearer, me_by_cookie, own_call, register, renew,
    same_origin, with_bearer, with_cookie, with_json,
};

/// All that a stranger can compare in a refusal.
fn shape(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    let mut body = answer.json();
    body.as_object_mut().unwrap().retain(|name, _| name != "request_id" && name != "timestamp");
    let varying = ["x-request-id", "ratelimit", "ratelimit-policy"];
    let headers = answer.headers.iter().filter(|(name, _)| !varying.contains(&name.as_str()));
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    (answer.status.as_u16(), headers, body)
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn part(token: &str, index: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn with(base: &Value, additions: &Value) -> Value {
    let mut whole = base.clone();
    for (name, value) in additions.as_object().unwrap() {
        whole[name] = value.clone();
    }
    whole
}

/// Proves: S-29, S-105, S-124, A-33, A-57
#[test]
fn no_credential_passes_for_one_of_another_kind() {
    both(async |world| {
        register(world, EMAIL).await;
        let (page, app) = (browser(world, EMAIL).await, application(world, EMAIL).await);
        let reset = world.api("198.51.100.9").reset_token(EMAIL).await;
        let csrf = crate::credentials::csrf(world, &page.cookie).await;
        let seen = me_by_bearer(world, "x").await.expect_problem(401, "invalid_token");
        let kinds = [
            ("access token", page.access.as_str()),
            ("session cookie", page.cookie.as_str()),
            ("refresh token", app.refresh.as_str()),
            ("one-time token", reset.as_str()),
            ("csrf token", csrf.as_str()),
            ("session id", page.session.as_str()),
        ];
        for (name, text) in kinds {
            if name != "access token" {
                assert_eq!(shape(&me_by_bearer(world, text).await), shape(&seen), "{name} as Bearer");
            }
            if name != "session cookie" {
                assert_eq!(shape(&me_by_cookie(world, text).await), shape(&seen), "{name} as cookie");
            }
            if name != "refresh token" {
                renew(world, text).await.expect_problem(401, "invalid_token");
            }
            if name != "one-time token" {
                let body = json!({ "token": text, "password": "quiet granite lantern orbit" });
                let request = with_json(bare(&Method::POST, "/api/v1/password/reset"), &body);
                world.send(request).await.expect_problem(400, "invalid_token");
            }
            let body = json!({ "token": text, "password": "quiet granite lantern orbit" });
            let request = with_json(bare(&Method::POST, "/api/v1/email-verifications/confirm"), &body);
            world.send(request).await.expect_problem(400, "invalid_token");
            if name != "csrf token" {
                let call = same_origin(with_cookie(bare(&Method::PATCH, "/api/v1/me"), &page.cookie));
                let call = with_json(call.header("x-csrf-token", text), &json!({ "name": "x" }));
                world.send(call).await.expect_problem(403, "csrf_failed");
            }
        }
        // Nothing was consumed by any of this.
        me_by_cookie(world, &page.cookie).await.expect(200);
        renew(world, &app.refresh).await.expect(200);
        world.api("198.51.100.9").reset(&reset, "quiet granite lantern orbit").await.expect(204);
        assert_eq!(count_events(world, "token.reused").await, 0);
    });
}

/// Proves: A-44
#[test]
fn beside_a_cookie_the_authorization_header_alone_counts() {
    both(async |world| {
        register(world, EMAIL).await;
        let held = browser(world, EMAIL).await;
        for header in
            ["Bearer x", "Bearer ", "Bearer", "Basic YWRhOng=", "", "bearer  x", "Bearer a b", &held.access, "Token x"]
        {
            let request = with_cookie(bare(&Method::GET, "/api/v1/me"), &held.cookie);
            world.send(request.header("authorization", header)).await.expect_problem(401, "invalid_token");
            let request = own_call(world, &Method::POST, "/api/v1/token", &held.cookie).await;
            world.send(request.header("authorization", header)).await.expect_problem(401, "invalid_token");
            let request = own_call(world, &Method::POST, "/api/v1/logout", &held.cookie).await;
            world.send(request.header("authorization", header)).await.expect_problem(401, "invalid_token");
        }
        let twice = with_bearer(with_bearer(bare(&Method::GET, "/api/v1/me"), &held.access), &held.access);
        world.send(twice).await.expect_problem(401, "invalid_token");
        let both = with_bearer(with_cookie(bare(&Method::GET, "/api/v1/me"), "dws_dead"), &held.access);
        world.send(both).await.expect(200);
        me_by_cookie(world, &held.cookie).await.expect(200);
    });
}

/// Texts that look like an access token of `world` and are none.
pub(crate) fn forgeries(token: &str, jwk: &Value) -> Vec<(String, String)> {
    let mut all = other_algorithms(token, jwk);
    all.extend(other_headers(token, jwk));
    all.extend(other_spellings(token));
    // By chance a signature has no letter that another spelling writes otherwise.
    all.retain(|(_, text)| text != token);
    all
}

/// Unsigned, or signed with the public key as if it were a secret.
fn other_algorithms(token: &str, jwk: &Value) -> Vec<(String, String)> {
    let (header, body) = (part(token, 0), token.split('.').nth(1).unwrap());
    let (_, signature) = token.rsplit_once('.').unwrap();
    let mut all: Vec<(String, String)> = Vec::new();
    for alg in [json!("none"), json!("None"), json!("nOnE"), json!("NONE"), json!(""), json!(null), json!(["none"])] {
        let head = encode(&with(&header, &json!({ "alg": alg })));
        all.push((format!("alg {alg}, no signature"), format!("{head}.{body}.")));
        all.push((format!("alg {alg}, old signature"), format!("{head}.{body}.{signature}")));
    }
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let (x, y) = (coordinate("x"), coordinate("y"));
    let prefix =
        b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
    let der = [prefix.as_slice(), &x, &y].concat();
    let lines = STANDARD.encode(&der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----", &lines[..64], &lines[64..]);
    let keys: [(&str, Vec<u8>); 7] = [
        ("PEM", pem.clone().into_bytes()),
        ("PEM and newline", format!("{pem}\n").into_bytes()),
        ("DER", der.clone()),
        ("JWK", jwk.to_string().into_bytes()),
        ("x", x.clone()),
        ("x as text", jwk["x"].as_str().unwrap().into()),
        ("nothing", Vec::new()),
    ];
    for (name, key) in keys {
        let head = encode(&with(&header, &json!({ "alg": "HS256" })));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), format!("{head}.{body}").as_bytes());
        all.push((format!("HS256 with {name}"), format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode(tag))));
    }
    all
}

/// A header that names another key, brings one along, or is of another kind.
fn other_headers(token: &str, jwk: &Value) -> Vec<(String, String)> {
    let (header, body) = (part(token, 0), token.split('.').nth(1).unwrap());
    let (_, signature) = token.rsplit_once('.').unwrap();
    let mut all: Vec<(String, String)> = Vec::new();
    let kid = header["kid"].as_str().unwrap();
    for kid in [
        json!("../../dev/null"),
        json!("' UNION SELECT 'k"),
        json!("|id"),
        json!("key_01h455vb4pex5vsknk084sn02q"),
        json!(""),
        json!(null),
        json!([kid]),
        json!(kid.to_uppercase()),
        json!(format!("{kid} ")),
        json!("\u{1f511}"),
    ] {
        let head = encode(&with(&header, &json!({ "kid": kid })));
        all.push((format!("kid {kid}"), format!("{head}.{body}.{signature}")));
    }
    for more in [
        json!({ "jku": "https://evil.example/jwks.json" }),
        json!({ "jwk": jwk }),
        json!({ "x5u": "https://evil.example/" }),
        json!({ "x5c": [jwk["x"]] }),
        json!({ "crit": ["exp"] }),
        json!({ "b64": false }),
        json!({ "typ": "JWT" }),
        json!({ "typ": "logout+jwt" }),
        json!({ "typ": "application/at+jwt" }),
        json!({ "typ": null }),
    ] {
        all.push((format!("header {more}"), format!("{}.{body}.{signature}", encode(&with(&header, &more)))));
    }
    let mut untyped = header.clone();
    untyped.as_object_mut().unwrap().remove("typ");
    all.push(("no typ".into(), format!("{}.{body}.{signature}", encode(&untyped))));
    all
}

/// Other claims under the old signature, and other spellings of the same token.
fn other_spellings(token: &str) -> Vec<(String, String)> {
    let payload = part(token, 1);
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (head, _) = input.split_once('.').unwrap();
    let mut all: Vec<(String, String)> = Vec::new();
    let repeated = payload.to_string().replacen('{', "{\"exp\":9999999999,", 1);
    all.push(("a repeated claim".into(), format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(repeated))));
    let later = encode(&with(&payload, &json!({ "exp": 9_999_999_999_i64 })));
    all.push(("a changed claim".into(), format!("{head}.{later}.{signature}")));
    for (name, text) in [
        ("padded", format!("{token}=")),
        ("a fourth part", format!("{token}.x")),
        ("two parts", input.to_owned()),
        ("no payload", format!("{head}..{signature}")),
        ("standard alphabet", format!("{input}.{}", signature.replace(['-', '_'], "+"))),
        ("cut", token[..token.len() - 1].to_owned()),
        ("five thousand characters", format!("{token}{}", "A".repeat(5_000))),
    ] {
        all.push((name.into(), text));
    }
    // The last character of 64 bytes carries four spare bits: another spelling of the same signature.
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.find(last).unwrap();
    let twin = &alphabet[at + 1..at + 2];
    all.push(("non-canonical base64url".into(), format!("{}{twin}", &token[..token.len() - 1])));
    all
}

/// Proves, S-94, S-163, S-173, S-176, S-188, V9.1.1, V9.1.2, V9.1.3, V9.2.2
#[test]
fn no_forged_access_token_opens_anything() {
    both(async |world| {
        register(world, EMAIL).await;
        let held = browser(world, EMAIL).await;
        let jwks = world.send(bare(&Method::GET, "/.well-known/jwks.json")).await.expect(200).json();
        let first = shape(&me_by_bearer(world, "x").await);
        let all = forgeries(&held.access, &jwks["keys"][0]);
        assert!(all.len() > 45, "{}", all.len());
        for (name, token) in all {
            assert_eq!(shape(&me_by_bearer(world, &token).await), first, "{name}");
        }
        me_by_bearer(world, &held.access).await.expect(200);
    });
}

/// A token signed by the deployment's own key, for anything and at any time.
async fn signed(world: &World, settings: KeySettings, held: &str, at: Timestamp) -> String {
    let (store, random) = (world.store().clone(), world.random());
    let keys = Keys::open(store, world.master_keys(), settings, world.now(), random.as_ref()).await.unwrap();
    let grant = AccessGrant {
        subject: UserId::parse(claim(held, "sub").as_str().unwrap()).unwrap(),
        session_id: SessionId::parse(claim(held, "sid").as_str().unwrap()).unwrap(),
        session_expires_at: world.now().plus_ms(24 * HOUR_MS),
        authenticated_at: at,
        client_id: "doorward",
        acr: "aal1",
        amr: &["pwd".to_owned()],
        scope: "account",
    };
    keys.issue_access_token(&grant, at, random.as_ref()).unwrap().text.reveal().to_owned()
}

/// Proves: A-122, S-186, S-187, V9.2.1, V9.2.3, V9.2.4
#[test]
fn a_token_for_somebody_else_or_another_time_is_refused() {
    both(async |world| {
        register(world, EMAIL).await;
        let held = browser(world, EMAIL).await;
        let now = world.now();
        let own = || KeySettings::new(PUBLIC_URL, PUBLIC_URL);
        let good = signed(world, own(), &held.access, now).await;
        me_by_bearer(world, &good).await.expect(200);
        let first = shape(&me_by_bearer(world, "x").await);
        for (issuer, audience) in [
            ("https://evil.example", PUBLIC_URL),
            ("https://auth.example.test/", PUBLIC_URL),
            ("https://AUTH.example.test", PUBLIC_URL),
            (PUBLIC_URL, "https://evil.example"),
            (PUBLIC_URL, ""),
        ] {
            let settings = KeySettings::new(issuer, audience);
            let token = signed(world, settings, &held.access, now).await;
            assert_eq!(shape(&me_by_bearer(world, &token).await), first, "{issuer} {audience}");
        }
        let early = signed(world, own(), &held.access, now.plus_ms(MINUTE_MS)).await;
        assert_eq!(shape(&me_by_bearer(world, &early).await), first);
        let late = signed(world, own(), &held.access, now.plus_ms(-10 * MINUTE_MS - SECOND_MS));
        me_by_bearer(world, &late.await).await.expect_problem(401, "token_expired");
    });
}
