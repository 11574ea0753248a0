//! What becomes of a mail when its carrier fails, its worker dies, or two workers run.

use std::collections::VecDeque;
use std::sync::Mutex;

use doorward_model::email::EmailAddress;
use doorward_model::locale::Locale;
use doorward_model::password::Password;
use doorward_model::time::DAY_MS;
use doorward_store::{Statement, Store, StoreError};

use super::*;
use crate::signup::SignUp;
use crate::test_app::{app, op};
use crate::test_database::{at, on_both};

const OWNER: &str = "node-1";

static LAST_ERRORS: Statement =
    Statement::new("tests::LAST_ERRORS", "SELECT COALESCE(last_error, '') FROM deliveries ORDER BY id");
static PAYLOADS: Statement = Statement::new("tests::PAYLOADS", "SELECT payload FROM deliveries ORDER BY id");

/// A carrier that does what the test says, and succeeds when nothing is left to say.
#[derive(Default)]
struct Scripted {
    failures: Mutex<VecDeque<DeliveryError>>,
    seen: Mutex<Vec<DeliveryId>>,
}

impl Scripted {
    fn failing(times: usize, is_permanent: bool) -> Self {
        let failure = DeliveryError { is_permanent, reason: "the relay says no".to_owned() };
        Self { failures: Mutex::new(vec![failure; times].into()), seen: Mutex::default() }
    }

    fn seen(&self) -> Vec<DeliveryId> {
        self.seen.lock().unwrap().clone()
    }
}

impl Courier for Scripted {
    fn deliver<'a>(&'a self, id: DeliveryId, _queued_at: Timestamp, _mail: &'a Mail) -> HandingOver<'a> {
        self.seen.lock().unwrap().push(id);
        let failure = self.failures.lock().unwrap().pop_front();
        Box::pin(async move { failure.map_or(Ok(()), Err) })
    }

    fn announce<'a>(&'a self, _id: DeliveryId, _message: &'a LogoutMessage) -> HandingOver<'a> {
        panic!("no client wants to hear anything")
    }
}

/// A carrier that is asked and never heard of again.
struct Silent;

impl Courier for Silent {
    fn deliver<'a>(&'a self, _id: DeliveryId, _queued_at: Timestamp, _mail: &'a Mail) -> HandingOver<'a> {
        Box::pin(std::future::pending())
    }

    fn announce<'a>(&'a self, _id: DeliveryId, _message: &'a LogoutMessage) -> HandingOver<'a> {
        panic!("no client wants to hear anything")
    }
}

/// A node that has one mail to send.
async fn with_mail(store: &Store) -> App {
    let app = app(store, at(0)).await;
    let input = SignUp {
        email: EmailAddress::parse("ada@example.com").unwrap(),
        password: Password::new("nine walnuts beside a harbour").unwrap(),
        name: None,
        locale: Locale::default(),
        device_cookie: None,
    };
    app.sign_up(&op(at(0), 1), input).await.unwrap();
    app
}

async fn run(app: &App, now: Timestamp, courier: &Scripted) -> usize {
    app.deliver_due(&op(now, 7), OWNER, courier).await.unwrap()
}

async fn backlog(app: &App) -> (i64, i64) {
    let backlog = app.delivery_backlog().await.unwrap();
    (backlog.waiting, backlog.dead)
}

async fn last_errors(store: &Store) -> Vec<String> {
    let rows: Result<_, StoreError> = store.read(|tx| tx.query_all(&LAST_ERRORS, &[], |row| row.get(0))).await;
    rows.unwrap()
}

/// Proves: S-68, A-164, S-113, S-130
#[tokio::test]
async fn a_mail_that_fails_is_sent_again_later_with_the_same_id_and_then_never_again() {
    on_both(|store| async move {
        let app = with_mail(&store).await;
        let courier = Scripted::failing(2, false);
        assert_eq!(run(&app, at(1), &courier).await, 1);
        assert_eq!(last_errors(&store).await, ["the relay says no"]);
        assert_eq!(run(&app, at(1 + 7_999), &courier).await, 0, "at most a fifth earlier than ten seconds");
        assert_eq!(run(&app, at(1 + 12_000), &courier).await, 1, "at most a fifth later");
        assert_eq!(run(&app, at(1 + 12_000 + 47_999), &courier).await, 0, "the second wait is a minute");
        assert_eq!(run(&app, at(1 + 12_000 + 72_000), &courier).await, 1);
        assert_eq!(run(&app, at(DAY_MS), &courier).await, 0);
        let seen = courier.seen();
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|id| *id == seen[0]), "{seen:?}");
        assert_eq!(backlog(&app).await, (0, 0));
        // What was sent is not kept: it held a link that opens an account.
        let kept: Result<Vec<Vec<u8>>, StoreError> =
            store.read(|tx| tx.query_all(&PAYLOADS, &[], |row| row.get(0))).await;
        assert_eq!(kept.unwrap(), [Vec::<u8>::new()]);
    })
    .await;
}

