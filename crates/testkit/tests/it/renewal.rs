//! `POST /api/v1/token` with a refresh token: the rotating credential, seen from outside.

use std::collections::BTreeSet;

use doorward_model::rotation::Rotation;
use doorward_model::time::{DAY_MS, SECOND_MS};
use doorward_testkit::{Setup, World, both, both_with};
use serde_json::json;

use crate::credentials::{
    EMAIL, Held, OTHER_PASSWORD, PASSWORD, application, bare, claim, count_events, execute, me_by_bearer, next_at,
    number, register, renew, with_bearer, with_json,
};

const OVERLAP_MS: i64 = 10 * SECOND_MS;

async fn start(world: &World) -> Held {
    register(world, EMAIL).await;
    application(world, EMAIL).await
}

async fn next(world: &World, refresh: &str) -> String {
    renew(world, refresh).await.expect(200).string("refresh_token")
}

/// Proves: S-139, S-149, S-166, S-209, V10.4.5
#[test]
fn a_renewal_gives_a_new_pair_for_the_same_session() {
    both(async |world| {
        let held = start(world).await;
        let answer = renew(world, &held.refresh).await.expect(200);
        let (access, refresh) = (answer.string("access_token"), answer.string("refresh_token"));
        assert!(access != held.access && refresh != held.refresh && refresh.starts_with("dwr_"));
        assert_eq!(answer.json()["session"]["id"], json!(held.session), "{}", answer.text());
        assert_ne!(claim(&access, "jti"), claim(&held.access, "jti"));
        world.advance(SECOND_MS);
        let later = renew(world, &refresh).await.expect(200).string("access_token");
        for name in ["iat", "exp"] {
            assert!(claim(&later, name).as_i64() > claim(&held.access, name).as_i64(), "{name} moves on");
        }
        for token in [&held.access, &access, &later] {
            me_by_bearer(world, token).await.expect(200);
        }
        assert_eq!(number(world, "SELECT COUNT(*) FROM token_families").await, 1);
        // Renewals only repeat: none of them is an event.
        assert_eq!(world.actions().await, ["user.created", "session.sign_in"]);
    });
}

/// Proves: A-94
#[test]
fn the_same_token_within_the_overlap_gives_the_same_successor() {
    both(async |world| {
        let held = start(world).await;
        let second = next(world, &held.refresh).await;
        let issued_at = world.now();
        for age in [1, OVERLAP_MS - 1] {
            next_at(world, issued_at.plus_ms(age));
            assert_eq!(next(world, &held.refresh).await, second);
        }
        assert_eq!(number(world, "SELECT issued FROM token_families").await, 2);
        // The repetitions have not spent the successor.
        assert_ne!(next(world, &second).await, second);
    });
}

/// Proves: S-154
#[test]
fn an_owner_whose_answers_get_lost_is_not_signed_out() {
    both(async |world| {
        let held = start(world).await;
        let mut lost = Vec::new();
        for _ in 0..5 {
            lost.push(next(world, &held.refresh).await);
            world.advance(OVERLAP_MS);
        }
        assert_eq!(lost.iter().collect::<BTreeSet<_>>().len(), 5, "each is another token");
        let received = next(world, &held.refresh).await;
        next(world, &received).await;
        assert_eq!(count_events(world, "token.recovered").await, 5);
        assert_eq!(count_events(world, "token.reused").await, 0);
    });
}

async fn check_all_dead(world: &World, held: &Held, tokens: &[&str]) {
    for token in tokens {
        renew(world, token).await.expect_problem(401, "invalid_token");
    }
    me_by_bearer(world, &held.access).await.expect_problem(401, "session_revoked");
    assert_eq!(number(world, "SELECT COUNT(*) FROM token_families WHERE revoked_at IS NULL").await, 0);
    assert_eq!(number(world, "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL").await, 0);
}

async fn check_told(world: &World) {
    let events = world.events().await;
    let reused: Vec<_> = events.iter().filter(|event| event.action == "token.reused").collect();
    assert_eq!(reused.len(), 1);
    assert_eq!(reused[0].outcome, "refused");
    assert_eq!(world.letters_to(EMAIL).await.len(), 1);
    assert!(world.last_letter_to(EMAIL).await.text.contains("/forgot"));
}

/// Proves: A-93, S-149, V10.4.5
#[test]
fn a_token_shown_again_after_its_successor_ends_family_and_session() {
    both(async |world| {
        let held = start(world).await;
        let second = next(world, &held.refresh).await;
        let third = next(world, &second).await;
        renew(world, &held.refresh).await.expect_problem(401, "token_reused");
        check_all_dead(world, &held, &[&held.refresh, &second, &third]).await;
        check_told(world).await;
    });
}

/// Proves: A-93
#[test]
fn a_skipped_token_is_a_tripwire() {
    both(async |world| {
        let held = start(world).await;
        let skipped = next(world, &held.refresh).await;
        world.advance(OVERLAP_MS);
        let newest = next(world, &held.refresh).await;
        renew(world, &skipped).await.expect_problem(401, "token_reused");
        check_all_dead(world, &held, &[&skipped, &newest, &held.refresh]).await;
        check_told(world).await;
    });
}

