//! What hangs on a client: secrets and grants, on both databases.

use doorward_model::id::{FamilyId, GrantId, SessionId, UserId};
use doorward_model::secret::TokenHash;
use doorward_model::time::{DAY_MS, Timestamp};

use super::support::on_both;
use crate::clients::{self, ClientRow};
use crate::consents::{self, Generations};
use crate::grants::{self, Grant};
use crate::migrations::{self, MIGRATIONS};
use crate::sessions::{self, Session};
use crate::token_families::{self, Renewed, TokenFamily};
use crate::users::{self, User};
use crate::{Statement, Store, StoreError, Tx};

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

fn family(number: u8, renews: Renewed) -> TokenFamily {
    TokenFamily {
        id: FamilyId::from_uuid([number; 16]),
        renews,
        salt: vec![number; 16],
        issued: 4,
        presented: 3,
        issued_at: at(5),
        rotation: "recover".to_owned(),
        network: Some(vec![6]),
        dpop_key: Some([7; 32]),
        expires_at: at(8),
        revoked_at: None,
    }
}

/// All of a family that a change of the schema could lose.
fn told(family: TokenFamily) -> String {
    let TokenFamily { id, renews, salt, issued, presented, issued_at, rotation, network, dpop_key, expires_at, .. } =
        family;
    format!(
        "{id:?} {renews:?} {salt:?} {issued} {presented} {issued_at:?} {rotation} {network:?} {dpop_key:?} {expires_at:?}"
    )
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

/// Proves: A-83, V10.4.2
#[tokio::test]
async fn a_grant_is_added_once() {
    on_both(|store| async move {
        prepare(&store).await;
        assert!(write(&store, |tx| grants::insert(tx, &grant())).await);
        let other = Grant { scope: "email".to_owned(), ..grant() };
        assert!(!write(&store, move |tx| grants::insert(tx, &other)).await, "there is one of its id");
        assert_eq!(write(&store, |tx| grants::find(tx, GRANT)).await.unwrap().scope, "openid");
    })
    .await;
}

/// Proves: A-84, V10.4.9
#[tokio::test]
async fn a_client_that_was_kept_out_is_another_one_afterwards() {
    on_both(|store| async move {
        prepare(&store).await;
        let hold = async |generation| write(&store, move |tx| clients::hold(tx, "shop", generation)).await;
        assert_eq!((hold(0).await, hold(1).await), (true, false));
        assert!(write(&store, |tx| clients::disable(tx, "shop", at(1))).await);
        assert_eq!((hold(0).await, hold(1).await), (false, false), "it is kept out");
        assert!(!write(&store, |tx| clients::disable(tx, "shop", at(2))).await);
        assert!(write(&store, |tx| clients::enable(tx, "shop", at(3))).await);
        assert_eq!((hold(0).await, hold(2).await), (false, true));
        assert!(!hold(1).await, "what was asked for before it was kept out, and answered while it was");
        assert!(!write(&store, |tx| clients::hold(tx, "other", 0)).await);
    })
    .await;
}

static CONSENT: Statement = Statement::new(
    "tests::CONSENT",
    "INSERT INTO consents (user_id, client_id, scope, resources, granted_at, last_used_at) VALUES ($1, 'shop', 'openid', '[]', 7, 8)",
);

/// The changes of the schema that copy and drop tables.
#[tokio::test]
async fn what_was_there_is_the_same_after_the_schema_was_changed() {
    on_both(|store| async move {
        migrations::run_all(&store, &MIGRATIONS[..11]).await.unwrap();
        fill(&store).await;
        write(&store, |tx| {
            tx.execute_expecting(&CONSENT, &[(&USER.to_string()).into()], 1)?;
            grants::insert(tx, &grant())?;
            token_families::insert(tx, &family(1, Renewed::Grant(GRANT)))?;
            token_families::insert(tx, &family(2, Renewed::Session(SESSION)))
        })
        .await;
        let read = async || {
            write(&store, |tx| {
                let of_grant = token_families::find_with_grant(tx, FamilyId::from_uuid([1; 16]))?;
                let of_session = token_families::find_with_session(tx, FamilyId::from_uuid([2; 16]))?;
                let families = [of_grant.map(|(family, _)| family), of_session.map(|(family, _)| family)];
                Ok(format!("{:?} {:?}", grants::find(tx, GRANT)?, families.map(|family| family.map(told))))
            })
            .await
        };
        let before = read().await;
        assert!(before.starts_with("Some(") && before.matches("recover").count() == 2, "{before}");
        store.migrate().await.unwrap();
        assert_eq!(read().await, before);
        assert!(write(&store, |tx| clients::hold(tx, "shop", 0)).await);
        let (consent, generations) = write(&store, |tx| consents::find(tx, USER, "shop")).await.unwrap();
        let seen = (consent.scope.as_str(), consent.granted_at, consent.last_used_at);
        assert_eq!(seen, ("openid", Some(Timestamp::from_ms(7)), Timestamp::from_ms(8)));
        assert_eq!(generations, Generations { consent: 0, client: 0 });
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
            grants::insert(tx, &grant())
        };
        let left = async || write(&store, |tx| grants::find(tx, GRANT)).await.is_some();
        write(&store, fill).await;
        assert!(write(&store, |tx| grants::revoke(tx, GRANT, at(9), "code_reused")).await);
        assert!(!write(&store, |tx| grants::revoke(tx, GRANT, at(10), "code_reused")).await);
        let revoked = write(&store, |tx| grants::find(tx, GRANT)).await.unwrap();
        assert_eq!((revoked.revoked_at, revoked.session_id), (Some(at(9)), Some(SESSION)));
        assert!(write(&store, |tx| clients::delete(tx, "shop")).await);
        assert!(!write(&store, |tx| clients::delete(tx, "shop")).await);
        assert!(!left().await);
        write(&store, |tx| clients::insert(tx, &client())).await;
        write(&store, fill).await;
        assert!(left().await);
        assert!(write(&store, |tx| grants::find_held(tx, GRANT)).await.is_some());
        assert_eq!(write(&store, |tx| sessions::delete_ended(tx, at(1_000_000), 10)).await, 1);
        // The row goes after its time; without the session it is good for nothing.
        assert!(left().await && write(&store, |tx| grants::find_held(tx, GRANT)).await.is_none());
    })
    .await;
}
