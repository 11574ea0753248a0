//! Many at once.

use super::*;

const CROWD: usize = 1_000;

/// Runs as many look-ups at once and says how many of them found the key.
async fn crowd(scene: &Scene, kid: impl Fn(usize) -> String) -> usize {
    let tasks: Vec<_> = (0..CROWD)
        .map(|at| {
            let (keys, kid) = (scene.keys.clone(), kid(at));
            tokio::spawn(async move {
                let set = keys.find(Algorithm::Es256, Some(&kid)).await;
                set.is_ok_and(|set| set.candidates(Algorithm::Es256, Some(&kid)).next().is_some())
            })
        })
        .collect();
    settle().await;
    scene.client.release();
    let mut found = 0;
    for task in tasks {
        found += usize::from(task.await.unwrap());
    }
    found
}

/// Proves: S-3, S-4, S-182
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_requests_without_keys_make_one_fetch_and_all_get_it() {
    let scene = Scene::new();
    scene.client.hold();
    assert_eq!(crowd(&scene, |_| "a".to_owned()).await, CROWD);
    assert_eq!(scene.client.take_asked(), [DISCOVERY, KEYS]);
}

/// Proves: S-3, S-4, S-182
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_requests_on_keys_that_are_too_old_make_one_fetch_and_all_get_it() {
    let scene = Scene::warm().await;
    scene.clock.advance_ms(HARD_MS);
    scene.client.hold();
    assert_eq!(crowd(&scene, |_| "a".to_owned()).await, CROWD);
    assert_eq!(scene.fetches(), 1);
}

/// Proves: S-3, S-4, S-182
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_requests_on_stale_keys_make_one_fetch_and_wait_for_nothing() {
    let scene = Scene::warm().await;
    scene.clock.advance_ms(SOFT_MS);
    scene.client.hold();
    for _ in 0..CROWD {
        assert!(scene.keys.current().is_some());
        assert!(scene.finds("a").await);
    }
    let keys = scene.keys.clone();
    let beside: Vec<_> = (0..CROWD)
        .map(|_| {
            tokio::spawn({
                let keys = keys.clone();
                async move { keys.current().is_some() }
            })
        })
        .collect();
    for task in beside {
        assert!(task.await.unwrap());
    }
    // Nobody let the issuer answer so far.
    scene.client.release();
    while scene.observer.take().iter().all(|event| !matches!(event, KeysEvent::Fetched { .. })) {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.fetches(), 1);
}

/// Proves: S-3, A-118
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_unknown_key_ids_make_one_fetch_in_thirty_seconds() {
    let scene = Scene::warm().await;
    for window in 0..3 {
        scene.client.hold();
        assert_eq!(crowd(&scene, |at| format!("unknown-{window}-{at}")).await, 0);
        assert_eq!(scene.fetches(), 1, "window {window}");
        scene.clock.advance_ms(29_999);
        assert_eq!(crowd(&scene, |at| format!("later-{window}-{at}")).await, 0);
        assert_eq!(scene.fetches(), 0, "window {window}");
        scene.clock.advance_ms(1);
    }
}

/// Proves: S-4
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_requests_share_one_failure() {
    let scene = Scene::new();
    scene.client.answer(KEYS, Reply::status(503));
    scene.client.hold();
    assert_eq!(crowd(&scene, |_| "a".to_owned()).await, 0);
    assert_eq!(scene.fetches(), 1);
    assert_eq!(scene.find("a").await, Err(KeysUnavailable::Status(503)));
    assert_eq!(scene.fetches(), 0);
}
