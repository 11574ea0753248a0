//! What hangs on a client: secrets, codes and grants, on both databases.

use doorward_model::id::{GrantId, SessionId, UserId};
use doorward_model::secret::TokenHash;
use doorward_model::time::{DAY_MS, Timestamp};

use super::support::on_both;
use crate::authorization_codes::{self, AuthorizationCode};
use crate::clients::{self, ClientRow};
use crate::grants::{self, Grant};
use crate::migrations::{self, MIGRATIONS};
use crate::sessions::{self, Session};
use crate::users::{self, User};
use crate::{Store, StoreError, Tx};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_800_000_000_000 + ms)
}

const USER: UserId = UserId::from_uuid([1; 16]);
const SESSION: SessionId = SessionId::from_uuid([2; 16]);
const GRANT: GrantId = GrantId::from_uuid([3; 16]);

fn user() -> User {
    let email = "owner@example.com".to_owned();
    User::new(USER, email.clone(), email, at(0))
}

fn session() -> Session {
    Session::by_password(SESSION, USER, at(0), 1_000_000, at(1_000_000))
}

fn client() -> ClientRow {
    ClientRow {
        id: "shop".to_owned(),
        metadata: "{}".to_owned(),
        created_at: at(0),
        updated_at: at(0),
        disabled_at: None,
    }
}

fn code() -> AuthorizationCode {
    AuthorizationCode {
        client_id: "shop".to_owned(),
        session_id: SESSION,
        grant_id: GRANT,
        redirect_uri: "https://shop.example/cb".to_owned(),
        challenge: Some([9; 32]),
        nonce: Some("n".to_owned()),
        dpop_key: Some([7; 32]),
        scope: "openid".to_owned(),
        resources: "[]".to_owned(),
        claims: "[]".to_owned(),
        created_at: at(0),
        expires_at: at(60_000),
        used_at: None,
    }
}

