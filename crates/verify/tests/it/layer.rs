//! The layer and the extractors, in an axum service.

use axum::body::Body;
use axum::routing::get;
use axum::{Json, Router};
use doorward_verify::{AccessToken, Refusal, Requirement, TypedClaims};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::issuer::{ScriptedIssuer, claims, claims_with};

#[derive(serde::Deserialize)]
struct Staff {
    sub: String,
    department: String,
}

fn service(issuer: &ScriptedIssuer) -> Router {
    let verifier = issuer.verifier();
    let protected = Router::new()
        .route("/whoami", get(async |token: AccessToken| Json(token)))
        .route(
            "/staff",
            get(async |TypedClaims(staff): TypedClaims<Staff>| format!("{} of {}", staff.sub, staff.department)),
        )
        .route("/plain", get(async || "hello"))
        .route("/write", get(async || "written").layer(Requirement::scope("notes:write").layer()))
        .route("/admin", get(async || "hello").layer(Requirement::role("admin").layer()))
        .route(
            "/inside",
            get(async |token: AccessToken| -> Result<&'static str, Refusal> {
                Requirement::scope("notes:delete").check(&token)?;
                Ok("deleted")
            }),
        )
        .layer(verifier.layer());
    let open = Router::new()
        .route("/open", get(async |token: Option<AccessToken>| token.is_some().to_string()))
        .layer(verifier.layer_for_some());
    let forgotten = Router::new()
        .route("/forgotten", get(async |_: AccessToken| "never"))
        .route("/forgotten-too", get(async || "never").layer(Requirement::token().layer()));
    protected.merge(open).merge(forgotten)
}

async fn ask(service: &Router, path: &str, authorization: &[&str]) -> Response<Body> {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    for value in authorization {
        request.headers_mut().append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    }
    service.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(axum::body::to_bytes(response.into_body(), 100_000).await.unwrap().to_vec()).unwrap()
}

