//! The same as a person with a browser meets it.

use doorward_testkit::{World, both};
use http::Method;

use crate::people::{AWAY, HOME, OTHER_PASSWORD, OWNER, PASSWORD, WRONG_PASSWORD, stranger};

/// Proves: S-9, V7.4.4, S-8
#[test]
fn a_person_signs_up_confirms_signs_in_and_signs_out() {
    both(async |world| {
        let mut browser = world.browser(HOME);
        browser.open("/signup").await.expect(200);
        let typed = [("email", OWNER), ("password", PASSWORD), ("name", "Ada Lovelace")];
        browser.submit("/signup", &typed).await.expect(200);
        assert!(browser.location.starts_with("/verify?flow="), "{}", browser.location);
        let code = world.last_letter_to(OWNER).await.code();
        let wrong = if code == "000000" { "111111" } else { "000000" };
        browser.submit("/verify", &[("code", wrong)]).await.expect(422);
        browser.submit("/verify", &[("code", &code)]).await.expect(200);
        assert_eq!(browser.location, "/login?notice=email-confirmed");
        browser.submit("/login", &[("email", OWNER), ("password", PASSWORD)]).await.expect(200);
        assert_eq!(browser.location, "/account");
        assert!(browser.page.as_ref().unwrap().text().contains("Ada Lovelace"));
        let old = browser.clone();
        for path in ["/account", "/account/password", "/account/sessions", "/account/appearance"] {
            browser.open(path).await.expect(200);
            assert!(browser.has_form("/logout"), "{path}");
        }
        let page = browser.submit("/logout", &[]).await.expect(200);
        assert_eq!(browser.location, "/login?notice=signed-out");
        assert!(page.text().contains("You are signed out."));
        assert_eq!(browser.session_cookie(), None);
        let mut replayed = old;
        replayed.fetch(Method::GET, "/api/v1/me", None).await.expect(401);
        replayed.open("/account").await;
        assert!(!replayed.page.as_ref().unwrap().text().contains("Ada Lovelace"));
    });
}

/// Proves
#[test]
fn whoever_opens_the_link_chooses_the_password() {
    both(async |world| {
        let mut attacker = world.browser(AWAY);
        attacker.open("/signup").await.expect(200);
        attacker.submit("/signup", &[("email", OWNER), ("password", WRONG_PASSWORD)]).await.expect(200);
        let letter = world.last_letter_to(OWNER).await;
        let mut owner = world.browser(HOME);
        owner.open(&letter.link()).await.expect(200);
        assert!(!owner.location.contains(&letter.token()), "{}", owner.location);
        owner.submit("/verify/link", &[("password", "short")]).await.expect(422);
        owner.submit("/verify/link", &[("password", PASSWORD)]).await.expect(200);
        assert_eq!(owner.location, "/login?notice=email-confirmed");
        attacker.sign_in(OWNER, WRONG_PASSWORD).await.expect(422);
        assert_eq!(attacker.session_cookie(), None);
        owner.sign_in(OWNER, PASSWORD).await.expect(200);
        assert_eq!(owner.location, "/account");
    });
}

#[test]
fn a_mail_can_be_sent_again_from_the_page() {
    both(async |world| {
        let mut browser = world.browser(HOME);
        browser.open("/signup").await.expect(200);
        browser.submit("/signup", &[("email", OWNER), ("password", PASSWORD)]).await.expect(200);
        browser.submit("/verify/resend", &[]).await.expect(200);
        assert!(browser.location.ends_with("notice=mail-sent-again"), "{}", browser.location);
        let letters = world.letters_to(OWNER).await;
        assert_eq!(letters.len(), 2);
        browser.submit("/verify", &[("code", &letters[1].code())]).await.expect(200);
        assert_eq!(browser.location, "/login?notice=email-confirmed");
    });
}

#[test]
fn a_wrong_password_keeps_the_address_and_never_the_password() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut browser = world.browser(HOME);
        let page = browser.sign_in(OWNER, WRONG_PASSWORD).await.expect(422);
        assert!(page.text().contains(&format!("value=\"{OWNER}\"")));
        assert!(!page.text().contains(WRONG_PASSWORD));
        assert!(page.text().contains("The e-mail address or the password is not right."));
        assert_eq!(browser.session_cookie(), None);
    });
}

async fn known(world: &World, email: &str) {
    world.operator().create_user(email, PASSWORD).await;
}

/// Proves, V6.3.8
#[test]
fn pages_show_the_same_for_known_and_unknown_addresses() {
    both(async |world| {
        known(world, "known1@example.org").await;
        let mut pages = Vec::new();
        for (number, email) in ["known1@example.org", "nobody@example.org"].into_iter().enumerate() {
            let mut browser = world.browser(&stranger(number));
            let mut seen = Vec::new();
            seen.push(browser.sign_in(email, WRONG_PASSWORD).await.expect(422));
            browser.open("/forgot").await.expect(200);
            seen.push(browser.submit("/forgot", &[("email", email)]).await.expect(200));
            browser.open("/signup").await.expect(200);
            seen.push(browser.submit("/signup", &[("email", email), ("password", PASSWORD)]).await.expect(200));
            pages.push(seen.iter().map(|page| visible(page.text(), email)).collect::<Vec<_>>());
        }
        assert_eq!(pages[0], pages[1]);
    });
}