fn grant() -> Grant {
    Grant {
        id: GRANT,
        user_id: USER,
        client_id: "shop".to_owned(),
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

fn hash(number: u8) -> TokenHash {
    TokenHash::from_bytes([number; 32])
}

async fn write<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write(work).await.unwrap()
}

async fn prepare(store: &Store) {
    store.migrate().await.unwrap();
    fill(store).await;
}

async fn fill(store: &Store) {
    write(store, |tx| {
        users::insert(tx, &user())?;
        sessions::insert(tx, &session())?;
        clients::insert(tx, &client())
    })
    .await;
}

#[tokio::test]
async fn two_secrets_are_good_during_an_overlap_and_never_three() {
    on_both(|store| async move {
        prepare(&store).await;
        let good = async |now: i64| {
            let secrets = write(&store, move |tx| clients::list_secrets(tx, "shop", at(now))).await;
            secrets.iter().map(|secret| secret.hash.as_bytes()[0]).collect::<Vec<_>>()
        };
        write(&store, |tx| clients::insert_secret(tx, "shop", &hash(1), at(0))).await;
        assert_eq!(good(0).await, [1]);
        write(&store, |tx| clients::rotate_secret(tx, "shop", &hash(2), at(1_000), at(10))).await;
        assert_eq!(good(999).await, [2, 1]);
        assert_eq!(good(1_000).await, [2]);
        write(&store, |tx| clients::rotate_secret(tx, "shop", &hash(3), at(2_000), at(20))).await;
        assert_eq!(good(20).await, [3, 2]);
        assert_eq!(write(&store, |tx| clients::delete_expired_secrets(tx, at(2_000), 10)).await, 1);
        assert_eq!(good(20).await, [3]);
        assert_eq!(write(&store, |tx| clients::delete_secrets(tx, "shop")).await, 1);
        assert_eq!(good(20).await, [0; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_client_changes_only_from_what_the_caller_saw() {
    on_both(|store| async move {
        prepare(&store).await;
        assert!(write(&store, |tx| clients::update(tx, "shop", "{}", "{\"a\":1}", at(5))).await);
        assert!(!write(&store, |tx| clients::update(tx, "shop", "{}", "{\"a\":2}", at(6))).await);
        let row = write(&store, |tx| clients::find(tx, "shop")).await.unwrap();
        assert_eq!((row.metadata.as_str(), row.created_at, row.updated_at), ("{\"a\":1}", at(0), at(5)));
        assert!(!write(&store, |tx| clients::touch(tx, "other", at(7))).await);
        let second = ClientRow { id: "till".to_owned(), ..client() };
        write(&store, move |tx| clients::insert(tx, &second)).await;
        let ids = async |after: &'static str, limit| {
            let rows = write(&store, move |tx| clients::list(tx, after, limit)).await;
            rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
        };
        assert_eq!(ids("", 10).await, ["shop", "till"]);
        assert_eq!((ids("", 1).await, ids("shop", 10).await), (vec!["shop".to_owned()], vec!["till".to_owned()]));
    })
    .await;
}

/// Proves: A-82, V10.4.2
#[tokio::test]
async fn a_code_is_used_once_and_in_time() {
    on_both(|store| async move {
        prepare(&store).await;
        write(&store, |tx| authorization_codes::insert(tx, &hash(1), &code())).await;
        write(&store, |tx| authorization_codes::insert(tx, &hash(2), &code())).await;
        let found = write(&store, |tx| authorization_codes::find(tx, &hash(1))).await.unwrap();
        assert_eq!((found.grant_id, found.challenge, found.used_at), (GRANT, Some([9; 32]), None));
        assert!(!write(&store, |tx| authorization_codes::take(tx, &hash(2), at(60_000))).await, "it is over");
        assert!(!write(&store, |tx| authorization_codes::take(tx, &hash(3), at(0))).await, "there is none");
        assert!(write(&store, |tx| authorization_codes::take(tx, &hash(1), at(59_999))).await);
        assert!(!write(&store, |tx| authorization_codes::take(tx, &hash(1), at(59_999))).await, "once");
        let found = write(&store, |tx| authorization_codes::find(tx, &hash(1))).await.unwrap();
        assert_eq!(found.used_at, Some(at(59_999)));
        assert_eq!(write(&store, |tx| authorization_codes::delete_expired(tx, at(60_000), 10)).await, 2);
    })
    .await;
}

/// The change of the schema that copies codes into a table of another shape.
#[tokio::test]
async fn codes_that_were_there_are_the_same_after_their_table_was_changed() {
    on_both(|store| async move {
        migrations::run_all(&store, &MIGRATIONS[..11]).await.unwrap();
        fill(&store).await;
        write(&store, |tx| {
            authorization_codes::insert(tx, &hash(1), &code())?;
            authorization_codes::insert(tx, &hash(2), &code())?;
            authorization_codes::take(tx, &hash(2), at(30))?;
            grants::insert(tx, &grant())
        })
        .await;
        let read = async || {
            write(&store, |tx| {
                let code = |tx: &mut Tx<'_>, number| authorization_codes::find(tx, &hash(number));
                Ok(format!("{:?} {:?} {:?}", code(tx, 1)?, code(tx, 2)?, grants::find(tx, GRANT)?))
            })
            .await
        };
        let before = read().await;
        assert!(before.contains("dpop_key: Some([7, 7") && before.contains("used_at: Some("), "{before}");
        store.migrate().await.unwrap();
        assert_eq!(read().await, before);
        let of_nobody = UserId::from_uuid([9; 16]);
        assert_eq!(
            write(&store, move |tx| authorization_codes::delete_of_client(tx, of_nobody, "shop", at(0))).await,
            0
        );
        assert_eq!(write(&store, |tx| authorization_codes::delete_of_client(tx, USER, "shop", at(60_000))).await, 0);
        assert_eq!(write(&store, |tx| authorization_codes::delete_of_client(tx, USER, "shop", at(59_999))).await, 2);
    })
    .await;
}

/// Grants go a day after the day of their end at the latest, never before it.
#[tokio::test]
async fn grants_are_removed_by_the_day_of_their_end() {
    on_both(|store| async move {
        prepare(&store).await;
        write(&store, |tx| grants::insert(tx, &grant())).await;
        let end = grant().expires_at;
        let midnight = Timestamp::from_ms((end.as_ms() / DAY_MS + 1) * DAY_MS);
        assert!(end < midnight && midnight.since_ms(end) <= DAY_MS);
        assert_eq!(write(&store, move |tx| grants::delete_ended(tx, end, 10)).await, 0);
        assert_eq!(write(&store, move |tx| grants::delete_ended(tx, midnight.plus_ms(-1), 10)).await, 0);
        assert_eq!(write(&store, move |tx| grants::delete_ended(tx, midnight, 10)).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_came_of_a_client_or_a_session_goes_with_it() {
    on_both(|store| async move {
        prepare(&store).await;
        let fill = |tx: &mut Tx<'_>| {
            clients::insert_secret(tx, "shop", &hash(7), at(0))?;
            authorization_codes::insert(tx, &hash(1), &code())?;
            grants::insert(tx, &grant())
        };
        let left = async || {
            write(&store, |tx| {
                let code = authorization_codes::find(tx, &hash(1))?.is_some();
                Ok((code, grants::find(tx, GRANT)?.is_some()))
            })
            .await
        };
        write(&store, fill).await;
        assert!(write(&store, |tx| grants::revoke(tx, GRANT, at(9), "code_reused")).await);
        assert!(!write(&store, |tx| grants::revoke(tx, GRANT, at(10), "code_reused")).await);
        let revoked = write(&store, |tx| grants::find(tx, GRANT)).await.unwrap();
        assert_eq!((revoked.revoked_at, revoked.session_id), (Some(at(9)), Some(SESSION)));
        assert!(write(&store, |tx| clients::delete(tx, "shop")).await);
        assert!(!write(&store, |tx| clients::delete(tx, "shop")).await);
        assert_eq!(left().await, (false, false));
        write(&store, |tx| clients::insert(tx, &client())).await;
        write(&store, fill).await;
        assert_eq!(left().await, (true, true));
        assert_eq!(write(&store, |tx| sessions::delete_ended(tx, at(1_000_000), 10)).await, 1);
        // Whoever uses the code finds no session; its row goes after its time.
        assert_eq!(left().await, (true, false));
    })
    .await;
}
