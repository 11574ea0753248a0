//! What the OpenID Foundation's conformance suite tries and no other test does. Each test names the modules it stands for;
//! `docs/conformance.md` says how to run the suite, and which tests stand for the others.

mod basic;
mod config;
mod fapi;
mod logout;

use std::collections::BTreeMap;

use doorward_testkit::{Browser, both};
use http::header;
use serde_json::json;

use super::relying_party::{CALLBACK, RelyingParty};
use super::signed_in;

const WITH_PARAMETERS: &str = "https://shop.example/callback?dummy1=lorem&dummy2=ipsum";

/// What the browser was sent back with.
fn answered(browser: &Browser) -> BTreeMap<String, String> {
    let location = browser.page.as_ref().unwrap().header(header::LOCATION).unwrap().to_owned();
    let query = location.strip_prefix(CALLBACK).and_then(|rest| rest.strip_prefix('?')).unwrap();
    assert!(query.starts_with("dummy1=lorem&dummy2=ipsum&"), "{location}");
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let answered: BTreeMap<String, String> = fields.iter().cloned().collect();
    assert_eq!(answered.len(), fields.len(), "a parameter came twice: {location}");
    answered
}

#[test]
fn the_parameters_of_a_redirect_uri_and_a_long_state_come_back_beside_nothing_unknown() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let uris = json!([CALLBACK, WITH_PARAMETERS]);
        let shop = RelyingParty::register(world, json!({"redirect_uris": uris, "consent": "ask"})).await;
        for (decision, length) in [("deny", 128), ("allow", 384)] {
            let state = "s".repeat(length);
            let path = shop.start(&[("redirect_uri", WITH_PARAMETERS), ("state", &state)]);
            owner.open(&path).await.expect(200);
            owner.submit("/oauth2/consent", &[("decision", decision)]).await.expect(303);
            let answered = answered(&owner);
            assert_eq!(answered["state"], state);
            let known = ["code", "dummy1", "dummy2", "error", "error_description", "iss", "state"];
            assert!(answered.keys().all(|name| known.contains(&name.as_str())), "{answered:?}");
            let expected = if decision == "deny" { Some("access_denied") } else { None };
            assert_eq!(answered.get("error").map(String::as_str), expected);
            if let Some(code) = answered.get("code") {
                world.canaries().add(code);
                shop.exchange(code, &[("redirect_uri", WITH_PARAMETERS)]).await.expect(200);
            }
        }
    });
}

#[test]
fn a_request_with_neither_pkce_nor_nonce_is_answered_where_the_operator_allows_it() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let neither = [("code_challenge", ""), ("code_challenge_method", ""), ("nonce", "")];
        let shop = RelyingParty::register(world, json!({"require_pkce": false})).await;
        owner.open(&shop.start(&neither)).await.expect(303);
        assert_eq!(RelyingParty::error(&owner), "invalid_request");
        let suite = RelyingParty::register(world, json!({"require_pkce": false, "require_nonce": false})).await;
        owner.open(&suite.start(&neither)).await.expect(303);
        let code = suite.code(&owner);
        let tokens = suite.exchange(&code, &[("code_verifier", "")]).await.expect(200);
        let claims = suite.verify(&tokens.string("id_token")).await;
        assert_eq!(claims.get("nonce"), None, "{claims}");
        // A code for a challenge needs its verifier all the same.
        owner.open(&suite.start(&[])).await.expect(303);
        let code = suite.code(&owner);
        let refused = suite.exchange(&code, &[("code_verifier", "")]).await.expect(400);
        assert_eq!(refused.string("error"), "invalid_grant");
    });
}
