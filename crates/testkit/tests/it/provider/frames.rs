//! Applications that hear of the end of a session in the browser (Front-Channel Logout 1.0).

use doorward_testkit::html::unescape;
use doorward_testkit::{Answer, Browser, both};
use http::{Method, header};
use serde_json::json;

use super::relying_party::RelyingParty;
use super::{code, signed_in};

const EAR: &str = "https://shop.example/out?from=doorward";
const BYE: &str = "https://shop.example/bye";

/// The address of the one frame of a page that shows nothing else from elsewhere.
fn frame(answer: &Answer) -> String {
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("; frame-src https://shop.example;"), "{policy}");
    assert!(answer.header("clear-site-data").is_some());
    let (_, rest) = answer.text().split_once("<iframe src=\"").unwrap();
    assert!(!rest.contains("<iframe"), "{rest}");
    unescape(rest.split_once('"').unwrap().0)
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.fetch(Method::GET, "/api/v1/me", None).await.status == 200
}

/// Proves: A-105
#[test]
fn whatever_way_a_person_signs_out_the_application_is_told_in_a_frame() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let metadata = json!({"frontchannel_logout_uri": EAR, "post_logout_redirect_uris": [BYE]});
        let shop = RelyingParty::register(world, metadata).await;
        let mine = code(&shop, &mut owner).await;
        let claims = shop.tokens(&mine).await.claims;
        let expected = format!("{EAR}&iss=https%3A%2F%2Fauth.example.test&sid={}", claims["sid"].as_str().unwrap());
        owner.open("/account").await.expect(200);
        let page = owner.submit("/logout", &[]).await.expect(200);
        assert_eq!(frame(&page), expected);
        assert_eq!(page.header(header::REFRESH), Some("3; url=/login?notice=signed-out"));
        assert!(!is_signed_in(&mut owner).await && owner.session_cookie().is_none());

        owner.sign_in(crate::people::OWNER, crate::people::PASSWORD).await.expect(200);
        let mine = code(&shop, &mut owner).await;
        let tokens = shop.tokens(&mine).await;
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("id_token_hint", tokens.id_token.as_str()), ("post_logout_redirect_uri", BYE)])
            .finish();
        let page = owner.open(&format!("/oauth2/logout?{query}")).await.expect(200);
        assert!(frame(&page).ends_with(tokens.claims["sid"].as_str().unwrap()));
        assert_eq!(page.header(header::REFRESH), Some(format!("3; url={BYE}").as_str()));
        assert!(!is_signed_in(&mut owner).await);
    });
}

/// Proves: A-105
#[test]
fn an_application_hears_of_no_session_that_it_has_no_part_in() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({"frontchannel_logout_uri": EAR})).await;
        let other = RelyingParty::register(world, json!({})).await;
        let mine = code(&other, &mut owner).await;
        other.tokens(&mine).await;
        // It has a code, and no session yet.
        code(&shop, &mut owner).await;
        owner.open("/account").await.expect(200);
        owner.submit("/logout", &[]).await.expect(200);
        assert_eq!(owner.location, "/login?notice=signed-out");
        let page = owner.page.as_ref().unwrap();
        assert!(!page.text().contains("<iframe") && page.header(header::REFRESH).is_none());
        assert!(!page.header("content-security-policy").unwrap().contains("frame-src"));
        // One that is gone is not told any more.
        owner.sign_in(crate::people::OWNER, crate::people::PASSWORD).await.expect(200);
        let mine = code(&shop, &mut owner).await;
        shop.tokens(&mine).await;
        assert!(world.app().delete_client(&world.operator().op(), &shop.client_id).await.unwrap());
        owner.open("/account").await.expect(200);
        owner.submit("/logout", &[]).await.expect(200);
        assert_eq!(owner.location, "/login?notice=signed-out");
    });
}