/// A page without its hidden values, nonce and the address that was typed.
fn visible(page: &str, email: &str) -> String {
    let kept = page.lines().filter(|line| !line.contains("type=\"hidden\"") && !line.contains("nonce="));
    kept.collect::<Vec<_>>().join("\n").replace("<wbr>", "").replace(email, "…")
}

/// Proves: S-156, S-170, V7.5.2
#[test]
fn a_person_sees_their_sessions_and_ends_them() {
    both(async |world| {
        known(world, OWNER).await;
        let mut here = world.browser(HOME);
        here.sign_in(OWNER, PASSWORD).await.expect(200);
        let mut others = Vec::new();
        for number in 0..3 {
            let mut other = world.browser(&stranger(number));
            other.sign_in(OWNER, PASSWORD).await.expect(200);
            others.push(other);
        }
        let page = here.open("/account/sessions").await.expect(200);
        assert!(page.text().contains(&stranger(2)) && page.text().contains(HOME));
        here.submit("/account/sessions/end", &[]).await.expect(200);
        let mut alive = Vec::new();
        for other in &mut others {
            alive.push(other.fetch(Method::GET, "/api/v1/me", None).await.status.is_success());
        }
        assert_eq!(alive.iter().filter(|alive| **alive).count(), 2);
        here.submit("/account/sessions/end-others", &[]).await.expect(200);
        for other in &mut others {
            other.fetch(Method::GET, "/api/v1/me", None).await.expect(401);
        }
        here.open("/account").await.expect(200);
        assert_eq!(here.location, "/account");
    });
}

/// Proves: S-10
#[test]
fn a_forgotten_password_is_reset_by_the_link() {
    both(async |world| {
        known(world, OWNER).await;
        let mut browser = world.browser(HOME);
        browser.open("/forgot").await.expect(200);
        browser.submit("/forgot", &[("email", OWNER)]).await.expect(200);
        let letter = world.last_letter_to(OWNER).await;
        for _ in 0..2 {
            browser.open(&letter.link()).await.expect(200);
            assert!(!browser.location.contains(&letter.token()), "{}", browser.location);
        }
        browser.submit("/reset", &[("password", OTHER_PASSWORD)]).await.expect(200);
        assert_eq!(browser.location, "/login?notice=password-reset");
        assert_eq!(browser.session_cookie(), None);
        browser.open(&letter.link()).await.expect(200);
        assert!(!browser.has_form("/reset"));
        browser.sign_in(OWNER, OTHER_PASSWORD).await.expect(200);
        assert_eq!(browser.location, "/account");
    });
}

/// Proves: V6.2.3, V7.2.4
#[test]
fn a_person_changes_the_password_on_the_page() {
    both(async |world| {
        known(world, OWNER).await;
        let mut browser = world.browser(HOME);
        browser.sign_in(OWNER, PASSWORD).await.expect(200);
        browser.open("/account/password").await.expect(200);
        let wrong = [("current_password", WRONG_PASSWORD), ("new_password", OTHER_PASSWORD)];
        browser.submit("/account/password", &wrong).await.expect(422);
        let before = browser.session_cookie().map(str::to_owned);
        let right = [("current_password", PASSWORD), ("new_password", OTHER_PASSWORD)];
        browser.submit("/account/password", &right).await.expect(200);
        assert_eq!(browser.location, "/account/password?notice=password-changed");
        assert_ne!(browser.session_cookie().map(str::to_owned), before);
    });
}

#[test]
fn language_and_appearance_are_kept_in_this_browser() {
    both(async |world| {
        known(world, OWNER).await;
        let mut browser = world.browser(HOME);
        browser.open("/login").await.expect(200);
        let german = browser.submit("/preferences", &[("language", "de")]).await.expect(200);
        assert!(german.text().contains("lang=\"de\""));
        assert_eq!(browser.location, "/login");
        browser.submit("/login", &[("email", OWNER), ("password", PASSWORD)]).await.expect(200);
        browser.open("/account/appearance").await.expect(200);
        browser.submit("/account/preferences", &[("theme", "dark")]).await.expect(200);
        let page = browser.open("/account").await.expect(200);
        assert!(page.text().contains("lang=\"de\""));
        assert_eq!(browser.jar.get("__Host-doorward-ui").map(String::as_str), Some("de.dark"));
    });
}

/// Proves: A-46, V1.1.2, V1.3.1
#[test]
fn a_name_full_of_markup_is_shown_as_text() {
    both(async |world| {
        known(world, OWNER).await;
        let mut browser = world.browser(HOME);
        browser.sign_in(OWNER, PASSWORD).await.expect(200);
        let mut program = world.api(HOME);
        program.sign_in(OWNER, PASSWORD).await.expect(200);
        for name in
            ["\"><svg/onload=alert(1)>", "<img src=x onerror=alert(1)>", "</script><script>", "{{7*7}}", "${7*7}"]
        {
            let page = browser.submit("/account", &[("name", name)]).await.expect(200);
            assert!(!page.text().contains(name) || !name.contains('<'), "{name}");
            assert_eq!(doorward_testkit::html::forms(page.text()).len(), 3, "{name}");
            assert!(doorward_testkit::html::unescape(page.text()).contains(name), "{name}");
            assert_eq!(program.get("/api/v1/me").await.expect(200).json()["name"], name, "kept as typed");
        }
    });
}
