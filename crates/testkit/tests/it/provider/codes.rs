//! Codes on their way: nothing is stored of one, so it is good in no other form, and what it hangs on is looked at again.

mod at_once;

use std::sync::Arc;

use doorward_model::time::DAY_MS;
use doorward_testkit::{Browser, Setup, World, both, both_with};
use http::{Method, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::applications::{allow, somebody_elses};
use super::lists::generous;
use super::relying_party::{RelyingParty, browser};
use super::renewal::{API, granted, refused, renewing};
use super::{code, signed_in};
use crate::credentials::{count_events, execute, number};
use crate::people::{AWAY, HOME, OWNER, PASSWORD};

const OFFLINE: [(&str, &str); 1] = [("scope", "openid email offline_access")];

async fn is_refused(shop: &RelyingParty, code: &str, why: &str) {
    let answer = shop.exchange(code, &[]).await.expect(400);
    assert_eq!(answer.string("error"), "invalid_grant", "{why}: {}", answer.text());
}

async fn codes(shop: &RelyingParty, owner: &mut Browser, count: usize) -> Vec<String> {
    let mut codes = Vec::new();
    for _ in 0..count {
        codes.push(code(shop, owner).await);
    }
    codes
}

async fn living(world: &World) -> i64 {
    number(world, "SELECT COUNT(*) FROM grants WHERE revoked_at IS NULL").await
}

/// Every text that differs from a code in one place, is shorter, or is longer.
fn others(code: &str) -> Vec<String> {
    let mut all: Vec<String> = (0..code.len()).map(|length| code[..length].to_owned()).collect();
    for at in 0..code.len() {
        let other = if &code[at..=at] == "A" { "B" } else { "A" };
        all.push(format!("{}{other}{}", &code[..at], &code[at + 1..]));
    }
    // The last character holds fewer bits than it could.
    let rest = &code[..code.len() - 1];
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
        all.push(format!("{rest}{last}"));
    }
    for end in ["A", "=", "==", " ", "\n", "\0", ".", "AAAA"] {
        all.push(format!("{code}{end}"));
    }
    let bare = code.strip_prefix("dwac_").unwrap();
    all.extend([bare.to_owned(), format!(" {code}"), format!("dwac_{code}"), format!("DWAC_{bare}"), code.repeat(2)]);
    all.push(format!("{code}{}", "A".repeat(8_000 - code.len())));
    all.retain(|text| text != code);
    all
}

/// Proves: A-83, V10.4.2, V11.3.3
#[test]
fn a_code_is_good_as_it_is_and_in_no_other_form() {
    both_with(&generous(), async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        // The last character says six bits, or four, or two.
        for nonce in ["n", "nn", "nnn"] {
            owner.open(&shop.start(&[("nonce", nonce)])).await.expect(303);
            let mine = shop.code(&owner);
            let before = number(world, "SELECT COUNT(*) FROM grants").await;
            for other in others(&mine) {
                let answer = shop.exchange(&mine, &[("code", &other)]).await.expect(400);
                // An empty one is none.
                let error = if other.is_empty() { "invalid_request" } else { "invalid_grant" };
                assert_eq!(answer.string("error"), error, "{other:?}");
            }
            assert_eq!(number(world, "SELECT COUNT(*) FROM grants").await, before);
            shop.exchange(&mine, &[]).await.expect(200);
        }
    });
}

/// Whatever comes first, and at whichever node.
///
/// Proves, V10.4.2
#[test]
fn of_codes_that_are_used_while_the_client_is_kept_out_and_let_in_no_grant_is_left() {
    both_with(&generous(), async |world| {
        let mut owner = signed_in(world).await;
        let shop = Arc::new(RelyingParty::register(world, json!({})).await);
        let there = world.restarted(Setup { seed: 2, ..generous() }).await;
        let there = Arc::new(RelyingParty { world: there, ..shop.as_ref().clone() });
        let mut waiting = codes(&shop, &mut owner, 52).await;
        shop.tokens(&waiting.pop().unwrap()).await;
        let left = waiting.pop().unwrap();
        let mut at_work = JoinSet::new();
        for (number, code) in waiting.into_iter().enumerate() {
            let (shop, world) = (Arc::clone(if number % 2 == 0 { &shop } else { &there }), world.clone());
            at_work.spawn(async move {
                if number == 25 {
                    let (app, operator) = (world.app(), world.operator());
                    assert!(app.disable_client(&operator.op(), &shop.client_id).await.unwrap());
                    assert!(app.enable_client(&operator.op(), &shop.client_id).await.unwrap());
                }
                let answer = shop.exchange(&code, &[]).await;
                assert!([200, 400, 401].contains(&answer.status.as_u16()), "{answer:?}");
                assert!(number != 25 || answer.status == 400, "it is of before");
            });
        }
        at_work.join_all().await;
        assert_eq!(living(world).await, 0);
        is_refused(&shop, &left, "it is of before").await;
        is_refused(&there, &left, "at another node too").await;
        let anew = code(&shop, &mut owner).await;
        there.tokens(&anew).await;
    });
}

