//! Bounded waiting and the end of a store, on both engines.

use std::future::Future;
use std::time::Duration;

use super::support::{
    Held, INSERT_ITEM, PostgresDatabase, SqliteFile, count_items, create_items, enqueue, insert_item,
};
use crate::{PostgresOptions, SqliteOptions, Store, StoreError};

/// Each engine with one writing thread, a short queue and little patience.
async fn on_narrow<F: Future<Output = ()>>(queue: usize, patience: Duration, test: impl Fn(Store) -> F) {
    let file = SqliteFile::new();
    test(file.open_with(&SqliteOptions { queue, acquire_timeout: patience, ..SqliteOptions::default() })).await;
    let database = PostgresDatabase::new();
    let options = PostgresOptions { connections: 1, queue, acquire_timeout: patience, ..PostgresOptions::default() };
    test(database.open_with(&options)).await;
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    on_narrow(2, Duration::from_mins(1), |store| async move {
        create_items(&store).await;
        let held = Held::writer(&store).await;
        let first = enqueue(&store, |tx| tx.execute(&INSERT_ITEM, &[1_i64.into()])).await;
        let second = enqueue(&store, |tx| tx.execute(&INSERT_ITEM, &[2_i64.into()])).await;
        assert!(matches!(insert_item(&store, 3).await, Err(StoreError::Unavailable)));
        held.release().await;
        first.await.unwrap().unwrap();
        second.await.unwrap().unwrap();
        assert_eq!(count_items(&store).await, 2);
    })
    .await;
}

/// Proves: S-228
#[tokio::test]
async fn whoever_waits_too_long_is_refused_while_the_thread_is_still_busy() {
    on_narrow(100, Duration::from_millis(30), |store| async move {
        create_items(&store).await;
        let held = Held::writer(&store).await;
        assert!(matches!(insert_item(&store, 1).await, Err(StoreError::Unavailable)));
        assert!(matches!(insert_item(&store, 2).await, Err(StoreError::Unavailable)));
        held.release().await;
        assert_eq!(count_items(&store).await, 0, "what was refused never runs");
        insert_item(&store, 3).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn closing_commits_what_was_accepted_and_refuses_the_rest() {
    on_narrow(100, Duration::from_mins(1), |store| async move {
        create_items(&store).await;
        let held = Held::writer(&store).await;
        let mut accepted = Vec::new();
        for id in 0..10_i64 {
            accepted.push(enqueue(&store, move |tx| tx.execute(&INSERT_ITEM, &[id.into()])).await);
        }
        let closing = tokio::spawn({
            let store = store.clone();
            async move { store.close().await }
        });
        // On this single-threaded runtime the closing task now runs until it waits.
        tokio::task::yield_now().await;
        assert!(matches!(insert_item(&store, 100).await, Err(StoreError::Closed)));
        assert!(!closing.is_finished());
        held.release().await;
        for task in accepted {
            task.await.unwrap().unwrap();
        }
        closing.await.unwrap();
        assert!(matches!(insert_item(&store, 101).await, Err(StoreError::Closed)));
    })
    .await;
}