/// Proves, V10.4.5
#[test]
fn a_late_predecessor_ends_everything_where_the_policy_is_strict() {
    let mut setup = Setup::default();
    setup.settings.sessions.rotation = Rotation::Strict;
    both_with(&setup, async |world| {
        let held = start(world).await;
        let second = next(world, &held.refresh).await;
        let issued_at = world.now();
        next_at(world, issued_at.plus_ms(OVERLAP_MS - 1));
        assert_eq!(next(world, &held.refresh).await, second);
        next_at(world, issued_at.plus_ms(OVERLAP_MS));
        renew(world, &held.refresh).await.expect_problem(401, "token_reused");
        check_all_dead(world, &held, &[&second]).await;
        check_told(world).await;
    });
}

/// Proves: S-266
#[test]
fn a_token_newer_than_the_database_ends_the_family() {
    both(async |world| {
        let held = start(world).await;
        let second = next(world, &held.refresh).await;
        let third = next(world, &second).await;
        assert_eq!(execute(world, "UPDATE token_families SET issued = 2, presented = 1").await, 1);
        renew(world, &third).await.expect(401);
        check_all_dead(world, &held, &[&held.refresh, &second, &third]).await;
        assert_eq!(count_events(world, "token.restored_state_seen").await, 1);
    });
}

/// Proves: A-94, S-153
#[test]
fn fifty_renewals_at_once_give_one_successor() {
    both(async |world| {
        let mut held = start(world).await;
        for generation in 2..5 {
            let tasks: Vec<_> = (0..50)
                .map(|_| {
                    let (world, refresh) = (world.clone(), held.refresh.clone());
                    tokio::spawn(async move { renew(&world, &refresh).await })
                })
                .collect();
            let mut successors = BTreeSet::new();
            for task in tasks {
                let answer = task.await.unwrap();
                me_by_bearer(world, &answer.clone().expect(200).string("access_token")).await.expect(200);
                successors.insert(answer.string("refresh_token"));
            }
            assert_eq!(successors.len(), 1, "the chain does not fork");
            assert_eq!(number(world, "SELECT issued FROM token_families WHERE revoked_at IS NULL").await, generation);
            assert_eq!(number(world, "SELECT presented FROM token_families").await, generation - 1);
            held.refresh = successors.pop_first().unwrap();
            world.advance(200 * SECOND_MS);
        }
        assert_eq!(count_events(world, "token.reused").await, 0);
    });
}

/// Two nodes know nothing of each other's requests but the database.
///
/// Proves
#[test]
fn fifty_renewals_on_two_nodes_give_one_successor() {
    both(async |world| {
        let held = start(world).await;
        let other = world.restarted(Setup { seed: 2, ..Setup::default() }).await;
        let tasks: Vec<_> = (0..50)
            .map(|number| {
                let node = if number % 2 == 0 { world.clone() } else { other.clone() };
                let refresh = held.refresh.clone();
                tokio::spawn(async move { renew(&node, &refresh).await })
            })
            .collect();
        let mut successors = BTreeSet::new();
        for task in tasks {
            successors.insert(task.await.unwrap().expect(200).string("refresh_token"));
        }
        assert_eq!(successors.len(), 1);
        assert_eq!(number(world, "SELECT issued FROM token_families").await, 2);
    });
}

