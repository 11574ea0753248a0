//! People are asked whether an application may have what it asks for, and their answer is for that question alone.

use doorward_testkit::html::unescape;
use doorward_testkit::{Browser, World, both};
use http::header;
use serde_json::{Value, json};

use super::relying_party::{CALLBACK, RelyingParty, browser};
use super::{TYPED, signed_in};
use crate::people::{AWAY, HOME, OWNER, PASSWORD};

const OTHER: &str = "other@example.com";
const OTHER_PASSWORD: &str = "quiet granite lantern orbit";

/// An application that is somebody else's.
async fn strangers_shop(world: &World, changes: Value) -> RelyingParty {
    let mut members = json!({"consent": "ask", "scope": "openid profile email orders:read"});
    members.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    RelyingParty::register(world, members).await
}

/// Answers the question that the browser shows.
async fn answer(browser: &mut Browser, decision: &str) {
    browser.submit("/oauth2/consent", &[("decision", decision)]).await.expect(303);
}

/// Opens a request and expects to be asked.
async fn asked(browser: &mut Browser, path: &str) -> String {
    let page = browser.open(path).await.expect(200);
    assert!(browser.has_form("/oauth2/consent"), "{}", page.text());
    unescape(page.text())
}

async fn consents(world: &World) -> i64 {
    crate::credentials::number(world, "SELECT COUNT(*) FROM consents WHERE granted_at IS NOT NULL").await
}

/// Proves: V10.7.1, V10.7.2
#[test]
fn a_person_is_asked_once_for_each_scope_and_service() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let (api, files) = ("https://api.example", "https://files.example");
        let shop = strangers_shop(
            world,
            json!({"resources": [api, files], "client_uri": "https://shop.example/", "tos_uri": "https://shop.example/terms"}),
        )
        .await;
        let mut owner = browser(world, HOME);
        owner.open(&shop.start(&[])).await.expect(200);
        let page = owner.submit("/login", &TYPED).await.expect(200);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self' https://shop.example;"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.header("cross-origin-opener-policy"), Some("unsafe-none"));
        let text = unescape(page.text());
        for told in ["Allow Shop to use", OWNER, "recognise you", "see your e-mail address", "shop.example"] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(text.contains("href=\"https://shop.example/terms\""), "{text}");
        assert!(!text.contains("see your name") && !text.contains("orders:read"), "{text}");
        assert_eq!(consents(world).await, 0, "looking is no answer");
        answer(&mut owner, "allow").await;
        let tokens = shop.tokens(&shop.code(&owner)).await;
        assert_eq!(shop.verify(&tokens.access).await["scope"], "openid email");
        for changes in [&[][..], &[("scope", "openid")], &[("prompt", "none")]] {
            owner.open(&shop.start(changes)).await.expect(303);
            shop.code(&owner);
        }
        for (changes, told) in [
            ([("scope", "openid orders:read")], "use its own permission <code>orders:read</code>"),
            ([("scope", "openid profile")], "see your name"),
            ([("resource", api)], "In your name it will use"),
            ([("resource", files)], files),
        ] {
            let text = asked(&mut owner, &shop.start(&changes)).await;
            assert!(text.contains(told), "{told}: {text}");
            owner.open(&shop.start(&[changes[0], ("prompt", "none")])).await.expect(303);
            assert_eq!(RelyingParty::error(&owner), "consent_required", "{changes:?}");
            asked(&mut owner, &shop.start(&changes)).await;
            answer(&mut owner, "allow").await;
            shop.code(&owner);
            owner.open(&shop.start(&changes)).await.expect(303);
            shop.code(&owner);
        }
        let actions = world.actions().await;
        assert_eq!(actions.iter().filter(|action| *action == "consent.given").count(), 5, "{actions:?}");
    });
}

/// Proves: V10.7.1, A-82
#[test]
fn no_means_no_and_is_not_remembered() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = strangers_shop(world, json!({})).await;
        for _ in 0..2 {
            asked(&mut owner, &shop.start(&[])).await;
            answer(&mut owner, "deny").await;
            assert_eq!(RelyingParty::error(&owner), "access_denied");
        }
        // The other mode too.
        asked(&mut owner, &shop.start(&[("response_mode", "form_post")])).await;
        let page = owner.submit("/oauth2/consent", &[("decision", "deny")]).await.expect(200);
        assert!(owner.has_form(CALLBACK) && page.text().contains("value=\"access_denied\""), "{}", page.text());
        assert_eq!(consents(world).await, 0);
        let actions = world.actions().await;
        assert_eq!(actions.iter().filter(|action| *action == "consent.denied").count(), 3);
        assert!(!actions.contains(&"grant.created".to_owned()), "{actions:?}");
    });
}

