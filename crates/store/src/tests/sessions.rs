//! A session that ends while somebody makes something that hangs on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use doorward_model::id::{SessionId, UserId};
use doorward_model::time::Timestamp;

use super::support::{PostgresDatabase, gate};
use crate::sessions::{self, Session};
use crate::users::{self, User};
use crate::{Statement, Store, StoreError, Tx};

/// How many transactions wait for this one.
static WAITING: Statement = Statement::new(
    "tests::WAITING_FOR_SESSION",
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid",
);
const USER: UserId = UserId::from_uuid([7; 16]);
const SESSION: SessionId = SessionId::from_uuid([8; 16]);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_800_000_000_000 + ms)
}

async fn sign_in(store: &Store) {
    let email = "owner@example.com".to_owned();
    let user = User::new(USER, email.clone(), email, at(0));
    let session = Session::by_password(SESSION, USER, at(0), 1_000_000, at(1_000_000));
    let written = store.write::<_, StoreError, _>(move |tx| {
        users::insert(tx, &user)?;
        sessions::insert(tx, &session)
    });
    written.await.unwrap();
}

/// What `late` says when it comes while `first` has written and not committed: it waits for the commit, or this fails.
async fn beside(
    store: &Store,
    first: impl Fn(&mut Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    late: impl Fn(&mut Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
) -> bool {
    let is_over = Arc::new(AtomicBool::new(false));
    let (gate, entered, release) = gate();
    release.send(()).unwrap();
    let ending = tokio::spawn({
        let (store, is_over) = (store.clone(), Arc::clone(&is_over));
        async move {
            let ended = store.write::<_, StoreError, _>(move |tx| {
                assert!(first(tx)?);
                gate.pass();
                while tx.query_one(&WAITING, &[], |row| row.get::<i64>(0))? == 0 {
                    assert!(!is_over.load(Ordering::Acquire), "nobody waited");
                    std::thread::yield_now();
                }
                Ok(())
            });
            ended.await
        }
    });
    entered.await.unwrap();
    let late = store.write(late).await.unwrap();
    is_over.store(true, Ordering::Release);
    ending.await.unwrap().unwrap();
    late
}

#[tokio::test]
async fn whoever_needs_a_living_session_waits_for_whoever_ends_it() {
    let database = PostgresDatabase::new();
    let store = database.open();
    store.migrate().await.unwrap();
    sign_in(&store).await;
    let end = |tx: &mut Tx<'_>| sessions::revoke(tx, SESSION, USER, at(1), "test");
    assert!(!beside(&store, end, |tx| Ok(sessions::hold(tx, SESSION)?.is_some())).await, "it was ended");
    store.close().await;
}

#[tokio::test]
async fn whoever_ends_a_session_waits_for_whoever_needs_it() {
    let database = PostgresDatabase::new();
    let store = database.open();
    store.migrate().await.unwrap();
    sign_in(&store).await;
    let end = |tx: &mut Tx<'_>| sessions::revoke(tx, SESSION, USER, at(1), "test");
    assert!(beside(&store, |tx| Ok(sessions::hold(tx, SESSION)?.is_some()), end).await, "it is ended afterwards");
    store.close().await;
}

#[tokio::test]
async fn whoever_keeps_a_user_out_waits_for_whoever_holds_their_row() {
    let database = PostgresDatabase::new();
    let store = database.open();
    store.migrate().await.unwrap();
    sign_in(&store).await;
    assert!(beside(&store, |tx| users::lock(tx, USER), |tx| users::disable(tx, USER, at(1))).await);
    assert!(!store.write::<_, StoreError, _>(|tx| users::lock(tx, USER)).await.unwrap());
    store.close().await;
}
