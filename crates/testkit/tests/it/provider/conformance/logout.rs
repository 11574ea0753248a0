//! RP-Initiated and Back-Channel Logout: what both plans look at beside what the tests of each do.

use doorward_testkit::{Browser, both};
use http::header;
use serde_json::json;

use crate::people::{OWNER, PASSWORD};
use crate::provider::relying_party::{RelyingParty, header_of};
use crate::provider::{code, signed_in};

const BYE: &str = "https://shop.example/bye";

fn logout(fields: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("/oauth2/logout?{query}")
}

/// Where the browser was led, and with which parameters.
fn led_to(browser: &Browser) -> (String, Vec<(String, String)>) {
    let location = browser.page.as_ref().unwrap().header(header::LOCATION).unwrap();
    let url = url::Url::parse(location).unwrap();
    (format!("{}{}", url.origin().ascii_serialization(), url.path()), url.query_pairs().into_owned().collect())
}

async fn finds_nobody(shop: &RelyingParty, browser: &mut Browser) {
    browser.open(&shop.start(&[("prompt", "none")])).await.expect(303);
    assert_eq!(RelyingParty::error(browser), "login_required");
}

/// `oidcc-rp-initiated-logout`, `oidcc-rp-initiated-logout-no-state`: the state comes back as it was sent, alone, and
/// nobody is signed in any more.
#[test]
fn the_way_back_carries_the_state_and_nothing_else_and_nobody_is_there_any_more() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({"post_logout_redirect_uris": [BYE]})).await;
        owner.applications.push(BYE.to_owned());
        for state in [Some("s".repeat(128)), None] {
            let mine = code(&shop, &mut owner).await;
            let hint = shop.tokens(&mine).await.id_token;
            let mut fields = vec![("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE)];
            fields.extend(state.as_deref().map(|state| ("state", state)));
            owner.open(&logout(&fields)).await.expect(303);
            let expected: Vec<_> = state.iter().map(|state| ("state".to_owned(), state.clone())).collect();
            assert_eq!(led_to(&owner), (BYE.to_owned(), expected));
            finds_nobody(&shop, &mut owner).await;
            owner.sign_in(OWNER, PASSWORD).await.expect(200);
        }
    });
}

/// `oidcc-rp-initiated-logout-no-post-logout-redirect-uri`, `-modified-id-token-hint`, `-bad-id-token-hint`,
/// `-no-params`, `-only-state`: a page of ours, and never the application's address.
#[test]
fn where_nothing_leads_back_there_is_a_page_of_ours() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({"post_logout_redirect_uris": [BYE]})).await;
        let mine = code(&shop, &mut owner).await;
        let hint = shop.tokens(&mine).await.id_token;
        let (_, rest) = hint.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        let mut header = header_of(&hint);
        header["alg"] = json!("none");
        let unsigned = format!("{}.{claims}.", url_safe(&header.to_string()));
        let foreign =
            format!("{}.{}.AAAA", url_safe(&header.to_string()), url_safe(r#"{"iss":"https://other.example"}"#));
        for hint in [unsigned.as_str(), foreign.as_str()] {
            let answer = owner.open(&logout(&[("id_token_hint", hint), ("post_logout_redirect_uri", BYE)])).await;
            assert!(answer.header(header::LOCATION).is_none(), "{hint}");
            assert_eq!(answer.status, 400, "{hint}: an error page");
        }
        for fields in [&[][..], &[("state", "only")]] {
            owner.open(&logout(fields)).await.expect(200);
            assert!(owner.has_form("/oauth2/logout/confirm"), "{fields:?}");
        }
        owner.open(&logout(&[("id_token_hint", &hint)])).await.expect(200);
        assert!(owner.location.starts_with("/login?notice=signed-out"), "{}", owner.location);
        finds_nobody(&shop, &mut owner).await;
    });
}

fn url_safe(text: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text)
}
