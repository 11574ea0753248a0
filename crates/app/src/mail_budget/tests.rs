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

/// Who was asked to be patient, without what is told in events.
fn limiter(decision: MailDecision) -> Option<MailLimiter> {
    match decision {
        MailDecision::Send => None,
        MailDecision::Drop { limiter, .. } => Some(limiter),
    }
}

/// Proves: A-27
#[tokio::test]
async fn endless_networks_get_ten_mails_a_day_and_a_known_device_its_own() {
    on_both(|store| async move {
        insert_user(&store, owner(), EMAIL).await;
        let budgets = budgets();
        in_tx(&store, move |tx| {
            let device = DeviceId::from_uuid([1; 16]);
            devices::start_over(tx, owner(), device, at(0))?;
            let mut days = [0; 3];
            let mut last_sent = 0;
            for number in 0..3 * 24 * 30_i64 {
                let ms = number * HOUR_MS / 30;
                let [low, high, ..] = number.to_le_bytes();
                let network = Network::V4([10, 0, high, low]);
                let asked = MailRequest { network, ..request(&budgets, EMAIL, 0, at(ms)) };
                if budgets.reserve(tx, &asked)? == MailDecision::Send {
                    days[usize::try_from(ms / DAY_MS).unwrap()] += 1;
                    last_sent = ms;
                }
                assert!(ms - last_sent <= 5 * HOUR_MS, "a new network waits no longer than five hours");
                if number % (24 * 30) == 500 {
                    let own = MailRequest { user: Some(owner()), device: Some(device), ..asked };
                    assert_eq!(budgets.reserve(tx, &own)?, MailDecision::Send, "day {}", ms / DAY_MS);
                }
            }
            assert_eq!(days, [10, 10, 10]);
            Ok(())
        })
        .await;
    })
    .await;
}

/// Proves: A-27
#[tokio::test]
async fn one_network_cannot_spend_what_the_owner_needs_on_another() {
    on_both(|store| async move {
        let budgets = budgets();
        in_tx(&store, move |tx| {
            let mut ask = |from, ms| budgets.reserve(tx, &request(&budgets, EMAIL, from, at(ms))).map(limiter);
            let spent = Some(MailLimiter::Address);
            assert_eq!((ask(1, 0)?, ask(1, 1)?), (None, None));
            assert_eq!(ask(1, 2)?, spent);
            assert_eq!(ask(2, 3)?, None, "the last of an hour is for new networks");
            assert_eq!(ask(3, 4)?, spent, "three an hour are three an hour");
            for hour in 1..12 {
                for ms in 0..3 {
                    ask(1, hour * HOUR_MS + ms)?;
                }
            }
            assert_eq!(ask(1, 12 * HOUR_MS)?, spent);
            // A network that got nothing is still new.
            assert_eq!(ask(3, 12 * HOUR_MS)?, None, "the last of a day are for new networks");
            assert_eq!(ask(3, 18 * HOUR_MS)?, spent, "once a day");
            assert_eq!(ask(4, 16 * HOUR_MS)?, spent, "five hours apart");
            assert_eq!(ask(4, 17 * HOUR_MS)?, None);
            assert_eq!(ask(3, 37 * HOUR_MS)?, None);
            Ok(())
        })
        .await;
    })
    .await;
}

/// Proves: A-27
#[tokio::test]
async fn dropped_mails_are_reported_once_a_minute_with_their_number() {
    on_both(|store| async move {
        let budgets = budgets();
        in_tx(&store, move |tx| {
            let mut reports = Vec::new();
            // One network asks for one address twice a second, for two minutes; two mails are sent.
            for number in 0..241_i64 {
                if let MailDecision::Drop { report: Some(count), .. } =
                    budgets.reserve(tx, &request(&budgets, EMAIL, 1, at(number * 500)))?
                {
                    reports.push(count);
                }
            }
            // The first that the address's budget drops, the first that the network's drops, and a minute of these.
            assert_eq!(reports, [1, 1, 120]);
            // Another network has a report of its own.
            let other = budgets.reserve(tx, &request(&budgets, EMAIL, 2, at(120_001)))?;
            assert_eq!(other, MailDecision::Send);
            let other = budgets.reserve(tx, &request(&budgets, EMAIL, 2, at(120_002)))?;
            assert_eq!(other, MailDecision::Drop { limiter: MailLimiter::Address, report: Some(1) });
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
            assert_eq!(limiter(budgets.reserve(tx, &own(3))?), Some(MailLimiter::Device));
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
            assert_eq!(limiter(budgets.reserve(tx, &own(2 * DAY_MS))?), Some(MailLimiter::Address));
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
                    MailDecision::Drop { limiter, .. } => assert_eq!(limiter, MailLimiter::Network),
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
