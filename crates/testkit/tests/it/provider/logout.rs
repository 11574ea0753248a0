//! Applications sign people out: at once when they prove whose session it is, else after a question.

use doorward_testkit::html::unescape;
use doorward_testkit::world::Request;
use doorward_testkit::{Browser, World, both};
use http::{Method, header};
use serde_json::json;

use super::relying_party::{FORM, RelyingParty, browser};
use super::{code, signed_in};
use crate::people::{HOME, OWNER, PASSWORD};

const BYE: &str = "https://shop.example/bye";
const OTHER: &str = "other@example.com";
const OTHER_PASSWORD: &str = "quiet granite lantern orbit";

async fn shop(world: &World) -> RelyingParty {
    RelyingParty::register(world, json!({"post_logout_redirect_uris": [BYE]})).await
}

async fn id_token(shop: &RelyingParty, owner: &mut Browser) -> String {
    let code = code(shop, owner).await;
    owner.applications.push(BYE.to_owned());
    shop.tokens(&code).await.id_token
}

fn logout(fields: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("/oauth2/logout?{query}")
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.clone().fetch(Method::GET, "/api/v1/me", None).await.status == 200
}

fn led_to(browser: &Browser) -> Option<String> {
    browser.page.as_ref().unwrap().header(header::LOCATION).map(str::to_owned)
}

/// Proves: A-105, V10.6.2
#[test]
fn an_application_that_proves_whose_session_it_is_signs_out_at_once() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let hint = id_token(&shop, &mut owner).await;
        let access = shop.tokens(&code(&shop, &mut owner).await).await.access;
        // The hint's own time does not count.
        world.advance(3_600_000);
        let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", "a&b")];
        let answer = owner.open(&logout(&fields)).await.expect(303);
        assert_eq!(led_to(&owner).as_deref(), Some("https://shop.example/bye?state=a%26b"));
        assert!(answer.header("clear-site-data").is_some());
        assert!(!is_signed_in(&owner).await && owner.session_cookie().is_none());
        shop.userinfo(&access).await.expect(401);
        let actions = world.actions().await;
        assert_eq!(actions.iter().filter(|action| *action == "session.sign_out").count(), 1, "{actions:?}");
        // Again, when nobody is signed in: nothing to ask.
        owner.open(&logout(&fields)).await.expect(303);
        assert_eq!(led_to(&owner).as_deref(), Some("https://shop.example/bye?state=a%26b"));
        owner.open("/oauth2/logout").await.expect(200);
        assert!(owner.location.starts_with("/login?notice=signed-out"), "{}", owner.location);
    });
}

/// Proves: A-105, V10.6.2, A-121
#[test]
fn without_proof_the_person_is_asked_and_may_stay() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let mine = id_token(&shop, &mut owner).await;
        let access = shop.tokens(&code(&shop, &mut owner).await).await.access;
        world.operator().create_user(OTHER, OTHER_PASSWORD).await;
        let mut other = browser(world, HOME);
        other.sign_in(OTHER, OTHER_PASSWORD).await.expect(200);
        let others = id_token(&shop, &mut other).await;
        let mut elsewhere = browser(world, HOME);
        elsewhere.sign_in(OWNER, PASSWORD).await.expect(200);
        let sibling = id_token(&shop, &mut elsewhere).await;
        let forged = format!("{}AAAA", &mine[..mine.len() - 4]);
        let client = shop.client_id.as_str();
        for hint in ["", "made-up", others.as_str(), sibling.as_str(), forged.as_str(), access.as_str()] {
            let fields = [("id_token_hint", hint), ("client_id", client), ("post_logout_redirect_uri", BYE)];
            let page = owner.open(&logout(&fields)).await.expect(200);
            assert!(owner.has_form("/oauth2/logout/confirm"), "{hint}: {}", page.text());
            assert!(page.text().contains("Shop asks for it."), "{}", page.text());
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.contains("form-action 'self' https://shop.example;"), "{policy}");
            assert!(is_signed_in(&owner).await, "{hint}");
        }
        let mut stays = owner.clone();
        stays.submit("/oauth2/logout/confirm", &[("decision", "stay")]).await.expect(200);
        assert_eq!(stays.location, "/account");
        assert!(is_signed_in(&stays).await);
        // The page in the browser of somebody else by now is asked again.
        let mut switched = owner.clone();
        switched.jar = other.jar.clone();
        switched.jar.insert("__Host-doorward-pre".into(), owner.jar["__Host-doorward-pre"].clone());
        switched.submit("/oauth2/logout/confirm", &[("decision", "sign-out")]).await.expect(200);
        assert!(switched.has_form("/oauth2/logout/confirm") && is_signed_in(&other).await);
        let page = owner.submit("/preferences", &[("language", "de")]).await.expect(200);
        assert!(unescape(page.text()).contains("Shop bittet darum."), "{}", page.text());
        owner.submit("/oauth2/logout/confirm", &[("decision", "sign-out")]).await.expect(303);
        assert_eq!(led_to(&owner).as_deref(), Some(BYE));
        assert!(!is_signed_in(&owner).await && is_signed_in(&elsewhere).await && is_signed_in(&other).await);
    });
}

