//! What people let clients have, on both databases.

use doorward_model::id::UserId;
use doorward_model::time::Timestamp;

use super::support::on_both;
use crate::clients::{self, ClientRow};
use crate::consents::{self, Consent, Generations};
use crate::users::{self, User};
use crate::{Store, StoreError, Tx};

const USER: UserId = UserId::from_uuid([1; 16]);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_800_000_000_000 + ms)
}

async fn write<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write(work).await.unwrap()
}

async fn prepare(store: &Store) {
    store.migrate().await.unwrap();
    write(store, |tx| {
        let email = "owner@example.com".to_owned();
        users::insert(tx, &User::new(USER, email.clone(), email, at(0)))?;
        let (id, metadata) = ("shop".to_owned(), "{}".to_owned());
        clients::insert(tx, &ClientRow { id, metadata, created_at: at(0), updated_at: at(0), disabled_at: None })
    })
    .await;
}

fn held(scope: &str, granted_at: Option<Timestamp>, last_used_at: Timestamp) -> Consent {
    let (client_id, resources) = ("shop".to_owned(), "[]".to_owned());
    Consent { user_id: USER, client_id, scope: scope.to_owned(), resources, granted_at, last_used_at }
}

#[tokio::test]
async fn a_consent_is_held_replaced_and_used_only_as_it_was_seen() {
    on_both(|store| async move {
        prepare(&store).await;
        assert_eq!(write(&store, |tx| consents::find(tx, USER, "shop")).await, None);
        assert_eq!(write(&store, |tx| consents::lock(tx, USER, "shop", at(1), 5)).await, held("", None, at(1)));
        let given = held("openid", Some(at(2)), at(2));
        write(&store, move |tx| consents::update(tx, &held("openid", Some(at(2)), at(2)))).await;
        assert_eq!(write(&store, |tx| consents::lock(tx, USER, "shop", at(9), 6)).await, given, "it stays as it is");
        assert!(write(&store, |tx| consents::note_use(tx, USER, "shop", 5, at(3))).await);
        assert!(!write(&store, |tx| consents::note_use(tx, USER, "shop", 6, at(4))).await, "another one");
        let (found, generations) = write(&store, |tx| consents::find(tx, USER, "shop")).await.unwrap();
        assert_eq!((found.granted_at, found.last_used_at), (Some(at(2)), at(3)));
        assert_eq!(generations, Generations { consent: 5, client: 0 });
        assert!(write(&store, |tx| consents::delete(tx, USER, "shop")).await);
        assert!(!write(&store, |tx| consents::note_use(tx, USER, "shop", 5, at(5))).await, "it was taken back");
        write(&store, |tx| consents::lock(tx, USER, "shop", at(6), 7)).await;
        assert!(!write(&store, |tx| consents::note_use(tx, USER, "shop", 5, at(6))).await, "this is another one");
        write(&store, |tx| clients::delete(tx, "shop")).await;
        assert_eq!(write(&store, |tx| consents::find(tx, USER, "shop")).await, None, "it goes with its client");
    })
    .await;
}