/// Proves: S-69, S-117, A-164
#[tokio::test]
async fn a_mail_that_fails_for_a_day_is_dead_and_stays_visible() {
    on_both(|store| async move {
        let app = with_mail(&store).await;
        let courier = Scripted::failing(100, false);
        let mut now = at(0);
        for wait in WAITS_MS {
            assert_eq!(run(&app, now, &courier).await, 1);
            assert_eq!(backlog(&app).await, (1, 0));
            now = now.plus_ms(wait / 5 * 6);
        }
        assert_eq!(run(&app, now, &courier).await, 1, "the last attempt");
        assert_eq!(backlog(&app).await, (0, 1));
        assert_eq!(run(&app, now.plus_ms(2 * DAY_MS), &courier).await, 0);
        assert_eq!(last_errors(&store).await, ["the relay says no"]);
        assert_eq!(courier.seen().len(), WAITS_MS.len() + 1);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_for_good_is_not_repeated() {
    on_both(|store| async move {
        let app = with_mail(&store).await;
        let courier = Scripted::failing(1, true);
        assert_eq!(run(&app, at(1), &courier).await, 1);
        assert_eq!(backlog(&app).await, (0, 1));
        assert_eq!(run(&app, at(2 * DAY_MS), &courier).await, 0);
    })
    .await;
}

/// Proves: S-67, A-164
#[tokio::test]
async fn a_worker_that_dies_with_a_mail_in_its_hands_loses_it_to_the_next_after_its_lease() {
    on_both(|store| async move {
        let app = with_mail(&store).await;
        let took = tokio::spawn({
            let app = app.clone();
            async move { app.deliver_due(&op(at(1), 7), "node-that-dies", &Silent).await }
        });
        let courier = Scripted::default();
        // The other worker has it as soon as this one finds nothing although it waits.
        while app
            .store
            .read::<_, StoreError, _>(|tx| tx.query_all(&LEASED, &[], |row| row.get::<i64>(0)))
            .await
            .unwrap()
            == [0]
        {
            tokio::task::yield_now().await;
        }
        took.abort();
        assert_eq!(run(&app, at(LEASE_MS), &courier).await, 0, "two workers would send it twice");
        assert_eq!(backlog(&app).await, (1, 0));
        assert_eq!(run(&app, at(1 + LEASE_MS), &courier).await, 1);
        assert_eq!((courier.seen().len(), backlog(&app).await), (1, (0, 0)));
    })
    .await;
}

static LEASED: Statement = Statement::new("tests::LEASED", "SELECT leased_until FROM deliveries");

/// Proves: S-67
#[tokio::test]
async fn who_lost_the_lease_changes_nothing_any_more() {
    on_both(|store| async move {
        let app = with_mail(&store).await;
        let lease = |owner: &'static str, now: Timestamp| {
            let until = now.plus_ms(LEASE_MS);
            app.store.write::<_, StoreError, _>(move |tx| deliveries::lease(tx, owner, until, now, BATCH))
        };
        let late = lease("slow", at(0)).await.unwrap().remove(0);
        assert_eq!(lease("quick", at(LEASE_MS)).await.unwrap().len(), 1);
        let id = late.id;
        let (done, again, dead) = app
            .store
            .write::<_, StoreError, _>(move |tx| {
                Ok((
                    deliveries::finish(tx, id, "slow", at(LEASE_MS))?,
                    deliveries::retry(tx, id, "slow", at(DAY_MS), "late")?,
                    deliveries::give_up(tx, id, "slow", at(LEASE_MS), "late")?,
                ))
            })
            .await
            .unwrap();
        assert_eq!((done, again, dead), (false, false, false));
        assert_eq!((backlog(&app).await, last_errors(&store).await), ((1, 0), vec![String::new()]));
    })
    .await;
}

#[test]
fn waits_are_a_fifth_shorter_or_longer_and_not_all_the_same() {
    let waits: Vec<i64> = (0..200).map(|seed| jittered(&op(at(0), seed), MINUTE_MS)).collect();
    assert!(waits.iter().all(|wait| (48_000..=72_000).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait < 55_000) && waits.iter().any(|wait| *wait > 65_000), "{waits:?}");
}
