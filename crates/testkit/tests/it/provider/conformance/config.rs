//! Config OP, and what the other plans look for in the discovery document and the keys.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_testkit::world::{PUBLIC_URL, Request};
use doorward_testkit::{World, both_with};
use http::{Method, header};
use serde_json::{Value, json};

use crate::people::HOME;
use crate::provider::algorithms::{all, keep_keys};

/// What FAPI 2.0 section 5.4.1 allows to sign with.
const FAPI: [&str; 3] = ["PS256", "ES256", "EdDSA"];
/// What only the holder of a key may know (RFC 7518 section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

async fn document(world: &World, path: &str, kind: &str) -> Value {
    let answer = world.send(Request::new(Method::GET, path, HOME)).await.expect(200);
    assert_eq!(answer.header(header::CONTENT_TYPE), Some(kind), "{path}");
    answer.json()
}

fn words(document: &Value, name: &str) -> Vec<String> {
    let list = document[name].as_array().unwrap_or_else(|| unreachable!("{name} is a list"));
    list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// `oidcc-discovery-endpoint-verification` with static clients, `oidcc-rp-initiated-logout-discovery-endpoint-verification`,
/// `oidcc-backchannel-logout-discovery-endpoint-verification`, `oidcc-frontchannel-logout-discovery-endpoint-verification`,
/// `fapi2-security-profile-final-discovery-end-point-verification`.
#[test]
fn the_discovery_document_has_what_every_plan_looks_for() {
    both_with(&all(), async |world| {
        let document = document(world, "/.well-known/openid-configuration", "application/json").await;
        // The address it was fetched from is the issuer's, and the issuer is an address without an end.
        assert_eq!(document["issuer"], json!(PUBLIC_URL));
        assert!(PUBLIC_URL.starts_with("https://") && !PUBLIC_URL.ends_with('/'));
        let members = document.as_object().unwrap();
        for (name, address) in members.iter().filter(|(name, _)| name.ends_with("_endpoint") || name.ends_with("_uri"))
        {
            let address = url::Url::parse(address.as_str().unwrap()).unwrap();
            assert!(address.scheme() == "https" && address.fragment().is_none(), "{name}: {address}");
        }
        for name in [
            "authorization_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
            "jwks_uri",
            "end_session_endpoint",
            "pushed_authorization_request_endpoint",
        ] {
            assert!(document[name].is_string(), "{name}");
        }
        for (name, wanted) in [
            ("response_types_supported", "code"),
            ("grant_types_supported", "authorization_code"),
            ("grant_types_supported", "refresh_token"),
            ("scopes_supported", "openid"),
            ("subject_types_supported", "public"),
            ("id_token_signing_alg_values_supported", "RS256"),
            ("userinfo_signing_alg_values_supported", "RS256"),
            ("request_object_signing_alg_values_supported", "RS256"),
            ("token_endpoint_auth_methods_supported", "client_secret_basic"),
            ("token_endpoint_auth_methods_supported", "client_secret_post"),
            ("token_endpoint_auth_methods_supported", "private_key_jwt"),
            ("code_challenge_methods_supported", "S256"),
            ("claims_supported", "sub"),
            ("claims_supported", "name"),
        ] {
            assert!(words(&document, name).iter().any(|word| word == wanted), "{name} without {wanted}");
        }
        for name in [
            "id_token_signing_alg_values_supported",
            "userinfo_signing_alg_values_supported",
            "token_endpoint_auth_signing_alg_values_supported",
        ] {
            assert!(words(&document, name).iter().any(|word| FAPI.contains(&word.as_str())), "{name}");
        }
        // FAPI 2.0 section 5.4.1: of proofs, which know no registered algorithm, no other is taken.
        assert_eq!(words(&document, "dpop_signing_alg_values_supported"), FAPI);
        for (name, value) in [
            ("authorization_response_iss_parameter_supported", true),
            ("backchannel_logout_supported", true),
            ("backchannel_logout_session_supported", true),
            ("frontchannel_logout_supported", true),
            ("frontchannel_logout_session_supported", true),
            ("claims_parameter_supported", true),
            ("request_parameter_supported", true),
            ("request_uri_parameter_supported", false),
            ("require_pushed_authorization_requests", false),
        ] {
            assert_eq!(document[name], json!(value), "{name}");
        }
    });
}

/// `oidcc-discovery-endpoint-verification` and the beginning of every other module: the keys can be read, are told apart,
/// and are the public halves alone.
#[test]
fn the_keys_are_public_told_apart_and_as_long_as_they_must_be() {
    both_with(&all(), async |world| {
        keep_keys(world).await;
        let document = document(world, "/.well-known/jwks.json", "application/jwk-set+json").await;
        let keys = document["keys"].as_array().unwrap();
        let mut ids = BTreeSet::new();
        let mut algorithms = BTreeSet::new();
        for key in keys {
            let text = |name: &str| key[name].as_str().unwrap_or_else(|| unreachable!("{name} of {key}"));
            let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)).unwrap();
            assert!(ids.insert(text("kid")), "{} twice", text("kid"));
            assert_eq!(text("use"), "sig");
            algorithms.insert(text("alg"));
            assert!(PRIVATE.iter().all(|name| key.get(name).is_none()), "{key}");
            if text("kty") == "RSA" {
                let modulus = bytes("n");
                assert!(modulus.len() * 8 >= 2_048 && modulus[0] != 0, "{key}");
                assert_eq!(bytes("e"), [1, 0, 1]);
            } else {
                let coordinates = if text("kty") == "EC" { &["x", "y"][..] } else { &["x"] };
                assert!(coordinates.iter().all(|name| bytes(name).len() == 32), "{key}");
                assert!(["P-256", "Ed25519"].contains(&text("crv")), "{key}");
            }
        }
        assert_eq!(algorithms, BTreeSet::from(["ES256", "EdDSA", "RS256"]));
    });
}
