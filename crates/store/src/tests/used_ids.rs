//! Ids of proofs, on both databases.

use doorward_model::secret::TokenHash;
use doorward_model::time::Timestamp;

use super::support::on_both;
use crate::{Store, StoreError, used_ids};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_800_000_000_000 + ms)
}

async fn insert(store: &Store, id: &'static [u8], until: i64) -> bool {
    let result: Result<bool, StoreError> =
        store.write(move |tx| used_ids::insert(tx, &TokenHash::of(id), at(until))).await;
    result.unwrap()
}

#[tokio::test]
async fn an_id_is_taken_once_until_its_time_is_over() {
    on_both(|store| async move {
        store.migrate().await.unwrap();
        assert!(insert(&store, b"one", 100).await);
        assert!(!insert(&store, b"one", 500).await, "a later end changes nothing");
        assert!(insert(&store, b"two", 200).await);
        let delete = async |now: i64, limit: i64| {
            let gone: Result<u64, StoreError> =
                store.write(move |tx| used_ids::delete_expired(tx, at(now), limit)).await;
            gone.unwrap()
        };
        assert_eq!(delete(99, 10).await, 0);
        assert_eq!(delete(100, 10).await, 1);
        assert!(insert(&store, b"one", 300).await);
        assert_eq!(delete(1_000, 1).await, 1, "in batches");
        assert_eq!(delete(1_000, 10).await, 1);
    })
    .await;
}

#[tokio::test]
async fn of_many_at_once_one_shows_an_id_first() {
    on_both(|store| async move {
        store.migrate().await.unwrap();
        let mut shown = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let store = store.clone();
            shown.spawn(async move { insert(&store, b"one", 100).await });
        }
        assert_eq!(shown.join_all().await.into_iter().filter(|is_first| *is_first).count(), 1);
    })
    .await;
}
