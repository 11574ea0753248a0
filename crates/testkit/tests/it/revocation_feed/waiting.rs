//! Waiting for news: who is woken, who may wait, and what ends it.

use doorward_testkit::{World, both};
use serde_json::json;
use tokio::task::JoinSet;

use super::follower::{Follower, Page, request};
use crate::credentials::poll;
use crate::provider::relying_party::RelyingParty;
use crate::provider::renewal::{granted, renewing};
use crate::provider::signed_in;

/// Requests that may wait for one client.
const MOST_OF_ONE: usize = 64;

async fn until_waiting(world: &World, requests: usize) {
    while world.app().feed_gauges().waiters < requests {
        tokio::task::yield_now().await;
    }
}

/// Lets whoever was woken go on. Nothing stands between them and their answer, so a few turns are enough; whoever was not
/// woken waits for twenty seconds.
async fn let_go_on(world: &World) {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.app().feed_gauges().waiters, 0);
}

async fn waiting(follower: &Follower, page: &Page) -> Page {
    follower.page(&format!("?cursor={}&wait=20", page.cursor)).await
}

/// Proves: S-31, S-193
#[test]
fn a_revocation_wakes_whoever_waits() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        let follower = Follower::register(world).await;
        poll(world).await;
        let tokens = granted(&shop, &mut owner, &[]).await;
        let start = follower.page("").await;
        let (page, ()) = tokio::join!(waiting(&follower, &start), async {
            until_waiting(world, 1).await;
            // A look without news wakes nobody.
            poll(world).await;
            shop.revoke(&tokens.access).await.expect(200);
            // The node knows at once that there is something to look at.
            world.app().revocation_written().await;
            assert_eq!(world.app().feed_gauges().waiters, 1);
            poll(world).await;
            let_go_on(world).await;
        });
        assert!(page.names(&shop, &tokens.access).await);
        assert!(page.as_of > start.as_of && page.as_of >= page.revoked[0].at);
        // What is there already is not waited for.
        assert_eq!(waiting(&follower, &start).await.revoked, page.revoked);
    });
}

/// Proves: S-74
#[test]
fn the_end_of_the_process_waits_for_nobody_who_waits() {
    both(async |world| {
        let follower = Follower::register(world).await;
        poll(world).await;
        let start = follower.page("").await;
        let (page, ()) = tokio::join!(waiting(&follower, &start), async {
            until_waiting(world, 1).await;
            world.app().stop_waiting();
            let_go_on(world).await;
        });
        assert!(page.revoked.is_empty());
        assert!(waiting(&follower, &page).await.revoked.is_empty(), "nobody begins to wait");
    });
}

#[test]
fn only_so_many_wait_for_one_client_and_the_rest_is_answered_at_once() {
    both(async |world| {
        let follower = Follower::register(world).await;
        poll(world).await;
        let start = follower.page("").await;
        let query = format!("?cursor={}&wait=20", start.cursor);
        let mut waiting = JoinSet::new();
        for _ in 0..MOST_OF_ONE {
            let (world, asked) = (world.clone(), request(&query, Some(&follower.token)));
            waiting.spawn(async move { world.send(asked).await });
        }
        until_waiting(world, MOST_OF_ONE).await;
        assert!(follower.page(&query).await.revoked.is_empty());
        assert_eq!(world.app().feed_gauges().waiters, MOST_OF_ONE);
        let other = Follower::register(world).await;
        let (page, ()) = tokio::join!(self::waiting(&other, &start), async {
            until_waiting(world, MOST_OF_ONE + 1).await;
            world.app().stop_waiting();
        });
        assert!(page.revoked.is_empty());
        while let Some(answer) = waiting.join_next().await {
            answer.unwrap().expect(200);
        }
    });
}
