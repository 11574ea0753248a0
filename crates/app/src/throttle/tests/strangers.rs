//! The strangers' limiters: one network, many networks, many accounts.

use doorward_model::throttle::RowKind;
use doorward_model::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use doorward_store::attempts;

use super::*;
use crate::test_database::{on_both, on_postgres, on_sqlite};
use crate::throttle::Lane;

/// Proves: A-10, S-59, V6.3.1
#[tokio::test]
async fn the_sixth_guess_from_one_network_waits_and_so_does_the_right_password() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            for _ in 0..5 {
                assert_eq!(fail_once(&throttle, tx, &guess(&throttle, 1, at(0)))?, None);
            }
            for ms in [0, 1, SECOND_MS - 1] {
                let Reservation::Throttled(throttled) = throttle.reserve(tx, &guess(&throttle, 1, at(ms)))? else {
                    panic!("admitted after {ms} ms");
                };
                assert_eq!((throttled.limiter, throttled.retry_after_seconds), (Limiter::Pair, 1));
            }
            // From elsewhere, and on another account from here, nothing waits.
            assert_eq!(fail_once(&throttle, tx, &guess(&throttle, 2, at(0)))?, None);
            assert_eq!(fail_once(&throttle, tx, &guess_unknown(&throttle, "b@example.org", 1, at(0)))?, None);
            Ok(())
        })
        .await;
    })
    .await;
}

/// Proves: A-11, S-61
#[tokio::test]
async fn two_hundred_parallel_guesses_reserve_no_more_than_the_budget() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        let mut guesses = Vec::new();
        for _ in 0..200 {
            let (store, throttle) = (store.clone(), throttle.clone());
            guesses.push(tokio::spawn(async move {
                let attempt = guess(&throttle, 1, at(0));
                in_tx(&store, move |tx| throttle.reserve(tx, &attempt)).await
            }));
        }
        let mut evaluated = 0;
        for guess in guesses {
            evaluated += i32::from(limiter(guess.await.unwrap()).is_none());
        }
        assert_eq!(evaluated, 5);
    })
    .await;
}

/// Proves
#[tokio::test]
async fn parallel_guesses_from_many_networks_stop_at_the_hard_bound() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        let mut guesses = Vec::new();
        for from in 0..150 {
            let (store, throttle) = (store.clone(), throttle.clone());
            guesses.push(tokio::spawn(async move {
                let attempt = guess(&throttle, from, at(0));
                in_tx(&store, move |tx| throttle.reserve(tx, &attempt)).await
            }));
        }
        let mut evaluated = 0;
        for guess in guesses {
            evaluated += match guess.await.unwrap() {
                Reservation::Admitted(admission) => i32::from(admission.accepts(true)),
                Reservation::Throttled(_) => 0,
            };
        }
        assert_eq!(evaluated, 100);
    })
    .await;
}

/// Proves: S-60, V6.3.8
#[tokio::test]
async fn an_address_without_an_account_is_answered_the_same() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            for round in 0..400_usize {
                // Different networks for the two, so that they do not share the network's limit.
                let (from, now) = (round % 40, at(i64::try_from(round).unwrap() * 700));
                let known = throttle.reserve(tx, &guess(&throttle, from, now))?;
                let unknown = throttle.reserve(tx, &guess_unknown(&throttle, "b@example.org", 1_000 + from, now))?;
                match (known, unknown) {
                    (Reservation::Admitted(known), Reservation::Admitted(unknown)) => {
                        assert_eq!(known.accepts(true), unknown.accepts(true), "round {round}");
                        let (known, unknown) = (throttle.fail(tx, &known)?, throttle.fail(tx, &unknown)?);
                        assert_eq!(known.report, unknown.report, "round {round}");
                        assert_eq!(unknown.switched_off, None);
                    }
                    (Reservation::Throttled(known), Reservation::Throttled(unknown)) => {
                        assert_eq!(known, unknown, "round {round}");
                    }
                    _ => panic!("round {round}: {known:?} {unknown:?}"),
                }
            }
            Ok(())
        })
        .await;
    })
    .await;
}

/// Proves, S-59, V6.3.1
#[tokio::test]
async fn ten_thousand_guesses_from_five_hundred_networks_evaluate_a_hundred() {
    on_sqlite(|store| attack_from_five_hundred_networks(store, 20)).await;
    on_postgres(|store| attack_from_five_hundred_networks(store, 2)).await;
}

