//! Where answers go: to addresses that are registered, and nowhere that only looks like one.

use doorward_testkit::{Browser, both_with};
use http::header;
use serde_json::json;

use super::lists::generous;
use super::pushed::push;
use super::relying_party::{RelyingParty, browser};
use super::signed_in;
use crate::people::HOME;

const REGISTERED: &str = "https://app.example.com/cb";

/// The query of a request to this address; none leaves it out.
fn query(shop: &RelyingParty, addresses: &[&str]) -> String {
    let start = shop.start(&[("redirect_uri", "")]);
    let mut query = start.split_once('?').unwrap().1.to_owned();
    for address in addresses {
        let pair = url::form_urlencoded::Serializer::new(String::new()).append_pair("redirect_uri", address).finish();
        query = format!("{query}&{pair}");
    }
    query
}

/// Refused on a page of ours, and to the client when it pushes.
async fn leads_nowhere(shop: &RelyingParty, owner: &mut Browser, addresses: &[&str]) {
    let query = query(shop, addresses);
    // Nobody is asked to sign in for it, and nobody who is signed in is led there.
    for mut browser in [browser(&shop.world, HOME), owner.clone()] {
        let page = browser.open(&format!("/oauth2/authorize?{query}")).await.expect(400);
        assert!(page.header(header::LOCATION).is_none(), "{addresses:?}");
        assert!(page.header(header::CONTENT_TYPE).unwrap().starts_with("text/html"), "{addresses:?}");
        assert!(!page.text().contains("evil"), "{addresses:?}");
    }
    let answer = push(shop, query).await.expect(400);
    assert_eq!(answer.string("error"), "invalid_request", "{addresses:?}");
}

/// Proves, V10.4.1
#[test]
fn an_answer_goes_to_a_registered_address_byte_for_byte() {
    both_with(&generous(), async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({ "redirect_uris": [REGISTERED] })).await;
        for address in [
            "https://app.example.com/cb/",
            "https://app.example.com/cb?x=1",
            "https://app.example.com/cb?",
            "https://app.example.com/cb#f",
            "https://app.example.com/cb#",
            "https://app.example.com/CB",
            "HTTPS://APP.example.com/cb",
            "https://app.example.com:443/cb",
            "https://app.example.com/cb/../evil",
            "https://app.example.com/./cb",
            "https://app.example.com%2fcb",
            "https://app.example.com@evil.com/cb",
            "https://evil.com?https://app.example.com/cb",
            "https://app.example.com.evil.com/cb",
            "https://app.example.com./cb",
            "http://app.example.com/cb",
            "https://app.example.com\\@evil.com/cb",
            "https://app.example.com/%63b",
            " https://app.example.com/cb",
            "https://app.example.com/cb ",
            "https://app.example.com/cb\n",
            "https://app.example.com/cb\r\nlocation: https://evil.com",
            "https://app.example.com/cb\0",
            "//app.example.com/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://*.example.com/cb",
            "https://\u{430}pp.example.com/cb",
            "https://xn--pp-6kc.example.com/cb",
            "https://app.example.com/cb?code=x",
            "myapp://cb",
            "/cb",
            "cb",
        ] {
            leads_nowhere(&shop, &mut owner, &[address]).await;
        }
        // Twice, empty, missing.
        for addresses in [&[REGISTERED, REGISTERED][..], &[REGISTERED, "https://evil.com/"], &[""], &[]] {
            leads_nowhere(&shop, &mut owner, addresses).await;
        }
        owner.applications.push(REGISTERED.to_owned());
        owner.open(&format!("/oauth2/authorize?{}", query(&shop, &[REGISTERED]))).await.expect(303);
        // Which of several is not guessed, OpenID Connect or not.
        let two = json!({ "redirect_uris": [REGISTERED, "https://app.example.com/other"], "scope": "openid email" });
        let several = RelyingParty::register(world, two).await;
        leads_nowhere(&several, &mut owner, &[]).await;
        let plain = query(&several, &[]).replace("scope=openid+email", "scope=email");
        owner.open(&format!("/oauth2/authorize?{plain}")).await.expect(400);
        // An unknown client, whatever address it brings.
        let nobody = query(&shop, &["https://evil.com/"]).replace(&shop.client_id, "client_01h455vb4pex5vsknk084sn02q");
        let page = owner.open(&format!("/oauth2/authorize?{nobody}&prompt=none")).await.expect(400);
        assert!(page.header(header::LOCATION).is_none());
    });
}

/// Proves: A-80
#[test]
fn of_an_address_on_the_device_only_the_port_may_differ() {
    both_with(&generous(), async |world| {
        let mut owner = signed_in(world).await;
        let native = json!({ "redirect_uris": ["http://127.0.0.1/cb"], "application_type": "native" });
        let app = RelyingParty::register(world, native).await;
        let good = "http://127.0.0.1:51004/cb";
        owner.applications.push(good.to_owned());
        owner.open(&format!("/oauth2/authorize?{}", query(&app, &[good]))).await.expect(303);
        let location = owner.page.as_ref().unwrap().header(header::LOCATION).unwrap();
        assert!(location.starts_with("http://127.0.0.1:51004/cb?code=dwac_"), "{location}");
        for address in [
            "http://127.0.0.1:51004/cb2",
            "http://127.0.0.1:51004/cb?x=1",
            "http://localhost:51004/cb",
            "http://127.0.0.1.evil.com/cb",
            "http://127.0.0.1:51004@evil.com/cb",
            "http://127.0.0.1:@evil.com/cb",
            "http://[::1]:1/cb",
            "https://127.0.0.1:1/cb",
            "http://127.1/cb",
            "http://2130706433/cb",
            "http://127.0.0.2:1/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:+1/cb",
        ] {
            leads_nowhere(&app, &mut owner, &[address]).await;
        }
        for address in
            ["https://*.example.com/cb", "myapp://cb", "https://user@app.example.com/cb", "http://a.example/"]
        {
            let fields = json!({ "client_name": "x", "redirect_uris": [address], "application_type": "native" });
            let fields = fields.as_object().unwrap().clone();
            assert!(world.app().create_client(&world.operator().op(), fields).await.is_err(), "{address}");
        }
    });
}
