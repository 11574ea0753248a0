//! Devices, and people, that want more than they may have.

use doorward_testkit::world::Request;
use doorward_testkit::{Browser, Setup, World, both, both_with};
use http::{Method, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{GRANT, OTHER, OTHER_PASSWORD, begin, decide, error, form, poll, started, tv};
use crate::credentials::{count_events, execute};
use crate::people::{AWAY, HOME, OWNER, PASSWORD};
use crate::provider::lists::generous;
use crate::provider::relying_party::{FORM, RelyingParty, browser};
use crate::provider::renewal::{API, FILES};
use crate::provider::signed_in;

const START: &str = "/oauth2/device_authorization";

async fn update(world: &World, party: &RelyingParty, fields: Value) {
    let Value::Object(fields) = fields else { unreachable!() };
    world.app().update_client(&world.operator().op(), &party.client_id, fields).await.unwrap();
}

/// Proves
#[test]
fn a_device_that_asks_in_a_wrong_way_is_told_so() {
    both_with(&generous(), async |world| {
        let tv = tv(world).await;
        let id = tv.client_id.as_str();
        let long = "a".repeat(20_000);
        for (name, body, status, error) in [
            ("nobody", String::new(), 401, "invalid_client"),
            ("unknown", "client_id=client_01h455vb4pex5vsknk084sn02q".to_owned(), 401, "invalid_client"),
            ("client twice", format!("client_id={id}&client_id={id}"), 400, "invalid_request"),
            ("scope twice", format!("client_id={id}&scope=openid&scope=openid"), 400, "invalid_request"),
            ("anything twice", format!("client_id={id}&x=1&x=2"), 400, "invalid_request"),
            ("a secret it has not", format!("client_id={id}&client_secret=dwcs_x"), 401, "invalid_client"),
            ("no text", format!("client_id={id}&scope=%ff"), 400, "invalid_request"),
            ("a wrong escape", format!("client_id={id}&scope=%zz"), 400, "invalid_request"),
            ("more scope", format!("client_id={id}&scope=openid+profile"), 400, "invalid_scope"),
            ("every scope", format!("client_id={id}&scope=*"), 400, "invalid_scope"),
            ("no scope at all", format!("client_id={id}&scope=+"), 400, "invalid_scope"),
            ("a huge scope", format!("client_id={id}&scope={long}"), 400, "invalid_scope"),
            ("a service", format!("client_id={id}&resource={API}"), 400, "invalid_target"),
        ] {
            let answer = tv.call(START, body).await.expect(status);
            assert_eq!(answer.string("error"), error, "{name}");
            assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"), "{name}");
        }
        let in_address = Request::new(Method::POST, &format!("{START}?client_id={id}"), HOME);
        let answer = tv.send(in_address, format!("client_id={id}")).await.expect(400);
        assert_eq!(answer.string("error"), "invalid_request");
        for (method, kind, status) in [
            (Method::GET, FORM, 405),
            (Method::PUT, FORM, 405),
            (Method::POST, "application/json", 415),
            (Method::POST, "multipart/form-data; boundary=x", 415),
            (Method::POST, "", 415),
        ] {
            let request = Request::new(method.clone(), START, HOME).header(header::CONTENT_TYPE, kind);
            let answer = world.send(request.body(format!("client_id={id}"))).await.expect(status);
            assert_eq!(answer.string("error"), "invalid_request", "{method} {kind}");
        }
        // The same at the token endpoint, and nothing is used up.
        let begun = begin(&tv).await;
        let code = begun.device_code.as_str();
        for (body, error) in [
            (format!("grant_type={GRANT}&client_id={id}"), "invalid_request"),
            (format!("grant_type={GRANT}&client_id={id}&device_code="), "invalid_request"),
            (format!("grant_type={GRANT}&client_id={id}&device_code={code}&device_code={code}"), "invalid_request"),
            (format!("grant_type={GRANT}&client_id={id}&device_code={}", begun.user_code), "invalid_grant"),
            (format!("grant_type={GRANT}&client_id={id}&device_code={code}A"), "invalid_grant"),
            (format!("grant_type={GRANT}&client_id={id}&device_code={}", code.to_uppercase()), "invalid_grant"),
            (format!("grant_type={GRANT}&client_id={id}&device_code={long}"), "invalid_grant"),
            (format!("grant_type=refresh_token&client_id={id}&refresh_token={code}"), "invalid_grant"),
        ] {
            let answer = tv.ask(body.clone()).await.expect(400);
            assert_eq!(answer.string("error"), error, "{body:.160}");
        }
        assert_eq!(super::error(&tv, &begun).await, "authorization_pending");
    });
}

/// Proves
#[test]
fn what_is_typed_is_a_code_or_nothing() {
    both_with(&generous(), async |world| {
        let mut owner = signed_in(world).await;
        let tv = tv(world).await;
        let begun = begin(&tv).await;
        let letters = begun.user_code.replace('-', "");
        for typed in [
            "x",
            "BCDF-GHJK",
            &letters[..7],
            &format!("{letters}B"),
            &begun.device_code,
            &tv.client_id,
            "%",
            "' OR 1=1 --",
            "<script>alert(1)</script>",
            "\0",
            "\r\nx: y",
            "\u{212a}BCDFGHJ",
            &"B".repeat(64),
        ] {
            let query = form(&[("user_code", typed)]);
            let page = owner.open(&format!("/device?{query}")).await.expect(422);
            assert!(owner.has_form("/device") && !owner.has_form("/device/answer"), "{typed}");
            assert!(!page.text().contains("<script>alert"), "{typed}");
            owner.submit("/device", &[("user_code", typed)]).await.expect(422);
        }
        let huge = "B".repeat(10_000);
        owner.submit("/device", &[("user_code", &huge)]).await.expect(422);
        for query in ["user_code=%ff", "user_code=a&user_code=b", "flow=x", "flow=", "flow=a&flow=b", "%zz"] {
            let page = owner.open(&format!("/device?{query}")).await;
            assert!([200, 422].contains(&page.status.as_u16()), "{query}: {}", page.status);
            assert!(!owner.has_form("/device/answer"), "{query}");
        }
        assert_eq!(error(&tv, &begun).await, "authorization_pending");
    });
}

/// Proves
#[test]
fn of_fifty_codes_tried_at_once_few_are_looked_at_and_the_right_one_waits() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 1.0;
    both_with(&setup, async |world| {
        let mut owner = signed_in(world).await;
        let tv = tv(world).await;
        let begun = begin(&tv).await;
        let mut tried = JoinSet::new();
        for _ in 0..50 {
            let mut owner = owner.clone();
            tried.spawn(async move { owner.open("/device?user_code=BCDF-GHJK").await.status.as_u16() });
        }
        let statuses = tried.join_all().await;
        assert!(statuses.iter().all(|status| [422, 429].contains(status)), "{statuses:?}");
        assert!(statuses.iter().filter(|status| **status == 422).count() <= 30, "{statuses:?}");
        let path = format!("/device?user_code={}", begun.user_code);
        owner.open(&path).await.expect(429);
        world.advance(10_000);
        owner.open(&path).await.expect(200);
    });
}