/// Proves, V10.6.2
#[test]
fn nobody_is_led_to_an_address_that_is_not_registered() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let hint = id_token(&shop, &mut owner).await;
        let stranger = RelyingParty::register(world, json!({})).await;
        let hint = ("id_token_hint", hint.as_str());
        let to = |uri| ("post_logout_redirect_uri", uri);
        for fields in [
            vec![hint, to("https://evil.example/")],
            vec![hint, to("https://shop.example/bye/")],
            vec![hint, to("https://shop.example/bye?x=1")],
            vec![hint, to("https://shop.example/callback")],
            vec![hint, to("javascript:alert(1)")],
            vec![hint, to("//evil.example")],
            vec![to(BYE)],
            vec![("client_id", "client_01h455vb4pex5vsknk084sn02q"), to(BYE)],
            vec![("client_id", stranger.client_id.as_str()), to(BYE)],
            vec![("client_id", stranger.client_id.as_str()), hint, to(BYE)],
            vec![hint, hint],
            vec![hint, ("state", "a\nb"), to(BYE)],
        ] {
            let answer = owner.open(&logout(&fields)).await.expect(400);
            assert!(answer.header(header::LOCATION).is_none(), "{fields:?}");
            assert!(is_signed_in(&owner).await, "{fields:?}: nothing has ended");
        }
        for query in ["%ff=1", "a=%zz"] {
            owner.open(&format!("/oauth2/logout?{query}")).await.expect(400);
        }
        owner.open("/oauth2/logout?flow=forged").await.expect(200);
        assert!(is_signed_in(&owner).await);
        let long = format!("/oauth2/logout?state={}", "a".repeat(2_000));
        owner.open(&long).await.expect(200);
        owner.open(&format!("{long}&x={}", "b".repeat(3_000))).await.expect(400);
    });
}

#[test]
fn a_request_in_a_form_comes_without_cookies_and_goes_on_with_them() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let hint = id_token(&shop, &mut owner).await;
        let body = format!("id_token_hint={hint}&post_logout_redirect_uri=https%3A%2F%2Fshop.example%2Fbye");
        let post = |content_type: &str, body: &str| {
            let request = Request::new(Method::POST, "/oauth2/logout", HOME).header("sec-fetch-site", "cross-site");
            let request = request.header("origin", "https://shop.example").header(header::CONTENT_TYPE, content_type);
            world.send(request.body(body.to_owned()))
        };
        let answer = post(FORM, &body).await.expect(303);
        assert!(answer.cookies().is_empty());
        let location = answer.header(header::LOCATION).unwrap().to_owned();
        assert!(is_signed_in(&owner).await);
        owner.open(&location).await.expect(303);
        assert_eq!(led_to(&owner).as_deref(), Some(BYE));
        assert!(!is_signed_in(&owner).await);
        for (content_type, body) in
            [("text/plain", body.as_str()), (FORM, "%zz"), ("multipart/form-data; boundary=x", "")]
        {
            assert!([400, 415].contains(&post(content_type, body).await.status.as_u16()), "{content_type}");
        }
    });
}
