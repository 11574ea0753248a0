//! What a client may wish the pages on the way to be: a sign-up, a choice of account, a language, an address.

use doorward_testkit::both;
use doorward_testkit::html::unescape;
use http::header;
use serde_json::json;

use super::relying_party::{RelyingParty, browser};
use super::{TYPED, signed_in};
use crate::people::{HOME, OWNER, PASSWORD};

const NEW: &str = "newcomer@example.com";
const OTHER: &str = "other@example.com";
const OTHER_PASSWORD: &str = "quiet granite lantern orbit";

/// Proves: A-97
#[test]
fn a_sign_up_on_the_way_leads_back_to_the_application() {
    both(async |world| {
        let shop = RelyingParty::register(world, json!({})).await;
        // Somebody else may be signed in: it is a new account that is asked for.
        for is_signed_in in [false, true] {
            let email = if is_signed_in { NEW } else { OWNER };
            let mut visitor = if is_signed_in {
                world.operator().create_user(OTHER, OTHER_PASSWORD).await;
                let mut other = browser(world, HOME);
                other.sign_in(OTHER, OTHER_PASSWORD).await.expect(200);
                other
            } else {
                browser(world, HOME)
            };
            visitor.open(&shop.start(&[("prompt", "create"), ("login_hint", email)])).await.expect(200);
            assert!(visitor.location.starts_with("/signup?flow="), "{}", visitor.location);
            assert!(visitor.page.as_ref().unwrap().text().contains(&format!("value=\"{email}\"")));
            // A mistake and a change of language keep the way.
            visitor.submit("/signup", &[("email", email), ("password", "short")]).await.expect(422);
            visitor.submit("/signup", &[("email", email), ("password", PASSWORD)]).await.expect(200);
            assert!(visitor.location.starts_with("/verify?flow="), "{}", visitor.location);
            visitor.submit("/preferences", &[("language", "de")]).await.expect(200);
            let code = world.last_letter_to(email).await.code();
            visitor.submit("/verify", &[("code", &code)]).await.expect(200);
            assert!(visitor.location.starts_with("/login?flow="), "{}", visitor.location);
            visitor.submit("/login", &[("email", email), ("password", PASSWORD)]).await.expect(303);
            let tokens = shop.tokens(&shop.code(&visitor)).await;
            let user = world.operator().find_user(email).await.unwrap();
            assert_eq!(tokens.claims["sub"], json!(user));
        }
    });
}

#[test]
fn whoever_has_an_account_after_all_goes_on_from_the_sign_up() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let mut owner = browser(world, HOME);
        for (prompt, page) in [("create", "/signup"), ("login", "/login")] {
            owner.open(&shop.start(&[("prompt", prompt)])).await.expect(200);
            let flow = owner.location.split_once('?').unwrap().1.to_owned();
            assert!(owner.location.starts_with(page), "{}", owner.location);
            let other = if page == "/login" { "/signup" } else { "/login" };
            let link = format!("href=\"{other}?{flow}\"");
            assert!(unescape(owner.page.as_ref().unwrap().text()).contains(&link), "{link}");
            owner.open(&format!("{other}?{flow}")).await.expect(200);
            owner.open(&format!("/login?{flow}")).await.expect(200);
            owner.submit("/login", &TYPED).await.expect(303);
            shop.code(&owner);
        }
    });
}