/// Proves: A-84, V10.4.9
#[test]
fn of_codes_that_are_used_while_access_is_taken_away_and_given_anew_no_grant_is_left() {
    both_with(&generous(), async |world| {
        let mut owner = signed_in(world).await;
        let shop = Arc::new(RelyingParty::register(world, somebody_elses()).await);
        let first = allow(&shop, &mut owner, &[]).await;
        shop.tokens(&first).await;
        let mut waiting = codes(&shop, &mut owner, 51).await;
        let left = waiting.pop().unwrap();
        let path = format!("/api/v1/applications/{}", shop.client_id);
        let mut at_work = JoinSet::new();
        for (number, code) in waiting.into_iter().enumerate() {
            let (shop, path, mut owner) = (Arc::clone(&shop), path.clone(), owner.clone());
            at_work.spawn(async move {
                let mut anew = None;
                if number == 25 {
                    owner.fetch(Method::DELETE, &path, None).await.expect(204);
                    anew = Some(allow(&shop, &mut owner, &[]).await);
                }
                let answer = shop.exchange(&code, &[]).await;
                assert!([200, 400].contains(&answer.status.as_u16()), "{answer:?}");
                assert!(number != 25 || answer.status == 400, "it is of what was taken back");
                anew
            });
        }
        let anew: Vec<String> = at_work.join_all().await.into_iter().flatten().collect();
        assert_eq!(living(world).await, 0);
        is_refused(&shop, &left, "it is of what was taken back").await;
        shop.tokens(&anew[0]).await;
    });
}

/// Proves: A-84
#[test]
fn a_code_for_a_client_is_none_for_the_next_one_of_its_id() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        for fields in [json!({}), somebody_elses()] {
            let issue = async |shop: &RelyingParty, owner: &mut Browser| {
                if fields.get("consent").is_some() { allow(shop, owner, &[]).await } else { code(shop, owner).await }
            };
            let before = RelyingParty::declare(world, "shop", fields.clone()).await;
            let (used, unused) = (issue(&before, &mut owner).await, code(&before, &mut owner).await);
            let tokens = before.tokens(&used).await;
            assert!(world.app().delete_client(&world.operator().op(), "shop").await.unwrap());
            let shop = RelyingParty::declare(world, "shop", fields.clone()).await;
            is_refused(&shop, &unused, "nobody has signed in to it").await;
            is_refused(&shop, &used, "what it was used for is gone").await;
            let own = issue(&shop, &mut owner).await;
            is_refused(&shop, &unused, "it was another client's").await;
            is_refused(&shop, &used, "it was another client's").await;
            shop.userinfo(&tokens.access).await.expect(401);
            shop.tokens(&own).await;
            assert!(world.app().delete_client(&world.operator().op(), "shop").await.unwrap());
        }
    });
}

/// The row of the grant is what a second use finds, so there is a second use as long as there are tokens.
///
/// Proves: A-83, V10.4.2
#[test]
fn a_second_use_ends_what_outlives_the_session_however_late_it_comes() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        let other = RelyingParty::register(world, renewing(&json!({}))).await;
        for (count, days) in [(1, 0), (2, 2)] {
            let mut owner = browser(world, HOME);
            owner.sign_in(OWNER, PASSWORD).await.expect(200);
            owner.open(&shop.start(&OFFLINE)).await.expect(303);
            let used = shop.code(&owner);
            let mut refresh = shop.tokens(&used).await.refresh;
            owner.fetch(Method::POST, "/api/v1/logout", None).await.expect(204);
            world.advance(days * DAY_MS);
            world.app().purge(&world.operator().op(), "test").await.unwrap().unwrap();
            let sessions = number(world, "SELECT COUNT(*) FROM sessions").await;
            assert_eq!(sessions == 0, days > 0, "the session's row is gone after a day");
            // Whoever lacks something ends nothing.
            is_refused(&other, &used, "another client's").await;
            let wrong = shop.exchange(&used, &[("code_verifier", &"a".repeat(43))]).await.expect(400);
            assert_eq!(wrong.string("error"), "invalid_grant");
            let answer = shop.refresh(&refresh, &[]).await.expect(200);
            refresh = answer.string("refresh_token");
            is_refused(&shop, &used, "it was used").await;
            shop.userinfo(&answer.string("access_token")).await.expect(401);
            refused(&shop, &refresh, "invalid_grant").await;
            assert_eq!(count_events(world, "grant.code_reused").await, count);
        }
    });
}

