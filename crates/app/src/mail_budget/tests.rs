use doorward_model::throttle::{SubjectKey, ThrottlePolicy};
use doorward_model::time::{DAY_MS, HOUR_MS};
use doorward_store::Store;

use super::*;
use crate::devices;
use crate::test_database::{at, insert_user, on_both};

const EMAIL: &str = "owner@example.org";

fn owner() -> UserId {
    UserId::from_uuid([1; 16])
}

fn budgets() -> MailBudgets {
    MailBudgets::new(Throttle::new(ThrottlePolicy::default(), SubjectKey::new(&[5; 32])).unwrap())
}

fn request(budgets: &MailBudgets, email: &str, from: u8, now: Timestamp) -> MailRequest {
    MailRequest {
        subject: budgets.throttle.subject(email),
        user: None,
        network: Network::V4([192, 0, 2, from]),
        device: None,
        now,
    }
}

async fn in_tx<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write(work).await.unwrap_or_else(|error: StoreError| panic!("{error:?}"))
}

/// Proves: A-27, V2.4.1
#[tokio::test]
async fn a_thousand_requests_from_many_networks_send_three_mails() {
    on_both(|store| async move {
        let budgets = budgets();
        in_tx(&store, move |tx| {
            let mut sent = 0;
            for number in 0..1_000_u16 {
                let from = u8::try_from(number % 250).unwrap();
                let decision = budgets.reserve(tx, &request(&budgets, EMAIL, from, at(i64::from(number))))?;
                sent += i32::from(decision == MailDecision::Send);
            }
            assert_eq!(sent, 3);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn one_network_cannot_spend_what_the_owner_needs_on_another() {
    on_both(|store| async move {
        let budgets = budgets();
        in_tx(&store, move |tx| {
            let mut ask = |from, ms| budgets.reserve(tx, &request(&budgets, EMAIL, from, at(ms)));
            let dropped = MailDecision::Drop(MailLimiter::Address);
            for ms in 0..3 {
                assert_eq!(ask(1, ms)?, MailDecision::Send);
            }
            assert_eq!(ask(1, 3)?, dropped);
            assert_eq!(ask(2, 4)?, MailDecision::Send);
            assert_eq!(ask(3, 5)?, dropped, "a mail of this hour is there already");
            // A network that got nothing is still new an hour later, also when the day's budget is spent.
            for hour in 1..12 {
                for ms in 0..3 {
                    ask(1, hour * HOUR_MS + ms)?;
                }
            }
            assert_eq!(ask(1, 12 * HOUR_MS)?, dropped);
            assert_eq!(ask(3, 12 * HOUR_MS)?, MailDecision::Send);
            assert_eq!(ask(3, 13 * HOUR_MS)?, dropped, "once a day");
            assert_eq!(ask(3, 37 * HOUR_MS)?, MailDecision::Send);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_known_device_has_a_budget_of_its_own_and_a_forgotten_one_has_not() {
    on_both(|store| async move {
        insert_user(&store, owner(), EMAIL).await;
        let budgets = budgets();
        in_tx(&store, move |tx| {
            let device = DeviceId::from_uuid([1; 16]);
            devices::start_over(tx, owner(), device, at(0))?;
            for from in 0..100 {
                budgets.reserve(tx, &request(&budgets, EMAIL, from, at(0)))?;
            }
            let own =
                |ms| MailRequest { user: Some(owner()), device: Some(device), ..request(&budgets, EMAIL, 1, at(ms)) };
            for ms in 0..3 {
                assert_eq!(budgets.reserve(tx, &own(ms))?, MailDecision::Send);
            }
            assert_eq!(budgets.reserve(tx, &own(3))?, MailDecision::Drop(MailLimiter::Device));
            let mut day = 3;
            for hour in 1..24 {
                for ms in 0..3 {
                    day += i32::from(budgets.reserve(tx, &own(hour * HOUR_MS + ms))? == MailDecision::Send);
                }
            }
            assert_eq!(day, 10);
            devices::start_over(tx, owner(), DeviceId::from_uuid([2; 16]), at(DAY_MS))?;
            budgets.reserve(tx, &request(&budgets, EMAIL, 200, at(2 * DAY_MS)))?;
            for _ in 0..5 {
                budgets.reserve(tx, &own(2 * DAY_MS))?;
            }
            assert_eq!(budgets.reserve(tx, &own(2 * DAY_MS))?, MailDecision::Drop(MailLimiter::Address));
            Ok(())
        })
        .await;
    })
    .await;
}

/// Proves: A-28, V2.4.1
#[tokio::test]
async fn a_network_asking_for_random_addresses_is_stopped_at_its_own_budget() {
    on_both(|store| async move {
        let budgets = budgets();
        in_tx(&store, move |tx| {
            let mut sent = 0;
            for number in 0..500 {
                let decision = budgets.reserve(tx, &request(&budgets, &format!("{number}@x.org"), 1, at(number)))?;
                match decision {
                    MailDecision::Send => sent += 1,
                    MailDecision::Drop(limiter) => assert_eq!(limiter, MailLimiter::Network),
                }
            }
            assert_eq!(sent, 50);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn requests_at_the_same_time_share_one_budget() {
    on_both(|store| async move {
        let budgets = budgets();
        let mut asked = Vec::new();
        for from in 0..60 {
            let (store, budgets) = (store.clone(), budgets.clone());
            asked.push(tokio::spawn(async move {
                let request = request(&budgets, EMAIL, from, at(0));
                in_tx(&store, move |tx| budgets.reserve(tx, &request)).await
            }));
        }
        let mut sent = 0;
        for answer in asked {
            sent += i32::from(answer.await.unwrap() == MailDecision::Send);
        }
        assert_eq!(sent, 3);
    })
    .await;
}