/// However often the copy is shown at the same moment, the person is told once.
///
/// Proves: A-93
#[test]
fn one_theft_is_recorded_and_told_once() {
    both(async |world| {
        let held = start(world).await;
        let second = next(world, &held.refresh).await;
        next(world, &second).await;
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (world, refresh) = (world.clone(), held.refresh.clone());
                tokio::spawn(async move { renew(&world, &refresh).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().expect(401);
        }
        check_told(world).await;
        check_all_dead(world, &held, &[&second]).await;
    });
}

/// Proves: S-54, S-152, A-94
#[test]
fn a_family_renews_sixty_times_at_once_and_a_refusal_consumes_nothing() {
    both(async |world| {
        let mut held = start(world).await;
        for _ in 0..60 {
            held.refresh = next(world, &held.refresh).await;
        }
        let issued = number(world, "SELECT issued FROM token_families").await;
        for _ in 0..5 {
            let refused = renew(world, &held.refresh).await.expect_problem(429, "rate_limited");
            assert_eq!(refused.header("retry-after"), Some("2"));
        }
        assert_eq!(number(world, "SELECT issued FROM token_families").await, issued);
        world.advance(2 * SECOND_MS);
        held.refresh = next(world, &held.refresh).await;
        renew(world, &held.refresh).await.expect(429);
        for _ in 0..30 {
            world.advance(2 * SECOND_MS);
            held.refresh = next(world, &held.refresh).await;
        }
        assert_eq!(count_events(world, "token.reused").await, 0);
    });
}

/// Proves: A-95
#[test]
fn what_is_no_refresh_token_of_ours_is_refused_alike() {
    both(async |world| {
        let held = start(world).await;
        let digits = &held.refresh[4..];
        let flipped = |index: usize| {
            let mut bytes = held.refresh.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        };
        let hostile = [
            String::new(),
            "dwr_".to_owned(),
            "x".to_owned(),
            digits.to_owned(),
            format!("dws_{digits}"),
            format!("DWR_{digits}"),
            format!("{}=", held.refresh),
            format!("{} ", held.refresh),
            format!(" {}", held.refresh),
            held.refresh[..held.refresh.len() - 1].to_owned(),
            format!("{}A", held.refresh),
            held.refresh.replace('_', "-"),
            flipped(5),
            flipped(30),
            flipped(48),
            flipped(60),
            flipped(held.refresh.len() - 3),
            held.access.clone(),
            held.session.clone(),
            "dwr_".to_owned() + &"A".repeat(digits.len()),
            "dwr_".to_owned() + &"A".repeat(30_000),
            "' OR 1=1 --".to_owned(),
            "\u{1f511}".repeat(40),
        ];
        let first = renew(world, "dwr_none").await.expect_problem(401, "invalid_token");
        for text in hostile {
            let answer = renew(world, &text).await;
            assert_eq!(answer.status, 401, "{text:?}: {}", answer.text());
            assert_eq!(answer.code(), first.code(), "{text:?}");
            assert_eq!(answer.json()["detail"], first.json()["detail"], "{text:?}");
        }
        assert_eq!(world.actions().await, ["user.created", "session.sign_in"]);
        next(world, &held.refresh).await;
    });
}

/// Proves: A-95
#[test]
fn a_token_of_another_deployment_is_refused_and_changes_nothing() {
    both(async |world| {
        let held = start(world).await;
        let other = World::start(doorward_testkit::Engine::Sqlite, Setup { seed: 77, ..Setup::default() }).await;
        let foreign = start(&other).await;
        renew(world, &foreign.refresh).await.expect_problem(401, "invalid_token");
        renew(&other, &held.refresh).await.expect_problem(401, "invalid_token");
        next(world, &held.refresh).await;
        next(&other, &foreign.refresh).await;
        other.store().close().await;
    });
}

/// Proves, S-31
#[test]
fn nothing_renews_a_session_that_is_over() {
    both(async |world| {
        let user = register(world, EMAIL).await;

        let held = application(world, EMAIL).await;
        let logout = with_bearer(bare(&http::Method::POST, "/api/v1/logout"), &held.access);
        world.send(logout).await.expect(204);
        renew(world, &held.refresh).await.expect_problem(401, "invalid_token");

        let (kept, other) = (application(world, EMAIL).await, application(world, EMAIL).await);
        let change = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
        let request = with_bearer(bare(&http::Method::POST, "/api/v1/password/change"), &kept.access);
        world.send(with_json(request, &change)).await.expect(204);
        renew(world, &other.refresh).await.expect_problem(401, "invalid_token");
        let kept_refresh = next(world, &kept.refresh).await;

        let token = world.api("198.51.100.9").reset_token(EMAIL).await;
        world.api("198.51.100.9").reset(&token, PASSWORD).await.expect(204);
        renew(world, &kept_refresh).await.expect_problem(401, "invalid_token");

        let held = application(world, EMAIL).await;
        world.operator().disable(user).await;
        renew(world, &held.refresh).await.expect_problem(401, "invalid_token");
        me_by_bearer(world, &held.access).await.expect_problem(401, "session_revoked");
        world.operator().enable(user).await;
        renew(world, &held.refresh).await.expect_problem(401, "invalid_token");
        assert_eq!(count_events(world, "token.reused").await, 0);
    });
}

/// Proves, V7.3.1, V7.3.2, S-147, S-158, V10.4.8
#[test]
fn a_family_ends_with_the_idle_and_the_absolute_limit() {
    both(async |world| {
        let held = start(world).await;
        let began_at = world.now();
        next_at(world, began_at.plus_ms(14 * DAY_MS - 1));
        let second = next(world, &held.refresh).await;
        next_at(world, began_at.plus_ms(28 * DAY_MS - 2));
        let third = next(world, &second).await;
        let over_at = began_at.plus_ms(30 * DAY_MS);
        next_at(world, over_at.plus_ms(-2 * SECOND_MS));
        let answer = renew(world, &third).await.expect(200);
        assert_eq!(answer.json()["expires_in"], json!(2));
        let fourth = answer.string("refresh_token");
        // A token that lives for less than a second is none.
        next_at(world, over_at.plus_ms(-1));
        renew(world, &fourth).await.expect_problem(401, "invalid_token");
        next_at(world, over_at);
        renew(world, &fourth).await.expect_problem(401, "invalid_token");
        me_by_bearer(world, &answer.string("access_token")).await.expect_problem(401, "token_expired");

        let idle = application(world, EMAIL).await;
        next_at(world, world.now().plus_ms(14 * DAY_MS));
        renew(world, &idle.refresh).await.expect_problem(401, "invalid_token");
    });
}