/// No foreign key takes a grant away with its session: every reader must see that the session is gone.
///
/// Proves
#[test]
fn what_hangs_on_a_session_is_good_for_nothing_once_its_row_is_gone() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let mut away = browser(world, AWAY);
        away.sign_in(OWNER, PASSWORD).await.expect(200);
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        let fields = json!({ "served_resources": [API], "grant_types": [], "redirect_uris": [] });
        let service = RelyingParty::register(world, fields).await;
        let tokens = granted(&shop, &mut owner, &[("resource", API)]).await;
        let offline = granted(&shop, &mut owner, &[OFFLINE[0], ("resource", API)]).await;
        owner.open(&shop.start(&[])).await.expect(303);
        let used = shop.code(&owner);
        let others = shop.tokens(&used).await;
        let unused = code(&shop, &mut owner).await;
        assert_eq!(service.introspect(&tokens.access).await["active"], true);
        assert_eq!(execute(world, "DELETE FROM sessions").await, 2);
        assert_eq!(number(world, "SELECT COUNT(*) FROM grants WHERE revoked_at IS NULL").await, 3);
        for tokens in [&tokens, &others] {
            shop.userinfo(&tokens.access).await.expect(401);
            assert_eq!(service.introspect(&tokens.access).await, json!({ "active": false }));
            refused(&shop, &tokens.refresh, "invalid_grant").await;
        }
        is_refused(&shop, &unused, "its session is gone").await;
        is_refused(&shop, &used, "it was used").await;
        // What does not hang on the session lives on, until the application, the person or the operator ends it.
        assert_eq!(service.introspect(&offline.access).await["active"], true);
        let refresh = shop.renew(&offline.refresh).await;
        shop.revoke(&tokens.refresh).await.expect(200);
        owner.sign_in(OWNER, PASSWORD).await.expect(200);
        let path = format!("/api/v1/applications/{}", shop.client_id);
        owner.fetch(Method::DELETE, &path, None).await.expect(204);
        refused(&shop, &refresh, "invalid_grant").await;
        assert_eq!(living(world).await, 0);
        let person = world.operator().find_user(OWNER).await.unwrap();
        world.operator().disable(person).await;
        world.advance(40 * DAY_MS);
        world.app().purge(&world.operator().op(), "test").await.unwrap().unwrap();
        assert_eq!(number(world, "SELECT COUNT(*) FROM grants").await, 0);
        assert_eq!(number(world, "SELECT COUNT(*) FROM token_families").await, 0);
    });
}

/// The answer stands in an address.
///
/// Proves: A-87
#[test]
fn what_does_not_fit_into_an_address_is_refused_where_the_client_learns_of_it() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let services = ["a", "b"].map(|name| format!("https://api.example/{}", name.repeat(1_850)));
        let shop = RelyingParty::register(world, json!({ "resources": services })).await;
        let one = [("resource", services[0].as_str())];
        owner.open(&shop.start(&one)).await.expect(303);
        let answer = shop.exchange(&shop.code(&owner), &[]).await.expect(200);
        assert_eq!(shop.verify(&answer.string("access_token")).await["aud"][0], json!(services[0]));
        for mode in ["query", "form_post"] {
            let both = [one[0], ("resource", &services[1]), ("response_mode", mode)];
            let page = owner.open(&shop.start(&both)).await;
            if mode == "query" {
                page.expect(303);
                assert_eq!(RelyingParty::error(&owner), "invalid_request");
            } else {
                let page = page.expect(200);
                assert!(page.header(header::LOCATION).is_none());
                for field in ["name=\"error\" value=\"invalid_request\"", "name=\"iss\"", "name=\"state\""] {
                    assert!(page.text().contains(field), "{field}: {}", page.text());
                }
            }
        }
        assert_eq!(number(world, "SELECT COUNT(*) FROM grants").await, 1);
    });
}

/// Proves: V16.2.1
#[test]
fn the_event_of_a_grant_names_the_person_the_session_and_the_application() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let user = world.operator().find_user(OWNER).await.unwrap();
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        let mut away = browser(world, AWAY);
        away.sign_in(OWNER, PASSWORD).await.expect(200);
        for (scope, is_offline) in [("openid email", false), (OFFLINE[0].1, true)] {
            owner.open(&shop.start(&[("scope", scope)])).await.expect(303);
            let tokens = shop.tokens(&shop.code(&owner)).await;
            let access = shop.verify(&tokens.access).await;
            let event = world.events().await.into_iter().rfind(|event| event.action == "grant.created").unwrap();
            let data: Value = serde_json::from_str(&event.data).unwrap();
            assert_eq!(event.subject.as_deref(), access["grant_id"].as_str());
            let sessions = owner.fetch(Method::GET, "/api/v1/sessions", None).await.expect(200).json();
            let here = sessions["data"].as_array().unwrap().iter().find(|one| one["current"] == true).unwrap();
            let told = json!({
                "client": shop.client_id, "offline": is_offline, "scope": scope, "session": here["id"], "user": user,
            });
            assert_eq!(data, told);
        }
    });
}