async fn attack_from_five_hundred_networks(store: Store, rounds: i32) {
    with_owner(&store).await;
    let throttle = throttle();
    let attack = throttle.clone();
    let (evaluated, told) = in_tx(&store, move |tx| {
        let (mut evaluated, mut told) = (0, Vec::new());
        for round in 0..rounds {
            for from in 0..500 {
                // An hour between rounds, so that neither pauses nor the account's hour are what stops it.
                let now = at(i64::from(round) * HOUR_MS);
                if let Reservation::Admitted(admission) = attack.reserve(tx, &guess(&attack, from, now))? {
                    evaluated += i32::from(admission.accepts(true));
                    told.extend(attack.fail(tx, &admission)?.switched_off);
                }
            }
        }
        Ok((evaluated, told))
    })
    .await;
    assert_eq!(evaluated, 100);
    assert_eq!(told, [owner()], "the owner is told exactly once");

    in_tx(&store, move |tx| {
        let now = at(30 * HOUR_MS);
        let stranger = admitted(throttle.reserve(tx, &guess(&throttle, 600, now))?);
        assert!(!stranger.accepts(true), "the right password from a new device is refused");
        throttle.owner_returned(tx, throttle.subject(EMAIL))?;
        let after = admitted(throttle.reserve(tx, &guess(&throttle, 601, now))?);
        assert!(after.accepts(true) && !after.accepts(false), "after a reset it counts again");
        Ok(())
    })
    .await;
}

/// Proves: A-14, V6.3.1
#[tokio::test]
async fn one_network_spraying_a_thousand_accounts_is_stopped_and_reported_once_a_minute() {
    on_both(|store| async move {
        let throttle = throttle();
        in_tx(&store, move |tx| {
            let (mut evaluated, mut reports) = (0, Vec::new());
            for number in 0..1_000_i64 {
                let email = format!("{number}@example.org");
                match throttle.reserve(tx, &guess_unknown(&throttle, &email, 1, at(number * 200)))? {
                    Reservation::Admitted(_) => evaluated += 1,
                    Reservation::Throttled(throttled) => {
                        assert_eq!(throttled.limiter, Limiter::Network);
                        assert!(i64::from(throttled.retry_after_seconds) <= 15 * 60);
                        reports.extend(throttled.report);
                    }
                }
            }
            assert_eq!(evaluated, 30);
            // 970 refusals in 194 s: at 6 s the first, then one a minute with the number since the last.
            assert_eq!(reports, [1, 300, 300, 300]);
            // A refusal leaves no row of the account behind, so nobody fills the table this way.
            assert_eq!(attempts::count_rows(tx, 10_000)?, 30 * 3 + 2);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_attempt_closes_no_other_door() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            for _ in 0..5 {
                fail_once(&throttle, tx, &guess(&throttle, 1, at(0)))?;
            }
            for _ in 0..500 {
                assert_eq!(fail_once(&throttle, tx, &guess(&throttle, 1, at(1)))?, Some(Limiter::Pair));
            }
            let key = throttle.key();
            let network = attempts::find(tx, &key.of_network(RowKind::Network, network(1)))?.unwrap();
            let account = attempts::find(tx, &key.of_subject(RowKind::Account, throttle.subject(EMAIL)))?.unwrap();
            let pair = attempts::find(tx, &key.of_pair(RowKind::Pair, throttle.subject(EMAIL), super::network(1)))?;
            assert_eq!((network.failures, account.failures), (5, 5));
            assert_eq!(pair.unwrap().blocked_until, at(SECOND_MS), "hammering does not lengthen the wait");
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_refusal_by_the_accounts_limit_leaves_pair_and_network_as_they_were() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            for from in 0..100 {
                assert_eq!(fail_once(&throttle, tx, &guess(&throttle, from, at(0)))?, None);
            }
            for _ in 0..50 {
                assert_eq!(fail_once(&throttle, tx, &guess(&throttle, 200, at(1)))?, Some(Limiter::Account));
            }
            let (key, subject) = (throttle.key(), throttle.subject(EMAIL));
            let pair = attempts::find(tx, &key.of_pair(RowKind::Pair, subject, network(200)))?.unwrap();
            assert_eq!((pair.failures, pair.blocked_until <= at(1)), (0, true));
            assert_eq!(attempts::find(tx, &key.of_network(RowKind::Network, network(200)))?.unwrap().failures, 0);
            Ok(())
        })
        .await;
    })
    .await;
}