/// More accounts do not help.
///
/// Proves
#[test]
fn codes_that_are_none_count_against_the_address_they_are_tried_from() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 1.0;
    both_with(&setup, async |world| {
        let mut people = Vec::new();
        for number in 0..3 {
            let email = format!("person-{number}@example.com");
            world.operator().create_user(&email, PASSWORD).await;
            let mut person = browser(world, HOME);
            person.sign_in(&email, PASSWORD).await.expect(200);
            people.push(person);
        }
        let tv = tv(world).await;
        let begun = begin(&tv).await;
        let mut last = people.pop().unwrap();
        for person in &mut people {
            for _ in 0..30 {
                person.open("/device?user_code=BCDF-GHJK").await.expect(422);
            }
            person.open("/device?user_code=BCDF-GHJK").await.expect(429);
        }
        let path = format!("/device?user_code={}", begun.user_code);
        last.open(&path).await.expect(429);
        let mut away = browser(world, AWAY);
        away.jar = last.jar.clone();
        away.open(&path).await.expect(200);
    });
}

/// Proves
#[test]
fn what_a_person_allowed_is_gone_with_the_person_and_with_the_application() {
    both(async |world| {
        for end in ["disabled", "password", "kept out", "unregistered", "deleted"] {
            let tv = tv(world).await;
            let email = format!("{}@example.com", end.replace(' ', "-"));
            let user = world.operator().create_user(&email, PASSWORD).await;
            let mut owner = browser(world, HOME);
            owner.sign_in(&email, PASSWORD).await.expect(200);
            let (allowed, open) = (begin(&tv).await, begin(&tv).await);
            decide(&mut owner, &allowed, "allow").await;
            let op = world.operator().op();
            let (status, expected) = match end {
                "disabled" => {
                    world.operator().disable(user).await;
                    (400, "invalid_grant")
                }
                "password" => {
                    let mut away = browser(world, AWAY);
                    away.sign_in(&email, PASSWORD).await.expect(200);
                    let change = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
                    away.fetch(Method::POST, "/api/v1/password/change", Some(&change)).await.expect(204);
                    (400, "invalid_grant")
                }
                "kept out" => {
                    assert!(execute(world, "UPDATE clients SET disabled_at = 1").await > 0);
                    (401, "invalid_client")
                }
                "unregistered" => {
                    let grants = json!({
                        "grant_types": ["authorization_code"], "response_types": ["code"], "redirect_uris": ["https://tv.example/cb"],
                        "scope": "openid email",
                    });
                    update(world, &tv, grants).await;
                    (400, "unauthorized_client")
                }
                _ => {
                    assert!(world.app().delete_client(&op, &tv.client_id).await.unwrap());
                    (401, "invalid_client")
                }
            };
            let answer = poll(&tv, &allowed).await.expect(status);
            assert_eq!(answer.string("error"), expected, "{end}");
            if ["kept out", "deleted"].contains(&end) {
                owner.open(&format!("/device?user_code={}", open.user_code)).await.expect(422);
            }
        }
        assert_eq!(count_events(world, "grant.created").await, 0);
    });
}