fn challenge(response: &Response<Body>) -> Option<&str> {
    response.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_handler_gets_the_token_and_its_claims() {
    let issuer = ScriptedIssuer::new();
    let service = service(&issuer);
    let token = issuer.key.access_token(&claims_with("department", json!("lathes")));
    let answer = ask(&service, "/whoami", &[&format!("Bearer {token}")]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let said: Value = serde_json::from_str(&text(answer).await).unwrap();
    assert_eq!(said, claims_with("department", json!("lathes")));
    let answer = ask(&service, "/staff", &[&format!("bearer {token}")]).await;
    assert_eq!(text(answer).await, "user_01h455vb4pex5vsknk084sn02q of lathes");
    // Claims that do not fit the handler's type.
    let other = issuer.key.access_token(&claims());
    assert_eq!(ask(&service, "/staff", &[&format!("Bearer {other}")]).await.status(), StatusCode::UNAUTHORIZED);
}

/// RFC 6750 section 3: how to do better, and never why a token was refused.
/// Proves: V10.3.2, V16.5.1
#[tokio::test]
async fn refusals_are_those_of_the_standard_and_tell_nothing_more() {
    let issuer = ScriptedIssuer::new();
    let service = service(&issuer);
    let good = issuer.key.access_token(&claims());
    let expired = issuer.key.access_token(&claims_with("exp", json!(5)));
    let bearer = |token: &str| format!("Bearer {token}");
    let cases: Vec<(&str, Vec<String>, StatusCode, Option<&str>)> = vec![
        ("/whoami", vec![], StatusCode::UNAUTHORIZED, Some("Bearer")),
        // A handler that asks for nothing is behind the layer all the same.
        ("/plain", vec![], StatusCode::UNAUTHORIZED, Some("Bearer")),
        ("/whoami", vec!["Basic YTpi".into()], StatusCode::UNAUTHORIZED, Some("Bearer")),
        ("/whoami", vec![bearer(&expired)], StatusCode::UNAUTHORIZED, Some("Bearer error=\"invalid_token\"")),
        ("/whoami", vec![bearer("x.y.z")], StatusCode::UNAUTHORIZED, Some("Bearer error=\"invalid_token\"")),
        ("/whoami", vec!["Bearer".into()], StatusCode::BAD_REQUEST, Some("Bearer error=\"invalid_request\"")),
        ("/whoami", vec!["Bearer ".into()], StatusCode::BAD_REQUEST, Some("Bearer error=\"invalid_request\"")),
        ("/whoami", vec![bearer("a b")], StatusCode::BAD_REQUEST, Some("Bearer error=\"invalid_request\"")),
        (
            "/whoami",
            vec![bearer(&good), bearer(&good)],
            StatusCode::BAD_REQUEST,
            Some("Bearer error=\"invalid_request\""),
        ),
        (
            "/write",
            vec![bearer(&good)],
            StatusCode::FORBIDDEN,
            Some("Bearer error=\"insufficient_scope\", scope=\"notes:write\""),
        ),
        ("/admin", vec![bearer(&good)], StatusCode::FORBIDDEN, Some("Bearer error=\"insufficient_scope\"")),
        (
            "/inside",
            vec![bearer(&good)],
            StatusCode::FORBIDDEN,
            Some("Bearer error=\"insufficient_scope\", scope=\"notes:delete\""),
        ),
        // Without the layer nobody is let in.
        ("/forgotten", vec![bearer(&good)], StatusCode::UNAUTHORIZED, Some("Bearer")),
        ("/forgotten-too", vec![bearer(&good)], StatusCode::UNAUTHORIZED, Some("Bearer")),
        // A bad token is refused even where none is needed.
        ("/open", vec![bearer(&expired)], StatusCode::UNAUTHORIZED, Some("Bearer error=\"invalid_token\"")),
    ];
    for (path, authorization, status, expected) in cases {
        let authorization: Vec<&str> = authorization.iter().map(String::as_str).collect();
        let answer = ask(&service, path, &authorization).await;
        assert_eq!((answer.status(), challenge(&answer)), (status, expected), "{path} {authorization:?}");
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
        let body: Value = serde_json::from_str(&text(answer).await).unwrap();
        assert_eq!(body["status"], json!(status.as_u16()));
        assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
    }
    // Who has what is required comes through.
    let mut claims = claims_with("roles", json!(["admin"]));
    claims["scope"] = json!("notes:write notes:delete");
    let able = bearer(&issuer.key.access_token(&claims));
    for (path, answer) in [("/plain", "hello"), ("/write", "written"), ("/admin", "hello"), ("/inside", "deleted")] {
        let allowed = ask(&service, path, &[&able]).await;
        assert_eq!((allowed.status(), text(allowed).await.as_str()), (StatusCode::OK, answer), "{path}");
    }
    assert_eq!(text(ask(&service, "/open", &[]).await).await, "false");
    assert_eq!(text(ask(&service, "/open", &[&bearer(&good)]).await).await, "true");
}

/// Every reason has the same answer.
/// Proves: V16.5.1
#[tokio::test]
async fn no_refusal_of_a_token_is_like_no_other() {
    let issuer = ScriptedIssuer::new();
    let service = service(&issuer);
    let stranger = crate::issuer::Key::p256("first");
    let bad = [
        issuer.key.access_token(&claims_with("exp", json!(5))),
        issuer.key.access_token(&claims_with("aud", json!("other"))),
        issuer.key.access_token(&claims_with("iss", json!("https://other.example"))),
        stranger.access_token(&claims()),
        crate::issuer::Key::p256("unknown").access_token(&claims()),
        "a.b.c".to_owned(),
    ];
    let mut seen = Vec::new();
    for token in bad {
        let answer = ask(&service, "/whoami", &[&format!("Bearer {token}")]).await;
        let (status, headers) = (answer.status(), answer.headers().clone());
        seen.push((status, headers, text(answer).await));
    }
    assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:#?}");
}

/// A token in the address ends up in logs (RFC 6750 section 5.3).
/// Proves: V14.2.1
#[tokio::test]
async fn a_token_is_looked_for_in_the_header_only() {
    let issuer = ScriptedIssuer::new();
    let service = service(&issuer);
    let token = issuer.key.access_token(&claims());
    let answer = ask(&service, &format!("/whoami?access_token={token}"), &[]).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_issuer_that_cannot_be_asked_is_no_fault_of_the_client() {
    let issuer = ScriptedIssuer::new();
    issuer.set_down(true);
    let service = service(&issuer);
    let token = issuer.key.access_token(&claims());
    let answer = ask(&service, "/whoami", &[&format!("Bearer {token}")]).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()[RETRY_AFTER], "2");
    assert_eq!(challenge(&answer), None);
}