/// Proves: V10.7.1
#[test]
fn prompt_consent_asks_always_and_the_operators_own_applications_ask_only_then() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        for consent in ["ask", "skip"] {
            let shop = strangers_shop(world, json!({"consent": consent})).await;
            for _ in 0..2 {
                asked(&mut owner, &shop.start(&[("prompt", "consent")])).await;
                answer(&mut owner, "allow").await;
                shop.code(&owner);
            }
            owner.open(&shop.start(&[])).await.expect(303);
            shop.code(&owner);
            // The address with the answer in it is good for a reload, not for ever.
            asked(&mut owner, &shop.start(&[("prompt", "consent")])).await;
            answer(&mut owner, "allow").await;
            let way = owner.location.clone();
            assert!(way.starts_with("/oauth2/authorize?flow="), "{way}");
            owner.open(&way).await.expect(303);
            shop.code(&owner);
            world.advance(300_000);
            asked(&mut owner, &way).await;
        }
        let shop = strangers_shop(world, json!({"consent": "skip"})).await;
        owner.open(&shop.start(&[])).await.expect(303);
        shop.code(&owner);
        // What was noted while nobody was asked is no consent.
        let ask = json!({"consent": "ask"}).as_object().unwrap().clone();
        world.app().update_client(&world.operator().op(), &shop.client_id, ask).await.unwrap().unwrap();
        asked(&mut owner, &shop.start(&[])).await;
    });
}

/// Another application on the device can pretend to be a public one that is reached there.
///
/// Proves: V10.7.1
#[test]
fn an_application_that_others_can_pretend_to_be_is_asked_about_every_time() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        for uri in ["com.example.shop:/callback", "http://127.0.0.1/callback", "http://localhost:8080/callback"] {
            let public =
                json!({"token_endpoint_auth_method": "none", "redirect_uris": [uri], "application_type": "native"});
            let shop = strangers_shop(world, public).await;
            owner.applications.push(uri.to_owned());
            for _ in 0..2 {
                asked(&mut owner, &shop.start(&[("redirect_uri", uri)])).await;
                answer(&mut owner, "allow").await;
                let location = owner.page.as_ref().unwrap().header(header::LOCATION).unwrap().to_owned();
                assert!(location.starts_with(uri) && location.contains("code="), "{location}");
            }
            owner.open(&shop.start(&[("redirect_uri", uri), ("prompt", "none")])).await.expect(303);
            let location = owner.page.as_ref().unwrap().header(header::LOCATION).unwrap();
            assert!(location.contains("error=consent_required"), "{location}");
        }
    });
}

/// Proves: A-44, V10.7.1
#[test]
fn an_answer_is_for_the_question_that_was_shown_and_for_nothing_else() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = strangers_shop(world, json!({})).await;
        // From a sign-in that the same request led to: there was no question yet.
        let mut fresh = browser(world, HOME);
        fresh.open(&shop.start(&[])).await.expect(200);
        let unasked = fresh.location.split_once("flow=").unwrap().1.to_owned();
        fresh.submit("/login", &TYPED).await.expect(200);
        fresh.submit("/oauth2/consent", &[("decision", "allow"), ("flow", &unasked)]).await.expect(200);
        assert!(fresh.has_form("/oauth2/consent"), "asked again");
        // A stranger's question, in the owner's browser.
        let mut stranger = browser(world, AWAY);
        world.operator().create_user(OTHER, OTHER_PASSWORD).await;
        stranger.sign_in(OTHER, OTHER_PASSWORD).await.expect(200);
        asked(&mut stranger, &shop.start(&[])).await;
        let strangers = flow_of(&stranger);
        asked(&mut owner, &shop.start(&[])).await;
        for flow in [strangers.as_str(), "forged", ""] {
            let mut victim = owner.clone();
            victim.submit("/oauth2/consent", &[("decision", "allow"), ("flow", flow)]).await;
            assert!(victim.page.as_ref().unwrap().header(header::LOCATION).is_none(), "{flow}");
        }
        for decision in ["", "maybe", "ALLOW"] {
            owner.submit("/oauth2/consent", &[("decision", decision)]).await.expect(200);
            assert!(owner.has_form("/oauth2/consent"), "{decision}");
        }
        // The application is called something else by now.
        let renamed = json!({"client_name": "Till"}).as_object().unwrap().clone();
        world.app().update_client(&world.operator().op(), &shop.client_id, renamed).await.unwrap().unwrap();
        let page = owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(200);
        assert!(page.text().contains("Allow Till to use"), "{}", page.text());
        assert_eq!(consents(world).await, 0);
        answer(&mut owner, "allow").await;
        shop.code(&owner);
        assert_eq!(consents(world).await, 1);
    });
}