/// Proves
#[test]
fn a_device_gets_what_the_person_saw_and_the_application_may_still_have() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let fields = json!({
            "grant_types": [GRANT, "refresh_token"], "redirect_uris": [], "consent": "ask",
            "token_endpoint_auth_method": "none", "scope": "openid email orders", "resources": [API, FILES],
        });
        let tv = RelyingParty::register(world, fields).await;
        let start = async || {
            let fields = [
                ("client_id", tv.client_id.as_str()),
                ("resource", API),
                ("resource", FILES),
                ("scope", "orders email"),
            ];
            started(&tv, &fields).await
        };
        let less = json!({ "scope": "openid orders", "resources": [API] });
        let all = json!({ "scope": "openid email orders", "resources": [API, FILES] });
        // Taken away before they are asked: what they do not see is not given, whatever is registered afterwards.
        let begun = start().await;
        update(world, &tv, less.clone()).await;
        let page = owner.open(&format!("/device?user_code={}", begun.user_code)).await.expect(200);
        assert!(page.text().contains(API) && !page.text().contains(FILES), "{}", page.text());
        assert!(!page.text().contains("see your e-mail address"), "{}", page.text());
        owner.submit("/device/answer", &[("decision", "allow")]).await.expect(200);
        update(world, &tv, all.clone()).await;
        let answer = poll(&tv, &begun).await.expect(200);
        assert_eq!(answer.string("scope"), "orders");
        assert_eq!(tv.verify(&answer.string("access_token")).await["aud"], json!([API]));
        // Taken away between the question and the answer: they are asked anew.
        let begun = start().await;
        owner.open(&format!("/device?user_code={}", begun.user_code)).await.expect(200);
        update(world, &tv, less.clone()).await;
        owner.submit("/device/answer", &[("decision", "allow")]).await.expect(200);
        assert!(owner.has_form("/device/answer"), "{}", owner.location);
        assert_eq!(error(&tv, &begun).await, "authorization_pending");
        // And after the answer.
        update(world, &tv, all).await;
        let begun = start().await;
        decide(&mut owner, &begun, "allow").await;
        update(world, &tv, less).await;
        let answer = poll(&tv, &begun).await.expect(200);
        assert_eq!(answer.string("scope"), "orders");
        assert_eq!(tv.verify(&answer.string("access_token")).await["aud"], json!([API]));
        let answer = tv.refresh(&answer.string("refresh_token"), &[]).await.expect(200);
        assert_eq!(answer.string("scope"), "orders");
        let begun = started(&tv, &[("client_id", &tv.client_id), ("scope", "orders")]).await;
        decide(&mut owner, &begun, "allow").await;
        update(world, &tv, json!({ "scope": "openid" })).await;
        assert_eq!(error(&tv, &begun).await, "invalid_scope");
        update(world, &tv, json!({ "scope": "openid orders" })).await;
        poll(&tv, &begun).await.expect(200);
    });
}

