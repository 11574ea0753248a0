//! What the server says about itself.

use doorward_testkit::both_with;
use doorward_testkit::world::Request;
use http::Method;
use serde_json::{Value, json};

use super::algorithms;
use crate::people::HOME;

/// Proves
#[test]
fn the_discovery_documents_say_what_is_there() {
    both_with(&algorithms::all(), async |world| {
        let get = async |path: &str| world.send(Request::new(Method::GET, path, HOME)).await.expect(200).json();
        let document: Value = get("/.well-known/openid-configuration").await;
        assert_eq!(document, get("/.well-known/oauth-authorization-server").await);
        assert_eq!(document["issuer"], "https://auth.example.test");
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
        assert_eq!(document["response_types_supported"], json!(["code"]));
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        for (name, value) in document.as_object().unwrap() {
            let lists_none = value.as_array().is_some_and(|words| words.contains(&json!("none")));
            assert!(!name.contains("_alg_") || !lists_none, "{name}: {value}");
        }
        assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256", "ES256", "EdDSA"]));
        assert_eq!(
            document["grant_types_supported"],
            json!([
                "authorization_code",
                "refresh_token",
                "client_credentials",
                "urn:ietf:params:oauth:grant-type:device_code",
                "urn:ietf:params:oauth:grant-type:token-exchange"
            ])
        );
        assert_eq!(document["scopes_supported"], json!(["openid", "profile", "email", "offline_access"]));
        assert_eq!(
            document["prompt_values_supported"],
            json!(["none", "login", "consent", "select_account", "create"])
        );
        for (name, method) in [
            ("authorization_endpoint", Method::GET),
            ("token_endpoint", Method::POST),
            ("userinfo_endpoint", Method::GET),
            ("revocation_endpoint", Method::POST),
            ("introspection_endpoint", Method::POST),
            ("pushed_authorization_request_endpoint", Method::POST),
            ("device_authorization_endpoint", Method::POST),
            ("end_session_endpoint", Method::GET),
            ("jwks_uri", Method::GET),
        ] {
            let path = document[name].as_str().unwrap().strip_prefix("https://auth.example.test").unwrap();
            let answer = world.send(Request::new(method, path, HOME)).await;
            assert_ne!(answer.status, 404, "{name}");
        }
    });
}
