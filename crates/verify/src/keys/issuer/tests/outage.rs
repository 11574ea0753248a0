//! An issuer that is slow, gone or broken.

use std::task::{Context, Waker};

use super::*;
use crate::client::ClientError;

/// Proves: S-3, S-4
#[tokio::test(start_paused = true)]
async fn an_issuer_that_never_answers_blocks_nobody_who_has_keys() {
    let scene = Scene::warm().await;
    scene.client.answer(KEYS, Reply::Never);
    scene.clock.advance_ms(SOFT_MS);
    let began = tokio::time::Instant::now();
    for _ in 0..100 {
        assert!(scene.finds("a").await);
        settle().await;
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(scene.fetches(), 1);
    // Whoever wants a key that is not there waits his time, and gets what is known.
    assert!(!scene.finds("b").await);
    assert_eq!(began.elapsed(), Duration::from_secs(5));
}

/// Proves: S-3
#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_five_seconds_for_first_keys() {
    let scene = Scene::new();
    scene.client.answer(DISCOVERY, Reply::Never);
    let began = tokio::time::Instant::now();
    assert_eq!(scene.find("a").await, Err(KeysUnavailable::Timeout));
    assert_eq!(scene.keys.metadata().await, Err(KeysUnavailable::Timeout));
    assert_eq!(began.elapsed(), Duration::from_secs(5));
}

/// Proves: S-3
#[tokio::test(start_paused = true)]
async fn who_does_not_wait_for_a_slow_issuer_finds_its_keys_later() {
    let scene = Scene::new();
    let slow = |document: &Value| Reply::After(3, Box::new(Reply::json(document)));
    scene.client.answer(DISCOVERY, slow(&json!({"issuer": ISSUER, "jwks_uri": KEYS})));
    scene.client.answer(KEYS, slow(&json!({"keys": [scene.first]})));
    let began = tokio::time::Instant::now();
    assert_eq!(scene.find("a").await, Err(KeysUnavailable::Timeout));
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert!(scene.finds("a").await);
    assert_eq!(began.elapsed(), Duration::from_secs(6));
    assert_eq!(scene.client.take_asked(), [DISCOVERY, KEYS]);
}

/// Proves: S-3, S-4
#[tokio::test]
async fn a_failure_is_answered_for_three_seconds_only() {
    let scene = Scene::new();
    scene.client.answer(KEYS, Reply::Fails(ClientError::Connection));
    for _ in 0..10 {
        assert_eq!(scene.find("a").await, Err(ClientError::Connection.into()));
    }
    assert_eq!(scene.fetches(), 1);
    scene.publish(std::slice::from_ref(&scene.first));
    scene.clock.advance_ms(2_999);
    assert!(scene.find("a").await.is_err());
    assert_eq!(scene.fetches(), 0);
    scene.clock.advance_ms(1);
    assert!(scene.finds("a").await);
    assert_eq!(scene.fetches(), 1);
}

/// Proves: S-3
#[tokio::test]
async fn known_keys_outlive_the_issuer_for_a_day_and_no_longer() {
    let scene = Scene::warm().await;
    for reply in [Reply::Fails(ClientError::Connection), Reply::status(500), Reply::json(&json!({"keys": []}))] {
        scene.client.answer(KEYS, reply);
        scene.clock.advance_ms(SOFT_MS);
        assert!(scene.finds("a").await);
        settle().await;
        assert_eq!(scene.fetches(), 1);
    }
    scene.clock.advance_ms(HARD_MS - 3 * SOFT_MS - 1);
    assert!(scene.finds("a").await);
    settle().await;
    scene.clock.advance_ms(1);
    assert_eq!(scene.keys.current(), None);
    assert!(scene.find("a").await.is_err());
    scene.clock.advance_ms(3_000);
    scene.publish(std::slice::from_ref(&scene.first));
    assert!(scene.finds("a").await);
}

/// Proves: S-3
#[tokio::test]
async fn an_issuer_that_fails_is_asked_less_and_less_while_keys_are_known() {
    let scene = Scene::warm().await;
    scene.client.answer(KEYS, Reply::status(500));
    scene.clock.advance_ms(SOFT_MS);
    for failures in 0..15 {
        assert!(scene.keys.current().is_some());
        settle().await;
        assert_eq!(scene.fetches(), 1);
        scene.clock.advance_ms(3_000 * (failures + 1).min(10) - 1);
        assert!(scene.keys.current().is_some());
        settle().await;
        assert_eq!(scene.fetches(), 0, "after {failures}");
        scene.clock.advance_ms(1);
    }
}

/// Proves: S-4
#[tokio::test]
async fn who_stops_waiting_stops_nobody_else() {
    let scene = Scene::new();
    scene.client.hold();
    let spawn = || {
        let keys = scene.keys.clone();
        tokio::spawn(async move { keys.find(Algorithm::Es256, Some("a")).await.map(|set| set.keys().len()) })
    };
    let (first, second) = (spawn(), spawn());
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    settle().await;
    scene.client.release();
    assert_eq!(second.await.unwrap(), Ok(1));
    assert_eq!(scene.client.take_asked(), [DISCOVERY, KEYS]);
}

#[tokio::test]
async fn the_fetch_of_the_only_waiter_who_left_still_comes_home() {
    let scene = Scene::new();
    scene.client.hold();
    let keys = scene.keys.clone();
    let only = tokio::spawn(async move { keys.find(Algorithm::Es256, Some("a")).await });
    settle().await;
    only.abort();
    scene.client.release();
    settle().await;
    assert!(scene.keys.current().is_some());
    assert!(scene.finds("a").await);
    assert_eq!(scene.fetches(), 1);
}

#[tokio::test]
async fn a_client_that_panics_is_a_failure_like_any_other() {
    let scene = Scene::new();
    scene.client.answer(KEYS, Reply::Panics);
    assert_eq!(scene.find("a").await, Err(KeysUnavailable::Interrupted));
    scene.client.answer(DISCOVERY, Reply::Panics);
    scene.clock.advance_ms(SOFT_MS * 20);
    assert_eq!(scene.find("a").await, Err(KeysUnavailable::Interrupted));
    scene.client.answer(DISCOVERY, Reply::json(&json!({"issuer": ISSUER, "jwks_uri": KEYS})));
    scene.publish(std::slice::from_ref(&scene.first));
    scene.clock.advance_ms(3_000);
    assert!(scene.finds("a").await);
}

#[test]
fn without_a_runtime_nothing_panics() {
    let scene = Scene::new();
    let mut context = Context::from_waker(Waker::noop());
    let mut find = Box::pin(scene.find("a"));
    assert_eq!(find.as_mut().poll(&mut context), std::task::Poll::Ready(Err(KeysUnavailable::NoRuntime)));
    assert_eq!(scene.keys.current(), None);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    assert!(runtime.block_on(scene.finds("a")));
    scene.clock.advance_ms(SOFT_MS);
    assert!(scene.keys.current().is_some());
    // The refresh that could not begin is not lost for ever.
    scene.clock.advance_ms(15_000);
    runtime.block_on(async {
        assert!(scene.keys.current().is_some());
        settle().await;
    });
    assert_eq!(scene.fetches(), 2);
}
