//! A password that is replaced while somebody signs in with the old one.

use doorward_model::id::UserId;
use doorward_model::time::Timestamp;

use super::support::PostgresDatabase;
use crate::users::{self, User};
use crate::{Statement, Store, StoreError, Tx};

/// How many transactions wait for this one.
static WAITING: Statement = Statement::new(
    "tests::WAITING",
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid",
);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_800_000_000_000 + ms)
}

fn owner() -> User {
    let email = "owner@example.com".to_owned();
    User::new(UserId::from_uuid([7; 16]), email.clone(), email, at(0))
}

/// Replaces the password of [`owner`] and commits only when `late` waits for the row; what `late` then says.
async fn replaced_beside(
    store: &Store,
    late: impl Fn(&mut Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
) -> bool {
    let id = owner().id;
    store
        .write::<_, StoreError, _>(move |tx| {
            users::insert(tx, &owner())?;
            users::set_password(tx, id, "old", "15", at(0))
        })
        .await
        .unwrap();
    let (locked, is_locked) = tokio::sync::oneshot::channel();
    let locked = std::sync::Mutex::new(Some(locked));
    let replacing = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .write::<_, StoreError, _>(move |tx| {
                    users::set_password(tx, id, "new", "15", at(1))?;
                    if let Some(locked) = locked.lock().unwrap().take() {
                        locked.send(()).unwrap();
                    }
                    while tx.query_one(&WAITING, &[], |row| row.get::<i64>(0))? == 0 {
                        std::thread::yield_now();
                    }
                    Ok(())
                })
                .await
        }
    });
    is_locked.await.unwrap();
    let late = store.write(late).await.unwrap();
    replacing.await.unwrap().unwrap();
    late
}

/// Proves: A-37
#[tokio::test]
async fn a_sign_in_that_waited_for_a_reset_does_not_go_on_with_the_old_password() {
    let database = PostgresDatabase::new();
    let store = database.open();
    store.migrate().await.unwrap();
    let signed_in = replaced_beside(&store, |tx| users::mark_signed_in(tx, owner().id, at(2), at(0))).await;
    assert!(!signed_in, "the password that was verified is no longer the account's");
    let user = store.read::<_, StoreError, _>(|tx| users::find(tx, owner().id)).await.unwrap().unwrap();
    assert_eq!(user.last_signed_in_at, None);
    assert!(
        store.write::<_, StoreError, _>(|tx| users::mark_signed_in(tx, owner().id, at(3), at(1))).await.unwrap(),
        "the new one is"
    );
    store.close().await;
}

/// Proves: A-37
#[tokio::test]
async fn a_change_that_waited_for_a_reset_does_not_replace_the_new_password() {
    let database = PostgresDatabase::new();
    let store = database.open();
    store.migrate().await.unwrap();
    assert!(!replaced_beside(&store, |tx| users::lock_password(tx, owner().id, at(0))).await);
    store.close().await;
}
