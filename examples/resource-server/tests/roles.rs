//! The route that needs a role, with an OpenID issuer that gives roles: a small one, on this machine, over HTTP.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "the issuer makes a key and signs with the system's randomness")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::body::Body;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_verify::{Clock as _, Issuer, SystemClock, Verifier};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const AUDIENCE: &str = "https://notes.example";

/// An issuer that serves its metadata and its key, and signs whatever it is asked to.
struct SmallIssuer {
    url: String,
    key: EcdsaKeyPair,
}

impl SmallIssuer {
    async fn start() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (x, y) = key.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
        let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "one", "x": x, "y": y}]});
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let metadata = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        let answer = |value: Value| get(async move || Json(value));
        let routes =
            Router::new().route("/.well-known/openid-configuration", answer(metadata)).route("/keys", answer(keys));
        tokio::spawn(axum::serve(listener, routes).into_future());
        Self { url, key }
    }

    /// An access token (RFC 9068) with one claim more.
    fn token(&self, name: &str, value: Value) -> String {
        let now = SystemClock.now_seconds();
        let mut claims = json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "ada", "client_id": "shop", "jti": "one",
            "iat": now, "exp": now + 300,
        });
        claims[name] = value;
        let header = json!({"typ": "at+jwt", "alg": "ES256", "kid": "one"});
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Status, challenge and text of the answer at `/admin`.
async fn ask(service: &Router, token: Option<&str>) -> (u16, Option<String>, String) {
    let mut request = http::Request::get("/admin");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let challenge = response.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, challenge, String::from_utf8(body.to_vec()).unwrap())
}

/// Proves: V10.3.2
#[tokio::test]
async fn whoever_has_the_role_comes_in_and_nobody_else() {
    let (issuer, stranger) = (SmallIssuer::start().await, SmallIssuer::start().await);
    let verifier = Verifier::new(Issuer::new(&issuer.url).audience(AUDIENCE)).unwrap();
    let service = resource_server::service(verifier);

    let admin = issuer.token("roles", json!(["staff", "admin"]));
    let welcome = "ada may see that there are 0 notes\n".to_owned();
    assert_eq!(ask(&service, Some(&admin)).await, (200, None, welcome));

    for (name, roles) in [("roles", json!(["staff"])), ("roles", json!([])), ("scope", json!("admin"))] {
        let (status, challenge, body) = ask(&service, Some(&issuer.token(name, roles))).await;
        assert_eq!((status, challenge.as_deref()), (403, Some("Bearer error=\"insufficient_scope\"")), "{name}");
        assert!(!body.contains("notes"), "{body}");
    }

    let (status, challenge, _) = ask(&service, None).await;
    assert_eq!((status, challenge.as_deref()), (401, Some("Bearer")));
    // Nor with the same role of somebody who is not trusted here, be it under the name of the issuer.
    let disguised = SmallIssuer { url: issuer.url.clone(), key: stranger.key };
    for token in [disguised.token("roles", json!(["admin"])), admin.replace(".ey", ".eY")] {
        let (status, challenge, _) = ask(&service, Some(&token)).await;
        assert_eq!((status, challenge.as_deref()), (401, Some("Bearer error=\"invalid_token\"")));
    }
    let elsewhere = SmallIssuer::start().await;
    assert_eq!(ask(&service, Some(&elsewhere.token("roles", json!(["admin"])))).await.0, 401);
}