/// Proves: S-63
#[tokio::test]
async fn signing_in_to_ones_own_account_clears_nothing_else() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            let mallory = guess_unknown(&throttle, "mallory@example.org", 1, at(0));
            let mut refused = None;
            let mut guesses = 0;
            while refused.is_none() {
                // One guess at each of many accounts, each followed by a sign-in that succeeds.
                guesses += 1;
                refused = fail_once(&throttle, tx, &guess_unknown(&throttle, &format!("{guesses}@x.org"), 1, at(0)))?;
                if let Reservation::Admitted(admission) = throttle.reserve(tx, &mallory)? {
                    throttle.succeed(tx, &mallory, admission.lane())?;
                }
            }
            assert_eq!((guesses, refused), (31, Some(Limiter::Network)));
            Ok(())
        })
        .await;
    })
    .await;
}

/// Proves: S-63
#[tokio::test]
async fn a_right_password_without_its_second_factor_stays_counted() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            // Accepted by the password each time, but nobody ever shows the second factor: no `succeed`.
            for _ in 0..5 {
                assert!(admitted(throttle.reserve(tx, &guess(&throttle, 1, at(0)))?).accepts(true));
            }
            assert_eq!(limiter(throttle.reserve(tx, &guess(&throttle, 1, at(0)))?), Some(Limiter::Pair));
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_finished_sign_in_forgets_its_own_failures() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            for round in 0..50 {
                let now = at(round * MINUTE_MS);
                for _ in 0..4 {
                    assert_eq!(fail_once(&throttle, tx, &guess(&throttle, 1, now))?, None, "round {round}");
                }
                let attempt = guess(&throttle, 1, now);
                let admission = admitted(throttle.reserve(tx, &attempt)?);
                assert!(admission.accepts(true), "round {round}");
                assert_eq!(admission.lane(), Lane::Strangers);
                throttle.succeed(tx, &attempt, admission.lane())?;
                // Its network's count remains: forget it here to look at the pair alone.
                attempts::delete(tx, &throttle.key().of_network(RowKind::Network, network(1)))?;
                attempts::delete(tx, &throttle.key().of_subject(RowKind::Account, attempt.subject))?;
            }
            Ok(())
        })
        .await;
    })
    .await;
}

/// Proves: S-235
#[tokio::test]
async fn wrong_passwords_report_once_a_minute_with_their_number() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            let mut reports = Vec::new();
            for ms in [0, 1, 2, MINUTE_MS + 2] {
                let admission = admitted(throttle.reserve(tx, &guess(&throttle, 1, at(ms)))?);
                reports.push(throttle.fail(tx, &admission)?.report);
            }
            assert_eq!(reports, [Some(1), None, None, Some(3)]);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_full_table_still_limits_networks_and_keeps_the_hard_bound() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle_with(ThrottlePolicy { max_rows: 1, ..ThrottlePolicy::default() });
        let attack = throttle.clone();
        in_tx(&store, move |tx| {
            // The first row makes it full.
            fail_once(&attack, tx, &guess_unknown(&attack, "b@example.org", 0, at(0)))?;
            let before = attempts::count_rows(tx, 10_000)?;
            let mut evaluated = 0;
            for number in 0..1_000 {
                if let Reservation::Admitted(admission) = attack.reserve(tx, &guess(&attack, 1 + number / 20, at(0)))? {
                    evaluated += i32::from(admission.accepts(true));
                }
            }
            assert_eq!(evaluated, 100, "the hard bound of a real account holds");
            // Fifty networks and one run; no pair, no account.
            assert_eq!(attempts::count_rows(tx, 10_000)? - before, 51);
            let sprayed = (0..40)
                .map(|number| fail_once(&attack, tx, &guess_unknown(&attack, &format!("{number}@x.org"), 900, at(0))));
            let refused: Vec<_> = sprayed.collect::<Result<_, _>>()?;
            assert_eq!(refused.iter().filter(|refused| **refused == Some(Limiter::Network)).count(), 10);
            Ok(())
        })
        .await;
        let deleted = throttle.sweep(&store, at(HOUR_MS)).await.unwrap();
        assert_eq!(deleted, 52, "the networks' windows are over; the run of the account stays");
    })
    .await;
}
