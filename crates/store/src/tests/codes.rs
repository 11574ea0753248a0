//! What a code hangs on that is stored nowhere itself, while somebody takes it away: PostgreSQL lets both work at once.

use doorward_model::id::{GrantId, SessionId, UserId};
use doorward_model::time::Timestamp;

use super::support::{PostgresDatabase, beside};
use crate::clients::{self, ClientRow};
use crate::consents;
use crate::grants::{self, Grant};
use crate::sessions::{self, Session};
use crate::users::{self, User};
use crate::{Store, StoreError, Tx};

const USER: UserId = UserId::from_uuid([1; 16]);
const SESSION: SessionId = SessionId::from_uuid([2; 16]);
const GRANT: GrantId = GrantId::from_uuid([3; 16]);
const SHOP: &str = "shop";
const CONSENT: i64 = 5;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_800_000_000_000 + ms)
}

fn grant() -> Grant {
    Grant {
        id: GRANT,
        user_id: USER,
        client_id: SHOP.to_owned(),
        session_id: Some(SESSION),
        scope: "openid".to_owned(),
        resources: "[]".to_owned(),
        claims: "[]".to_owned(),
        amr: "[]".to_owned(),
        acr: "aal1".to_owned(),
        authenticated_at: at(0),
        created_at: at(1),
        expires_at: at(600_000),
        revoked_at: None,
    }
}

async fn write<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write(work).await.unwrap()
}

/// A person who lets a client have something, in a session.
async fn prepared(database: &PostgresDatabase) -> Store {
    let store = database.open();
    store.migrate().await.unwrap();
    write(&store, |tx| {
        let email = "owner@example.com".to_owned();
        users::insert(tx, &User::new(USER, email.clone(), email, at(0)))?;
        sessions::insert(tx, &Session::by_password(SESSION, USER, at(0), 1_000_000, at(1_000_000)))?;
        let (id, metadata) = (SHOP.to_owned(), "{}".to_owned());
        let client = ClientRow { id, metadata, created_at: at(0), updated_at: at(0), disabled_at: None };
        clients::insert(tx, &client)?;
        consents::lock(tx, USER, SHOP, at(0), CONSENT)
    })
    .await;
    store
}

fn hold(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    clients::hold(tx, SHOP, 0)
}

fn note_use(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    consents::note_use(tx, USER, SHOP, CONSENT, at(2))
}

fn insert(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    grants::insert(tx, &grant())
}

/// Whether everything of the client ends, as far as this transaction sees it.
fn end_all(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(grants::revoke_every_of_client(tx, SHOP, at(3), "test")? == 1)
}

/// Proves: A-84, V10.4.9
#[tokio::test]
async fn whoever_uses_a_code_waits_for_whoever_keeps_the_client_out() {
    let database = PostgresDatabase::new();
    let store = prepared(&database).await;
    assert!(!beside(&store, |tx| clients::disable(tx, SHOP, at(1)), hold).await, "it is kept out");
    store.close().await;
}

/// Proves: A-84, V10.4.9
#[tokio::test]
async fn whoever_keeps_the_client_out_waits_for_whoever_uses_a_code_and_ends_what_they_got() {
    let database = PostgresDatabase::new();
    let store = prepared(&database).await;
    let ended =
        beside(&store, |tx| Ok(hold(tx)? && insert(tx)?), |tx| Ok(clients::disable(tx, SHOP, at(3))? && end_all(tx)?));
    assert!(ended.await, "the grant is seen");
    store.close().await;
}

/// Proves: A-84
#[tokio::test]
async fn a_client_is_removed_after_or_before_a_code_for_it_is_used() {
    let database = PostgresDatabase::new();
    let store = prepared(&database).await;
    assert!(beside(&store, |tx| Ok(hold(tx)? && insert(tx)?), |tx| clients::delete(tx, SHOP)).await);
    assert!(write(&store, |tx| grants::find(tx, GRANT)).await.is_none(), "its grant goes with it");
    store.close().await;
    let database = PostgresDatabase::new();
    let store = prepared(&database).await;
    assert!(!beside(&store, |tx| clients::delete(tx, SHOP), hold).await);
    store.close().await;
}

/// Proves: A-84, V10.4.9
#[tokio::test]
async fn whoever_uses_a_code_waits_for_whoever_takes_the_consent_back() {
    let database = PostgresDatabase::new();
    let store = prepared(&database).await;
    let again = |tx: &mut Tx<'_>| {
        let was_there = consents::delete(tx, USER, SHOP)?;
        consents::lock(tx, USER, SHOP, at(1), CONSENT + 1)?;
        Ok(was_there)
    };
    assert!(!beside(&store, again, note_use).await, "what was given anew is another one");
    store.close().await;
}

/// Proves: A-84, V10.4.9
#[tokio::test]
async fn whoever_takes_the_consent_back_waits_for_whoever_uses_a_code_and_ends_what_they_got() {
    let database = PostgresDatabase::new();
    let store = prepared(&database).await;
    let take_back = |tx: &mut Tx<'_>| {
        let was_there = consents::delete(tx, USER, SHOP)?;
        Ok(was_there && grants::revoke_of_client(tx, USER, SHOP, at(3), "test")? == [GRANT])
    };
    assert!(beside(&store, |tx| Ok(note_use(tx)? && insert(tx)?), take_back).await, "the grant is seen");
    store.close().await;
}

/// Proves: A-83, V10.4.2
#[tokio::test]
async fn of_two_uses_of_a_code_at_once_the_second_waits_and_ends_what_the_first_got() {
    let database = PostgresDatabase::new();
    let store = prepared(&database).await;
    let second = |tx: &mut Tx<'_>| Ok(!insert(tx)? && grants::revoke(tx, GRANT, at(3), "code_reused")?);
    assert!(beside(&store, insert, second).await);
    store.close().await;
}
