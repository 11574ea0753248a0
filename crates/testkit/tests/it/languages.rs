//! Changing the language in the middle of something, and times as pages show them.

use doorward_model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use doorward_testkit::{Browser, both};

use crate::people::{HOME, OWNER, PASSWORD, stranger};

/// Changes to German and back, and says that the page is the same one each time.
async fn change_language_and_back(browser: &mut Browser, page: &str) {
    for language in ["de", "en"] {
        let shown = browser.submit("/preferences", &[("language", language)]).await.expect(200);
        assert!(shown.text().contains(&format!("<html lang=\"{language}\"")), "{}", shown.text());
        assert!(browser.location.starts_with(&format!("{page}?flow=")), "{}", browser.location);
        assert!(browser.has_form(page), "{}", browser.location);
    }
}

#[test]
fn changing_the_language_keeps_a_sign_up_that_waits_for_its_code() {
    both(async |world| {
        let mut browser = world.browser(HOME);
        browser.open("/signup").await.expect(200);
        browser.submit("/signup", &[("email", OWNER), ("password", PASSWORD)]).await.expect(200);
        change_language_and_back(&mut browser, "/verify").await;
        let code = world.last_letter_to(OWNER).await.code();
        let wrong = if code == "000000" { "111111" } else { "000000" };
        browser.submit("/verify", &[("code", wrong)]).await.expect(422);
        change_language_and_back(&mut browser, "/verify").await;
        browser.submit("/verify", &[("code", &code)]).await.expect(200);
        assert_eq!(browser.location, "/login?notice=email-confirmed");
    });
}

#[test]
fn changing_the_language_keeps_a_link_that_was_opened() {
    both(async |world| {
        world.api(HOME).sign_up(OWNER, PASSWORD).await.expect(202);
        let mut browser = world.browser(HOME);
        browser.open(&world.last_letter_to(OWNER).await.link()).await.expect(200);
        change_language_and_back(&mut browser, "/verify/link").await;
        browser.submit("/verify/link", &[("password", "short")]).await.expect(422);
        change_language_and_back(&mut browser, "/verify/link").await;
        browser.submit("/verify/link", &[("password", PASSWORD)]).await.expect(200);
        assert_eq!(browser.location, "/login?notice=email-confirmed");

        browser.open("/forgot").await.expect(200);
        browser.submit("/forgot", &[("email", OWNER)]).await.expect(200);
        browser.open(&world.last_letter_to(OWNER).await.link()).await.expect(200);
        change_language_and_back(&mut browser, "/reset").await;
        browser.submit("/reset", &[("password", "short")]).await.expect(422);
        change_language_and_back(&mut browser, "/reset").await;
        browser.submit("/reset", &[("password", "copper lanterns above the quay")]).await.expect(200);
        assert_eq!(browser.location, "/login?notice=password-reset");
    });
}

#[test]
fn changing_the_language_keeps_the_first_administrators_link() {
    both(async |world| {
        let link = world.operator().administrator_link().await.unwrap();
        let mut browser = world.browser(HOME);
        browser.open(&link).await.expect(200);
        change_language_and_back(&mut browser, "/setup").await;
        browser.submit("/setup", &[("email", OWNER), ("password", "short")]).await.expect(422);
        change_language_and_back(&mut browser, "/setup").await;
        browser.submit("/setup", &[("email", OWNER), ("password", PASSWORD)]).await.expect(200);
        assert_eq!(browser.location, "/login?notice=administrator-created");
    });
}

/// What comes back in the address is a flow of ours or nothing, and a page that says its flow has ended says it again
/// in the other language.
///
/// Proves: A-51
#[test]
fn what_is_no_flow_does_not_come_back_in_the_address() {
    both(async |world| {
        let mut browser = world.browser(HOME);
        browser.open("/verify?flow=AAAA").await.expect(200);
        assert!(!browser.has_form("/verify"));
        browser.submit("/preferences", &[("language", "de")]).await.expect(200);
        assert_eq!(browser.location, "/verify");
        let token = doorward_testkit::html::forms(browser.page.as_ref().unwrap().text())[0].fields[0].clone();
        let typed = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for flow in ["x&notice=password-reset", "x\r\nset-cookie: a=b", "//evil.com", ""] {
            let fields = [token.clone(), typed("from", "/reset"), typed("language", "en"), typed("flow", flow)];
            browser.send_form("/preferences", &fields).await.expect(200);
            assert_eq!(browser.location, "/reset", "{flow}");
        }
    });
}

#[test]
fn times_are_said_as_people_say_them_and_exactly_in_utc() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut elsewhere = world.browser(&stranger(1));
        elsewhere.sign_in(OWNER, PASSWORD).await.expect(200);
        let began = world.now();
        world.advance(2 * DAY_MS + 5 * HOUR_MS);
        let mut browser = world.browser(HOME);
        browser.sign_in(OWNER, PASSWORD).await.expect(200);
        world.advance(MINUTE_MS);
        let page = browser.open("/account/sessions").await.expect(200);
        assert!(page.text().contains(">2 days ago</span> <time class=\"exact\""), "{}", page.text());
        assert!(page.text().contains(">1 minute ago</span> <time"), "{}", page.text());
        // To the second: the clock of the tests goes on by itself.
        let began = began.to_string();
        assert!(page.text().contains(&format!("datetime=\"{}", &began[..20])), "{}", page.text());
        let exact = page.text().split("<time class=\"exact\"").skip(1);
        let mut count = 0;
        for time in exact {
            assert!(time.split("</time>").next().unwrap().ends_with(" UTC"), "{time}");
            count += 1;
        }
        assert_eq!(count, 4);
        let german = browser.submit("/account/preferences", &[("language", "de")]).await.expect(200);
        assert!(german.text().contains(">vor 2 Tagen</span>"), "{}", german.text());
        assert!(german.text().contains(">vor 1 Minute</span>"), "{}", german.text());
    });
}
