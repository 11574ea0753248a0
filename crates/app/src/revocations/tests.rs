//! What looks find, on both databases.

use doorward_model::id::RevocationId;
use doorward_store::{Store, StoreError};

use super::*;
use crate::test_app::{app, op};
use crate::test_database::{at, on_both};

/// Writes `count` entries dated `ms`, whose ids begin with `batch`.
async fn write(store: &Store, batch: u8, count: u32, ms: i64) {
    let written: Result<(), StoreError> = store
        .write(move |tx| {
            for number in 0..count {
                let mut uuid = [batch; 16];
                uuid[12..].copy_from_slice(&number.to_be_bytes());
                let id = RevocationId::from_uuid(uuid);
                revocations::insert(tx, id, RevokedKind::Grant, &id.to_string(), at(ms))?;
            }
            Ok(())
        })
        .await;
    written.unwrap();
}

/// How many entries are told after a look at `ms`.
async fn told(app: &App, ms: i64) -> usize {
    app.poll_revocations(&op(at(ms), 7)).await.unwrap();
    app.feed_gauges().entries
}

/// Proves
#[tokio::test]
async fn a_flood_in_one_second_and_what_is_committed_late_are_told_once() {
    on_both(|store| async move {
        let node = app(&store, at(0)).await;
        assert_eq!(told(&node, 100_000).await, 0);
        // More than one statement reads.
        write(&store, 1, 5_001, 99_500).await;
        assert_eq!(told(&node, 100_100).await, 5_001);
        write(&store, 2, 3, 99_500).await;
        assert_eq!(told(&node, 100_200).await, 5_004);
        // Its request began half a minute ago.
        write(&store, 3, 1, 70_000).await;
        assert_eq!(told(&node, 101_000).await, 5_005);
        assert_eq!(node.revocations.log().excerpt(5_004).unwrap().entries[0].at(), at(70_000));
        for ms in [101_000, 102_000, 159_000, 400_000] {
            assert_eq!(told(&node, ms).await, 5_005, "at {ms}");
        }
        // A node that starts now reads the same, in the order of time.
        let young = app(&store, at(0)).await;
        assert_eq!(told(&young, 400_000).await, 5_005);
        assert_eq!(young.revocations.log().excerpt(0).unwrap().entries[0].at(), at(70_000));
    })
    .await;
}

#[tokio::test]
async fn a_node_that_could_not_look_for_a_while_finds_what_it_missed() {
    on_both(|store| async move {
        let node = app(&store, at(0)).await;
        assert_eq!(told(&node, 1_000_000).await, 0);
        write(&store, 1, 2, 990_000).await;
        write(&store, 2, 2, 1_100_000).await;
        assert_eq!(told(&node, 1_500_000).await, 4);
        // A clock that was set back finds what it knows, and nothing is lost by it.
        write(&store, 3, 1, 1_400_000).await;
        assert!(told(&node, 1_400_000).await >= 5);
    })
    .await;
}
