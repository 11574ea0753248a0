//! The lanes of known devices and sessions.

use doorward_model::id::SessionId;
use doorward_model::throttle::RowKind;
use doorward_model::time::{DAY_MS, HOUR_MS, SECOND_MS};
use doorward_store::{attempts, known_devices};

use super::*;
use crate::devices;
use crate::test_database::on_both;
use crate::throttle::Lane;

/// An attack that closed every strangers' limiter on the account, from the owner's own network too.
fn flood(throttle: &Throttle, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    for from in 0..200 {
        for _ in 0..6 {
            fail_once(throttle, tx, &guess(throttle, from, now))?;
        }
    }
    assert!(fail_once(throttle, tx, &guess(throttle, 0, now))?.is_some());
    Ok(())
}

/// Proves: A-13, S-59
#[tokio::test]
async fn strangers_cannot_crowd_a_known_device_even_from_its_own_network() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            devices::start_over(tx, owner(), device(1), at(0))?;
            flood(&throttle, tx, at(1))?;
            let attempt = own(&throttle, device(1), 0, at(2));
            let admission = admitted(throttle.reserve(tx, &attempt)?);
            assert_eq!(admission.lane(), Lane::Device(device(1)));
            assert!(admission.accepts(true));
            throttle.succeed(tx, &attempt, admission.lane())?;
            // The owner's return switches the password on again for unknown devices.
            let stranger = admitted(throttle.reserve(tx, &guess(&throttle, 999, at(2 * HOUR_MS)))?);
            assert!(stranger.accepts(true));
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_device_has_ten_attempts_then_pauses_and_a_success_gives_them_back() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            devices::start_over(tx, owner(), device(1), at(0))?;
            devices::remember(tx, owner(), None, device(2), at(0))?;
            for round in 0..2 {
                let now = at(round * HOUR_MS);
                for _ in 0..10 {
                    assert_eq!(fail_once(&throttle, tx, &own(&throttle, device(1), 1, now))?, None);
                }
                assert_eq!(fail_once(&throttle, tx, &own(&throttle, device(1), 1, now))?, Some(Limiter::Device));
                // Another device of the same owner does not wait with it.
                assert_eq!(fail_once(&throttle, tx, &own(&throttle, device(2), 1, now))?, None);
                let later = own(&throttle, device(1), 1, now.plus_ms(SECOND_MS));
                let admission = admitted(throttle.reserve(tx, &later)?);
                throttle.succeed(tx, &later, admission.lane())?;
            }
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_device_of_somebody_else_or_forgotten_or_a_year_old_is_a_stranger() {
    on_both(|store| async move {
        with_owner(&store).await;
        insert_user(&store, UserId::from_uuid([2; 16]), "mallory@example.org").await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            known_devices::insert(tx, device(1), UserId::from_uuid([2; 16]), at(0), 20)?;
            known_devices::insert(tx, device(2), owner(), at(0), 20)?;
            known_devices::insert(tx, device(3), owner(), at(0), 20)?;
            let lane = |tx: &mut Tx<'_>, number, now| {
                throttle.reserve(tx, &own(&throttle, device(number), 1, now)).map(|answer| admitted(answer).lane())
            };
            assert_eq!(lane(tx, 1, at(0))?, Lane::Strangers);
            assert_eq!(lane(tx, 2, at(365 * DAY_MS - 1))?, Lane::Device(device(2)));
            assert_eq!(lane(tx, 3, at(365 * DAY_MS))?, Lane::Strangers);
            devices::start_over(tx, owner(), device(4), at(1))?;
            assert_eq!(lane(tx, 2, at(2))?, Lane::Strangers);
            assert_eq!(lane(tx, 4, at(2))?, Lane::Device(device(4)));
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_hundred_failures_in_a_row_forget_a_stolen_device() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            devices::start_over(tx, owner(), device(1), at(0))?;
            let (mut own_lane, mut hours) = (0, 0);
            loop {
                let admission = admitted(throttle.reserve(tx, &own(&throttle, device(1), 1, at(hours * 2 * HOUR_MS)))?);
                if admission.lane() == Lane::Strangers {
                    break;
                }
                (own_lane, hours) = (own_lane + 1, hours + 1);
            }
            assert_eq!(own_lane, 100);
            assert_eq!(known_devices::find_last_used(tx, device(1), owner())?, None);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn other_peoples_devices_behind_a_shared_address_cannot_stop_the_owner() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            devices::start_over(tx, owner(), device(255), at(0))?;
            // Somebody behind the same address burns the shared limit with sessions of other accounts.
            let mut refused = 0;
            for number in 0..60_u8 {
                let burn = Attempt {
                    holder: Holder::Session(SessionId::from_uuid([number; 16])),
                    ..guess_unknown(&throttle, &format!("{number}@x.org"), 1, at(0))
                };
                for _ in 0..9 {
                    refused += i32::from(fail_once(&throttle, tx, &burn)? == Some(Limiter::DeviceNetwork));
                }
            }
            assert_eq!(refused, 60 * 6 - 300);
            for _ in 0..3 {
                assert_eq!(fail_once(&throttle, tx, &own(&throttle, device(255), 1, at(1)))?, None);
            }
            // From the fourth failure on the shared limit holds, and does not use up the device's own attempts.
            for _ in 0..30 {
                let refused = fail_once(&throttle, tx, &own(&throttle, device(255), 1, at(1)))?;
                assert_eq!(refused, Some(Limiter::DeviceNetwork));
            }
            assert_eq!(fail_once(&throttle, tx, &own(&throttle, device(255), 2, at(1)))?, None);
            Ok(())
        })
        .await;
    })
    .await;
}

/// Proves: A-29, V6.2.3
#[tokio::test]
async fn a_session_that_shows_the_password_again_has_its_own_lane_and_no_more_than_that() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            flood(&throttle, tx, at(0))?;
            let again =
                Attempt { holder: Holder::Session(SessionId::from_uuid([1; 16])), ..guess(&throttle, 0, at(1)) };
            for _ in 0..10 {
                assert_eq!(fail_once(&throttle, tx, &again)?, None);
            }
            assert_eq!(fail_once(&throttle, tx, &again)?, Some(Limiter::Device));
            Ok(())
        })
        .await;
    })
    .await;
}

/// Proves: A-21
#[tokio::test]
async fn an_attempt_nobody_looked_at_is_given_back_to_every_count() {
    on_both(|store| async move {
        with_owner(&store).await;
        let throttle = throttle();
        in_tx(&store, move |tx| {
            devices::start_over(tx, owner(), device(1), at(0))?;
            let attempt = own(&throttle, device(1), 1, at(0));
            let row = throttle.key().of_network(RowKind::DeviceNetwork, attempt.network);
            let counted = |tx: &mut Tx<'_>| attempts::find(tx, &row).map(|row| row.map_or(0, |row| row.failures));
            for _ in 0..3 {
                admitted(throttle.reserve(tx, &attempt)?);
            }
            assert_eq!(counted(tx)?, 0, "the first three are the device's own affair");
            for _ in 0..2 {
                let admission = admitted(throttle.reserve(tx, &attempt)?);
                assert_eq!(counted(tx)?, 1);
                throttle.give_back(tx, &admission)?;
                assert_eq!(counted(tx)?, 0);
            }
            Ok(())
        })
        .await;
    })
    .await;
}