fn flow_of(browser: &Browser) -> String {
    let page = unescape(browser.page.as_ref().unwrap().text());
    let form = page.split("action=\"/oauth2/consent\"").nth(1).unwrap().to_owned();
    form.split("name=\"flow\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// Proves: A-44, V10.7.1
#[test]
fn a_person_who_took_over_in_another_tab_is_asked_themselves() {
    both(async |world| {
        world.operator().create_user(OTHER, OTHER_PASSWORD).await;
        let mut owner = signed_in(world).await;
        let shop = strangers_shop(world, json!({})).await;
        asked(&mut owner, &shop.start(&[])).await;
        let mut other_tab = owner.clone();
        other_tab.open("/account").await.expect(200);
        other_tab.submit("/logout", &[]).await.expect(200);
        owner.jar = other_tab.jar.clone();
        let shown = owner.clone();
        owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(200);
        assert!(owner.has_form("/login"), "nobody is signed in: {}", owner.location);
        assert!(owner.location.starts_with("/login?flow="), "{}", owner.location);
        other_tab.sign_in(OTHER, OTHER_PASSWORD).await.expect(200);
        let mut owner = shown;
        owner.jar = other_tab.jar.clone();
        let page = owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(200);
        assert!(owner.has_form("/oauth2/consent") && page.text().contains(OTHER), "{}", page.text());
        assert_eq!(consents(world).await, 0);
        answer(&mut owner, "allow").await;
        shop.code(&owner);
        // Nor does an answer that was given count for whoever signs in afterwards.
        asked(&mut owner, &shop.start(&[("prompt", "consent")])).await;
        answer(&mut owner, "allow").await;
        let way = owner.location.clone();
        owner.open("/account").await.expect(200);
        owner.submit("/logout", &[]).await.expect(200);
        owner.sign_in(OWNER, PASSWORD).await.expect(200);
        asked(&mut owner, &way).await;
        // Not either when they have allowed it themselves before, and a refusal as little.
        answer(&mut owner, "allow").await;
        asked(&mut owner, &way).await;
        answer(&mut owner, "deny").await;
        let refused = owner.location.clone();
        assert_eq!(RelyingParty::error(&owner), "access_denied");
        owner.open("/account").await.expect(200);
        owner.submit("/logout", &[]).await.expect(200);
        owner.sign_in(OTHER, OTHER_PASSWORD).await.expect(200);
        asked(&mut owner, &refused).await;
    });
}

/// Nobody types a password, or decides, for a request that cannot be carried to its end.
#[test]
fn a_request_that_leads_to_a_question_is_carried_through_it_or_refused_before() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let shop = strangers_shop(world, json!({})).await;
        let (mut refused, mut carried) = (0, 0);
        let start = shop.start(&[("prompt", "consent")]);
        for length in (2_800..3_000).step_by(10) {
            let missing = length - start.split_once('?').unwrap().1.len() - "&x=".len();
            let path = format!("{start}&x={}", "a".repeat(missing));
            let mut owner = browser(world, HOME);
            let first = owner.open(&path).await;
            if first.status == 400 {
                refused += 1;
                continue;
            }
            owner.submit("/login", &TYPED).await.expect(200);
            answer(&mut owner, "deny").await;
            assert_eq!(RelyingParty::error(&owner), "access_denied", "{length}");
            carried += 1;
            // The same of somebody who is signed in.
            owner.open(&path).await.expect(200);
            answer(&mut owner, "deny").await;
        }
        assert!(refused > 1 && carried > 1, "{refused} {carried}");
    });
}

#[test]
fn reload_back_and_two_tabs_lead_on() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = strangers_shop(world, json!({})).await;
        asked(&mut owner, &shop.start(&[])).await;
        let (mut second, mut third) = (owner.clone(), owner.clone());
        for _ in 0..2 {
            // Sent twice, as by somebody who goes back.
            let mut again = owner.clone();
            answer(&mut again, "allow").await;
            shop.code(&again);
        }
        asked(&mut second, &shop.start(&[("prompt", "consent")])).await;
        answer(&mut second, "deny").await;
        assert_eq!(RelyingParty::error(&second), "access_denied");
        // A change of language comes back to the question.
        asked(&mut third, &shop.start(&[("prompt", "consent")])).await;
        let page = third.submit("/preferences", &[("language", "de")]).await.expect(200);
        assert!(page.text().contains("Zugriff auf Ihr Konto erlauben"), "{}", page.text());
        answer(&mut third, "allow").await;
        shop.code(&third);
        // A day later the page has run out, and says so.
        world.advance(25 * 3_600_000);
        let page = owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(200);
        assert!(page.text().contains("This page has run out"), "{}", page.text());
    });
}