/// Proves
#[test]
fn the_form_is_for_one_question_in_one_session_of_one_browser() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        world.operator().create_user(OTHER, OTHER_PASSWORD).await;
        let mut other = browser(world, AWAY);
        other.sign_in(OTHER, OTHER_PASSWORD).await.expect(200);
        let tv = tv(world).await;
        let (mine, theirs) = (begin(&tv).await, begin(&tv).await);
        owner.open(&format!("/device?user_code={}", mine.user_code)).await.expect(200);
        other.open(&format!("/device?user_code={}", theirs.user_code)).await.expect(200);
        let flow = |browser: &Browser| hidden(browser, "flow");
        // Another browser's question, and one of another kind.
        let asked = RelyingParty::register(world, json!({ "consent": "ask" })).await;
        let mut elsewhere = owner.clone();
        elsewhere.open(&asked.start(&[])).await.expect(200);
        assert!(elsewhere.has_form("/oauth2/consent"), "{}", elsewhere.location);
        for foreign in [flow(&other), flow(&elsewhere), "x".to_owned(), "A".repeat(5_000)] {
            let mut owner = owner.clone();
            owner.submit("/device/answer", &[("flow", &foreign), ("decision", "allow")]).await.expect(200);
            assert!(!owner.has_form("/device/answer"), "{}", owner.location);
        }
        // Nor is this one good for another kind.
        elsewhere.submit("/oauth2/consent", &[("flow", &flow(&owner)), ("decision", "allow")]).await;
        elsewhere.open(&format!("/oauth2/authorize?flow={}", flow(&owner))).await.expect(400);
        // Without the page's token, or with that of another browser.
        let token = hidden(&other, "csrf_token");
        for wrong in ["", token.as_str(), "x"] {
            let mut owner = owner.clone();
            owner.submit("/device/answer", &[("csrf_token", wrong), ("decision", "allow")]).await.expect(403);
        }
        // The same person in a session that has begun since.
        let mut later = owner.clone();
        later.jar.remove("__Host-doorward");
        let mut fresh = browser(world, HOME);
        fresh.sign_in(OWNER, PASSWORD).await.expect(200);
        later.jar.insert("__Host-doorward".into(), fresh.session_cookie().unwrap().to_owned());
        later.submit("/device/answer", &[("decision", "allow")]).await.expect(200);
        assert!(later.has_form("/device/answer"), "asked again: {}", later.location);
        for begun in [&mine, &theirs] {
            assert_eq!(error(&tv, begun).await, "authorization_pending");
        }
        // Somebody else was quicker; nothing that they said is undone.
        other.open(&format!("/device?user_code={}", mine.user_code)).await.expect(200);
        other.submit("/device/answer", &[("decision", "deny")]).await.expect(200);
        owner.submit("/device/answer", &[("decision", "allow")]).await.expect(422);
        assert_eq!(error(&tv, &mine).await, "access_denied");
        // Too late.
        owner.open(&format!("/device?user_code={}", theirs.user_code)).await.expect(200);
        world.advance(600_000);
        owner.submit("/device/answer", &[("decision", "allow")]).await.expect(422);
        assert_eq!(count_events(world, "consent.given").await, 0);
    });
}

fn hidden(browser: &Browser, name: &str) -> String {
    let page = browser.page.as_ref().unwrap().text();
    let at = page.find(&format!("name=\"{name}\" value=\"")).unwrap();
    page[at..].split('"').nth(3).unwrap().to_owned()
}

/// The narrow token that a device asks for is not good elsewhere (RFC 8707 section 2.2).
///
/// Proves: A-91
#[test]
fn a_device_may_ask_for_a_token_for_one_of_its_services() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let fields = json!({
            "grant_types": [GRANT, "refresh_token"], "redirect_uris": [], "token_endpoint_auth_method": "none",
            "scope": "orders", "resources": [API, FILES, "https://mail.example"],
        });
        let tv = RelyingParty::register(world, fields).await;
        let start = [("client_id", tv.client_id.as_str()), ("resource", API), ("resource", FILES)];
        let begun = started(&tv, &start).await;
        decide(&mut owner, &begun, "allow").await;
        let ask = async |resource: &str| {
            let code = begun.device_code.as_str();
            let fields =
                [("grant_type", GRANT), ("device_code", code), ("client_id", &tv.client_id), ("resource", resource)];
            tv.ask(form(&fields)).await
        };
        for wrong in ["https://mail.example", "https://evil.example", "x"] {
            assert_eq!(ask(wrong).await.expect(400).string("error"), "invalid_target", "{wrong}");
        }
        let answer = ask(FILES).await.expect(200);
        assert_eq!(tv.verify(&answer.string("access_token")).await["aud"], json!([FILES]));
        let answer = tv.refresh(&answer.string("refresh_token"), &[]).await.expect(200);
        assert_eq!(tv.verify(&answer.string("access_token")).await["aud"], json!([API, FILES]));
    });
}
