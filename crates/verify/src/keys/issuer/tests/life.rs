//! Keys come, stay, change and go.

use super::*;

/// Proves: S-3
#[tokio::test]
async fn keys_are_asked_for_once_in_five_minutes() {
    let scene = Scene::warm().await;
    scene.clock.advance_ms(SOFT_MS - 1);
    assert!(scene.finds("a").await);
    settle().await;
    assert_eq!(scene.client.take_asked(), [""; 0]);
    assert_eq!(scene.observer.take(), []);
    scene.clock.advance_ms(1);
    assert!(scene.finds("a").await);
    assert_eq!(scene.observer.take(), [KeysEvent::ServedStale]);
    settle().await;
    assert_eq!(scene.client.take_asked(), [KEYS]);
    assert_eq!(scene.observer.take(), [KeysEvent::Fetched { took: Duration::ZERO, keys: 1 }]);
    assert!(scene.finds("a").await);
    settle().await;
    assert_eq!(scene.client.take_asked(), [""; 0]);
}

/// Proves: S-3
#[tokio::test]
async fn what_the_issuer_says_of_caching_counts_within_bounds() {
    for (value, expected_ms) in [
        ("max-age=60", 60_000),
        ("max-age=1", 30_000),
        ("no-store", 30_000),
        ("max-age=86400, immutable", SOFT_MS),
        ("max-age=99999999999999999999", SOFT_MS),
        ("nonsense", SOFT_MS),
    ] {
        let scene = Scene::new();
        let document = json!({"keys": [scene.first]}).to_string();
        scene.client.answer(KEYS, Reply::Document(200, vec![("cache-control", value)], document));
        assert!(scene.finds("a").await);
        scene.fetches();
        scene.clock.advance_ms(expected_ms - 1);
        assert!(scene.finds("a").await);
        settle().await;
        assert_eq!(scene.fetches(), 0, "{value}");
        scene.clock.advance_ms(1);
        assert!(scene.finds("a").await);
        settle().await;
        assert_eq!(scene.fetches(), 1, "{value}");
    }
}

/// Proves: S-3, A-118
#[tokio::test]
async fn a_new_key_is_found_at_once_and_a_removed_one_no_longer() {
    let scene = Scene::warm().await;
    let before = scene.keys.current().unwrap();
    scene.publish(&[TestKey::new(Algorithm::Es256).jwk_named("b")]);
    assert!(scene.finds("b").await);
    assert_eq!(scene.fetches(), 1);
    assert!(!scene.finds("a").await);
    assert_eq!(scene.fetches(), 0);
    let after = scene.keys.current().unwrap();
    assert!(after.generation() > before.generation());
    assert_eq!(scene.keys.generation(), after.generation());
    assert_eq!(scene.observer.take().last(), Some(&KeysEvent::UnknownKey));
}

#[tokio::test]
async fn a_key_that_changed_under_its_id_is_another_generation() {
    let scene = Scene::warm().await;
    let before = scene.keys.generation();
    scene.publish(&[TestKey::new(Algorithm::Es256).jwk_named("a")]);
    scene.clock.advance_ms(SOFT_MS);
    assert_eq!(scene.keys.current().map(|set| set.generation()), Some(before));
    settle().await;
    assert_eq!(scene.keys.current().map(|set| set.generation()), Some(before + 1));
}

#[tokio::test]
async fn the_same_keys_again_are_the_same_generation() {
    let scene = Scene::warm().await;
    let before = scene.keys.current().unwrap();
    scene.clock.advance_ms(SOFT_MS);
    scene.keys.current();
    settle().await;
    assert_eq!(scene.fetches(), 1);
    assert!(Arc::ptr_eq(&before, &scene.keys.current().unwrap()));
    scene.clock.advance_ms(SOFT_MS - 1);
    scene.keys.current();
    settle().await;
    assert_eq!(scene.fetches(), 0);
}

/// Proves: A-118
#[tokio::test]
async fn a_wrong_token_does_not_make_anybody_ask_the_issuer() {
    let scene = Scene::warm().await;
    assert!(scene.keys.find(Algorithm::Rs256, Some("a")).await.is_ok());
    assert!(scene.find("").await.is_ok());
    assert!(scene.find(&"k".repeat(1_000_000)).await.is_ok());
    assert_eq!(scene.client.take_asked(), [""; 0]);
    // Nobody was told of an issuer that lacks a key, and the question is still free.
    assert_eq!(scene.observer.take(), []);
    assert!(!scene.finds("b").await);
    assert_eq!(scene.client.take_asked(), [KEYS]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_keys_stale_and_not_eternal() {
    let scene = Scene::warm().await;
    scene.clock.advance_ms(-10 * HARD_MS);
    assert!(scene.finds("a").await);
    settle().await;
    assert_eq!(scene.fetches(), 1);
    scene.client.answer(KEYS, Reply::status(500));
    scene.clock.advance_ms(SOFT_MS);
    assert!(scene.finds("a").await);
    settle().await;
    assert_eq!(scene.fetches(), 1);
    // The pause after that failure lies in the future now.
    scene.clock.advance_ms(-10 * HARD_MS);
    assert!(scene.finds("a").await);
    settle().await;
    assert_eq!(scene.fetches(), 1);
}

/// Proves: S-3
#[tokio::test]
async fn refreshes_are_spread_within_a_tenth() {
    let cache = Cache::new(&KeySettings::new(ISSUER));
    let times: std::collections::HashSet<_> = (0..200).map(|_| cache.fresh_ms(None)).collect();
    assert!(times.iter().all(|ms| (SOFT_MS - SOFT_MS / 10..=SOFT_MS).contains(ms)), "{times:?}");
    assert!(times.len() > 150, "{times:?}");
}
