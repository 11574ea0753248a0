//! What an earlier master key sealed opens without it, once a node with the new one has run.

use std::sync::Mutex;

use doorward_model::email::EmailAddress;
use doorward_model::locale::Locale;
use doorward_model::password::Password;
use doorward_model::time::Timestamp;
use doorward_store::{Statement, Store, StoreError};

use super::*;
use crate::delivery::{Courier, DeliveryError, HandingOver, LogoutMessage};
use crate::keys::Keys;
use crate::keys::sealing::MasterKeys;
use crate::keys::tests::{Seeded, master_text, masters, settings};
use crate::mail::Mail;
use crate::signup::SignUp;
use crate::test_app::{app, app_with, op};
use crate::test_database::{at, on_both};

static GIVE_UP: Statement = Statement::new(
    "tests::GIVE_UP",
    "UPDATE deliveries SET state = 'dead', finished_at = next_at WHERE id = (SELECT MIN(id) FROM deliveries)",
);
static PAYLOADS: Statement = Statement::new("tests::PAYLOADS", "SELECT payload FROM deliveries ORDER BY id");
static BREAK: Statement =
    Statement::new("tests::BREAK", "UPDATE deliveries SET payload = $1 WHERE id = (SELECT MIN(id) FROM deliveries)");

/// Takes every mail.
#[derive(Default)]
struct Taken(Mutex<usize>);

impl Courier for Taken {
    fn deliver<'a>(&'a self, _: DeliveryId, _: Timestamp, _: &'a Mail) -> HandingOver<'a> {
        *self.0.lock().unwrap() += 1;
        Box::pin(async { Ok::<(), DeliveryError>(()) })
    }

    fn announce<'a>(&'a self, _: DeliveryId, _: &'a LogoutMessage) -> HandingOver<'a> {
        panic!("no client wants to hear anything")
    }
}

/// A node whose current master key is the second, and which knows the first.
async fn changed(store: &Store) -> App {
    let mut rotated = masters(2);
    rotated.add_previous(master_text(1).as_bytes()).unwrap();
    node_with(store, rotated).await
}

async fn node_with(store: &Store, masters: MasterKeys) -> App {
    app_with(store, Keys::open(store.clone(), masters, settings(), at(0), &Seeded::new(9)).await.unwrap())
}

async fn queue_mail(app: &App, number: u64) {
    let input = SignUp {
        email: EmailAddress::parse(&format!("ada{number}@example.com")).unwrap(),
        password: Password::new("nine walnuts beside a harbour").unwrap(),
        name: None,
        locale: Locale::default(),
        device_cookie: None,
    };
    app.sign_up(&op(at(0), 100 + number), input).await.unwrap();
}

async fn payloads(store: &Store) -> Vec<Vec<u8>> {
    let rows: Result<_, StoreError> = store.read(|tx| tx.query_all(&PAYLOADS, &[], |row| row.get(0))).await;
    rows.unwrap()
}

/// How many mails a node sends that has the second master key alone.
async fn sent_without_the_old_key(store: &Store) -> usize {
    let (app, courier) = (node_with(store, masters(2)).await, Taken::default());
    while app.deliver_due(&op(at(1_000), 7), "node", &courier).await.unwrap() > 0 {}
    *courier.0.lock().unwrap()
}

/// Proves: V11.2.2, S-21
#[tokio::test]
async fn queued_mails_need_the_old_master_key_no_longer() {
    on_both(|store| async move {
        let old = app(&store, at(0)).await;
        for number in 0..45 {
            queue_mail(&old, number).await;
        }
        // One that was given up can be sent again one day.
        store.write::<_, StoreError, _>(|tx| tx.execute(&GIVE_UP, &[])).await.unwrap();
        let new = changed(&store).await;
        assert_eq!(new.seal_again(&op(at(1), 2)).await.unwrap(), 45);
        let after = payloads(&store).await;
        assert_eq!(new.seal_again(&op(at(2), 3)).await.unwrap(), 0);
        assert_eq!(payloads(&store).await, after, "what is sealed so stays");
        let left = store.read::<_, StoreError, _>(|tx| {
            deliveries::list_sealed_otherwise(tx, masters(2).fingerprint().as_bytes(), "", 9)
        });
        assert!(left.await.unwrap().is_empty(), "and is not looked at again");
        assert!(after.iter().all(|sealed| sealed[1..9] == *masters(2).fingerprint().as_bytes()));
        assert_eq!(sent_without_the_old_key(&store).await, 44);
    })
    .await;
}

/// Proves: V11.2.2
#[tokio::test]
async fn what_nodes_with_the_old_master_key_seal_meanwhile_is_sealed_again() {
    on_both(|store| async move {
        let mut knowing = masters(1);
        knowing.add_previous(master_text(2).as_bytes()).unwrap();
        let old = node_with(&store, knowing).await;
        let new = changed(&store).await;
        queue_mail(&old, 1).await;
        let rotated = old.rotate_keys(&op(at(1), 3), false).await.unwrap();
        assert!(!rotated.is_empty());
        // The node that is late does not turn back what was done.
        assert_eq!(old.seal_again(&op(at(2), 4)).await.unwrap(), 0);
        assert_eq!(new.seal_again(&op(at(2), 5)).await.unwrap(), 2, "a mail and a signing key");
        assert_eq!(old.seal_again(&op(at(3), 6)).await.unwrap(), 0);
        assert_eq!(sent_without_the_old_key(&store).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_no_key_opens_stands_in_nobodys_way() {
    on_both(|store| async move {
        let old = app(&store, at(0)).await;
        for number in 0..3 {
            queue_mail(&old, number).await;
        }
        let broken = [vec![1], vec![7; 60]].concat();
        let value = broken.clone();
        let written = store.write::<_, StoreError, _>(move |tx| tx.execute(&BREAK, &[value.as_slice().into()]));
        assert_eq!(written.await.unwrap(), 1);
        let new = changed(&store).await;
        assert_eq!(new.seal_again(&op(at(1), 2)).await.unwrap(), 2);
        assert_eq!(payloads(&store).await[0], broken);
    })
    .await;
}

/// Proves: V11.2.2
#[tokio::test]
async fn a_mail_that_is_sent_meanwhile_is_not_queued_again() {
    on_both(|store| async move {
        let old = app(&store, at(0)).await;
        queue_mail(&old, 1).await;
        let seen = payloads(&store).await.remove(0);
        let new = changed(&store).await;
        let id = store
            .read::<_, StoreError, _>(|tx| {
                deliveries::list_sealed_otherwise(tx, masters(2).fingerprint().as_bytes(), "", 9)
            })
            .await
            .unwrap()[0]
            .0;
        let courier = Taken::default();
        assert_eq!(new.deliver_due(&op(at(1), 7), "node", &courier).await.unwrap(), 1);
        let late = store.write::<_, StoreError, _>(move |tx| deliveries::update_payload(tx, id, &seen, b"sealed anew"));
        assert!(!late.await.unwrap());
        assert_eq!(payloads(&store).await, [Vec::<u8>::new()]);
    })
    .await;
}
