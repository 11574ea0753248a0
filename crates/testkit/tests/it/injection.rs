//! Texts that mean something to a database, a log, a page or a mail, wherever a text can be sent.

use doorward_testkit::world::Request;
use doorward_testkit::{Answer, Browser, World, both};
use http::{Method, header};
use serde_json::json;

use crate::credentials::{ADDRESS, bare, same_origin, with_bearer, with_cookie, with_json};
use crate::people::{HOME, OWNER, PASSWORD};

/// What harms where texts are put together instead of bound, escaped or encoded.
const HOSTILE: [&str; 12] = [
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    "\" OR 1=1 --",
    "1) UNION SELECT phc FROM passwords --",
    "\\'; SELECT pg_sleep(60); --",
    "$1",
    "%' ESCAPE '!",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "$(id)`id`|id;id",
    "%00%0d%0aSet-Cookie: x=y",
];
/// What harms nowhere.
const HARMLESS: &str = "a plain text";

/// Everything that takes a text from a stranger or a signed-in caller, with the text in one place of it.
fn requests(text: &str, access: &str) -> Vec<(String, Request)> {
    let mut all = Vec::new();
    let bodies = [
        (Method::POST, "/api/v1/login", json!({ "email": text, "password": PASSWORD })),
        (Method::POST, "/api/v1/login", json!({ "email": AWAY_EMAIL, "password": text })),
        (Method::POST, "/api/v1/login", json!({ "email": OWNER, "password": PASSWORD, "mode": text })),
        (Method::POST, "/api/v1/signup", json!({ "email": text, "password": PASSWORD })),
        (Method::POST, "/api/v1/signup", json!({ "email": AWAY_EMAIL, "password": PASSWORD, "locale": text })),
        (Method::POST, "/api/v1/password/forgot", json!({ "email": text })),
        (Method::POST, "/api/v1/password/reset", json!({ "token": text, "password": PASSWORD })),
        (Method::POST, "/api/v1/email-verifications/confirm", json!({ "token": text, "password": PASSWORD })),
        (Method::POST, "/api/v1/email-verifications/confirm", json!({ "verification": text, "code": "123456" })),
        (Method::POST, "/api/v1/email-verifications/confirm", json!({ "verification": AWAY_EMAIL, "code": text })),
        (Method::POST, "/api/v1/token", json!({ "refresh_token": text })),
        (Method::PATCH, "/api/v1/me", json!({ "locale": text })),
        (Method::POST, "/api/v1/password/change", json!({ "current_password": text, "new_password": "x" })),
    ];
    for (method, path, body) in bodies {
        let request = with_json(same_origin(bare(&method, path)), &body);
        let request =
            if path.contains("/me") || path.ends_with("change") { with_bearer(request, access) } else { request };
        all.push((format!("{method} {path} {}", body.to_string().replace(text, "…")), request));
    }
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let in_path: String = encoded.replace('+', "%20");
    for path in [
        format!("/api/v1/sessions?cursor={encoded}"),
        format!("/api/v1/sessions?limit={encoded}"),
        format!("/api/v1/sessions?sort={encoded}"),
        format!("/api/v1/sessions?{encoded}=1"),
        format!("/login?flow={encoded}&notice={encoded}&token={encoded}"),
        format!("/verify?token={encoded}"),
        format!("/reset?token={encoded}&flow={encoded}"),
        format!("/setup?token={encoded}"),
        format!("/oauth2/authorize?client_id={encoded}"),
        format!("/oauth2/authorize?flow={encoded}"),
        format!("/{in_path}"),
    ] {
        let name = path.replace(&encoded, "…").replace(&in_path, "…");
        all.push((name, with_bearer_if_api(bare(&Method::GET, &path), &path, access)));
    }
    let one = format!("/api/v1/sessions/{in_path}");
    all.push(("DELETE a session".to_owned(), with_bearer(bare(&Method::DELETE, &one), access)));
    for name in ["client_id", "code", "redirect_uri", "code_verifier", "grant_type", "resource", "client_secret"] {
        let fields = [("grant_type", "authorization_code"), ("client_id", "x"), ("code", "x")];
        let fields = fields.into_iter().filter(|(field, _)| *field != name).chain([(name, text)]);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request =
            bare(&Method::POST, "/oauth2/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        all.push((format!("token with {name}"), request.body(body)));
    }
    for name in
        ["user-agent", "accept-language", "x-forwarded-for", "x-request-id", "referer", "accept", "x-csrf-token"]
    {
        all.push((format!("{name} at sign-in"), sign_in_with(bare(&Method::POST, "/api/v1/login").header(name, text))));
    }
    all.push(("a cookie".to_owned(), with_cookie(bare(&Method::GET, "/api/v1/me"), text)));
    all.push(("a token".to_owned(), with_bearer(bare(&Method::GET, "/api/v1/me"), text)));
    all
}

const AWAY_EMAIL: &str = "nobody@example.org";

fn with_bearer_if_api(request: Request, path: &str, access: &str) -> Request {
    if path.starts_with("/api/") { with_bearer(request, access) } else { request }
}

fn sign_in_with(request: Request) -> Request {
    with_json(request, &json!({ "email": OWNER, "password": "wrong horse wrong battery" }))
}

/// What a stranger learns: status, and the error's code.
fn learnt(answer: &Answer) -> (u16, String) {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = body.get("code").or(body.get("error")).and_then(|code| code.as_str()).unwrap_or_default();
    (answer.status.as_u16(), code.to_owned())
}

/// Proves: A-136, V1.2.4
#[test]
fn no_text_is_read_as_anything_but_a_text() {
    both(async |world: &World| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let before = crate::route_table::accounts(world).await;
        let mut expected = Vec::new();
        for text in std::iter::once(HARMLESS).chain(HOSTILE) {
            // Past what throttles guessing.
            world.advance(24 * 3_600_000);
            let body = json!({ "email": OWNER, "password": PASSWORD, "mode": "token" });
            let access = world.api(HOME).post("/api/v1/login", &body).await.expect(200).string("access_token");
            for (index, (name, request)) in requests(text, &access).into_iter().enumerate() {
                let answer = learnt(&world.send(request).await);
                if text == HARMLESS {
                    expected.push(answer);
                } else {
                    assert_eq!(answer, expected[index], "{name} with {text:?}");
                }
            }
        }
        assert_eq!(crate::route_table::accounts(world).await, before);
    });
}

/// Proves
#[test]
fn what_is_stored_reads_back_as_it_was_written_and_is_shown_as_text() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut owner: Browser = world.browser(ADDRESS);
        owner.sign_in(OWNER, PASSWORD).await.expect(200);
        for text in HOSTILE {
            let saved = owner.fetch(Method::PATCH, "/api/v1/me", Some(&json!({ "name": text }))).await.expect(200);
            assert_eq!(saved.string("name"), text);
            let page = owner.open("/account").await.expect(200);
            if text.contains('<') {
                assert!(!page.text().contains(text), "{text} is part of the page");
            }
        }
    });
}
