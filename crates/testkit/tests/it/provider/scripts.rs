//! Applications without a server: their scripts call from another origin.

use doorward_testkit::world::Request;
use doorward_testkit::{Answer, World, both};
use http::{Method, header};
use serde_json::{Map, Value, json};

use super::relying_party::RelyingParty;
use crate::people::HOME;

const ORIGIN: &str = "https://shop.example";

async fn fetch(world: &World, method: Method, path: &str, origin: &str) -> Answer {
    let is_preflight = method == Method::OPTIONS;
    let request = Request::new(method, path, HOME).header("origin", origin);
    let request = if is_preflight { request.header("access-control-request-method", "POST") } else { request };
    world.send(request).await
}

async fn is_open(world: &World, path: &str, origin: &str) -> bool {
    let answer = fetch(world, Method::OPTIONS, path, origin).await;
    let is_allowed = answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN) == Some(origin);
    assert_eq!(answer.status == 204, is_allowed, "{path} {origin}");
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), None);
    is_allowed
}

fn members(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Proves: A-45, V3.4.2, V3.5.2
#[test]
fn scripts_of_a_registered_public_client_may_call_and_nobody_elses() {
    both(async |world| {
        assert!(!is_open(world, "/oauth2/token", ORIGIN).await, "nobody is registered");
        let public = json!({"token_endpoint_auth_method": "none", "redirect_uris": [
            "https://shop.example/callback", "https://shop.example/other", "https://[2001:db8::1]:8443/",
        ]});
        let shop = RelyingParty::register(world, public).await;
        let confidential = json!({"redirect_uris": ["https://server.example/callback"]});
        RelyingParty::register(world, confidential).await;
        for path in ["/oauth2/token", "/oauth2/userinfo"] {
            assert!(is_open(world, path, ORIGIN).await);
            assert!(is_open(world, path, "https://[2001:db8::1]:8443").await);
            for other in [
                "https://server.example",
                "https://shop.example:8443",
                "http://shop.example",
                "https://sub.shop.example",
                "https://SHOP.example",
                "com.example.shop:",
                "null",
                "' OR 1=1 --",
            ] {
                assert!(!is_open(world, path, other).await, "{other}");
            }
        }
        let answer = fetch(world, Method::GET, "/.well-known/openid-configuration", ORIGIN).await.expect(200);
        assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), Some(ORIGIN));
        let refused = fetch(world, Method::POST, "/oauth2/token", ORIGIN).await;
        assert_eq!(refused.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), Some(ORIGIN), "errors are readable");
        let (app, op) = (world.app(), world.operator().op());
        let moved = json!({"redirect_uris": ["https://moved.example/callback"]});
        app.update_client(&op, &shop.client_id, members(&moved)).await.unwrap().unwrap();
        assert!(!is_open(world, "/oauth2/token", ORIGIN).await, "it lives elsewhere now");
        assert!(is_open(world, "/oauth2/token", "https://moved.example").await);
        let with_server = json!({"token_endpoint_auth_method": "client_secret_basic"});
        app.update_client(&op, &shop.client_id, members(&with_server)).await.unwrap().unwrap();
        assert!(!is_open(world, "/oauth2/token", "https://moved.example").await);
        let without = json!({"token_endpoint_auth_method": "none"});
        app.update_client(&op, &shop.client_id, members(&without)).await.unwrap().unwrap();
        assert!(app.delete_client(&op, &shop.client_id).await.unwrap());
        assert!(!is_open(world, "/oauth2/token", "https://moved.example").await, "gone");
    });
}

/// Proves: A-45, V3.4.2, V3.5.2
#[test]
fn what_is_not_for_scripts_of_applications_is_closed_to_them() {
    both(async |world| {
        let public = json!({"token_endpoint_auth_method": "none", "redirect_uris": ["https://shop.example/callback"]});
        RelyingParty::register(world, public).await;
        assert!(is_open(world, "/oauth2/token", ORIGIN).await);
        for closed in [
            "/oauth2/authorize",
            "/oauth2/introspect",
            "/oauth2/device_authorization",
            "/device",
            "/api/v1/login",
            "/api/v1/token",
            "/api/v1/me",
            "/login",
        ] {
            assert!(!is_open(world, closed, ORIGIN).await, "{closed}");
            // Without asking first.
            for method in [Method::GET, Method::POST] {
                let answer = fetch(world, method, closed, ORIGIN).await;
                assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), None, "{closed}");
            }
        }
        for origins in [[ORIGIN, "https://evil.example"], ["https://evil.example", ORIGIN], [ORIGIN, ORIGIN]] {
            let request = Request::new(Method::POST, "/oauth2/token", HOME);
            let answer = world.send(request.header("origin", origins[0]).header("origin", origins[1])).await;
            assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), None, "{origins:?}");
        }
    });
}