/// Proves: A-97
#[test]
fn a_person_goes_on_with_their_account_or_takes_another() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        world.operator().create_user(OTHER, OTHER_PASSWORD).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let select = [("prompt", "select_account")];
        let page = owner.open(&shop.start(&select)).await.expect(200);
        assert!(page.text().contains(OWNER), "{}", page.text());
        assert_eq!(page.header("cross-origin-opener-policy"), Some("unsafe-none"));
        let shown = owner.clone();
        owner.submit("/oauth2/account", &[]).await.expect(303);
        let mine = shop.tokens(&shop.code(&owner)).await;
        // The choice was for this request and for now.
        let way = owner.location.clone();
        owner.open(&shop.start(&select)).await.expect(200);
        assert!(owner.has_form("/oauth2/account"));
        world.advance(300_000);
        owner.open(&way).await.expect(200);
        assert!(owner.has_form("/oauth2/account"));
        // Another account: by signing in.
        let text = unescape(owner.page.as_ref().unwrap().text());
        let link = text.split("href=\"/login?flow=").nth(1).unwrap().split('"').next().unwrap().to_owned();
        owner.open(&format!("/login?flow={link}")).await.expect(200);
        owner.submit("/login", &[("email", OTHER), ("password", OTHER_PASSWORD)]).await.expect(303);
        let others = shop.tokens(&shop.code(&owner)).await;
        assert_ne!(mine.claims["sub"], others.claims["sub"]);
        // The page of somebody who was signed in before is asked again.
        let mut old = shown;
        old.jar = owner.jar.clone();
        let page = old.submit("/oauth2/account", &[]).await.expect(200);
        assert!(old.has_form("/oauth2/account") && page.text().contains(OTHER), "{}", page.text());
        old.submit("/oauth2/account", &[("flow", "forged")]).await.expect(200);
        assert!(!old.has_form("/oauth2/account"));
        let mut nobody = browser(world, HOME);
        nobody.open(&shop.start(&select)).await.expect(200);
        assert!(nobody.has_form("/login"));
    });
}

#[test]
fn pages_speak_the_language_that_the_application_wishes_unless_the_person_chose_one() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({"consent": "ask"})).await;
        let german = [("ui_locales", "fr-CA de-AT en")];
        let asks = |prompt| [german[0], ("prompt", prompt)];
        for (prompt, text) in [
            ("login", "Passwort"),
            ("create", "Konto erstellen"),
            ("select_account", "Konto wählen"),
            ("consent", "Erlauben"),
        ] {
            let page = owner.open(&shop.start(&asks(prompt))).await.expect(200);
            assert!(page.text().contains("<html lang=\"de\"") && page.text().contains(text), "{}", page.text());
        }
        owner.open(&shop.start(&asks("login"))).await.expect(200);
        let again = owner.submit("/login", &[("email", OWNER), ("password", "wrong")]).await.expect(422);
        assert!(again.text().contains("<html lang=\"de\""), "{}", again.text());
        owner.submit("/preferences", &[("language", "en")]).await.expect(200);
        for prompt in ["login", "create", "consent"] {
            let page = owner.open(&shop.start(&asks(prompt))).await.expect(200);
            assert!(page.text().contains("<html lang=\"en\""), "{}", page.text());
        }
    });
}

/// Proves
#[test]
fn hints_fill_in_what_they_can_and_promise_nothing() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let mut owner = browser(world, HOME);
        for hint in [OWNER, "\"><script>alert(1)</script>"] {
            let page = owner.open(&shop.start(&[("login_hint", hint)])).await.expect(200);
            assert!(!page.text().contains("<script>alert"), "{}", page.text());
            assert!(unescape(page.text()).contains(&format!("value=\"{hint}\"")), "{}", page.text());
        }
        // Wishes for a class of authentication are met as far as they can be; what must be had is refused.
        for wish in ["aal1", "aal2 aal1", "phr"] {
            owner.open(&shop.start(&[("acr_values", wish), ("prompt", "login")])).await.expect(200);
            owner.submit("/login", &TYPED).await.expect(303);
            assert_eq!(shop.tokens(&shop.code(&owner)).await.claims["acr"], "aal1");
        }
        let claims = json!({"id_token": {"acr": {"essential": true, "values": ["aal2"]}}}).to_string();
        owner.open(&shop.start(&[("claims", &claims)])).await.expect(303);
        assert_eq!(RelyingParty::error(&owner), "unmet_authentication_requirements");
        let location = owner.page.as_ref().unwrap().header(header::LOCATION).unwrap();
        assert!(location.contains("error="), "{location}");
    });
}
