//! A session that ends while somebody makes something that hangs on it.

use doorward_model::id::{SessionId, UserId};
use doorward_model::time::Timestamp;

use super::support::{PostgresDatabase, beside};
use crate::sessions::{self, Session};
use crate::users::{self, User};
use crate::{Store, StoreError, Tx};

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
