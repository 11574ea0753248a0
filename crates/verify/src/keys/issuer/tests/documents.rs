//! What an issuer may answer, and must not.

use super::*;

const OAUTH: &str = "https://id.example/.well-known/oauth-authorization-server";

/// Proves: S-3, A-115, A-119, V9.1.3
#[tokio::test]
async fn documents_that_lie_or_lead_elsewhere_are_not_followed() {
    let metadata = |issuer: &str, jwks_uri: &str| json!({"issuer": issuer, "jwks_uri": jwks_uri});
    for (reply, error) in [
        (Reply::json(&metadata("https://evil.example", KEYS)), KeysUnavailable::Issuer),
        (Reply::json(&metadata("https://id.example/", KEYS)), KeysUnavailable::Issuer),
        (Reply::json(&metadata(ISSUER, "http://id.example/keys")), KeysUnavailable::Address),
        (Reply::json(&metadata(ISSUER, "http://localhost/keys")), KeysUnavailable::Address),
        (Reply::json(&metadata(ISSUER, "file:///etc/keys")), KeysUnavailable::Address),
        (Reply::json(&json!({"issuer": ISSUER})), KeysUnavailable::Document),
        (Reply::json(&json!([ISSUER])), KeysUnavailable::Document),
        (Reply::status(302), KeysUnavailable::Status(302)),
        (Reply::status(401), KeysUnavailable::Status(401)),
    ] {
        let scene = Scene::new();
        scene.client.answer(DISCOVERY, reply.clone());
        assert_eq!(scene.find("a").await, Err(error), "{reply:?}");
        assert_eq!(scene.client.take_asked(), [DISCOVERY], "{reply:?}");
        assert_eq!(scene.keys.metadata().await, Err(error), "{reply:?}");
        assert_eq!(scene.client.take_asked(), [""; 0], "{reply:?}");
    }
}

/// Proves: S-3
#[tokio::test]
async fn a_bad_key_set_takes_nobody_the_good_one() {
    let too_many = vec![TestKey::new(Algorithm::Es256).jwk(); 65];
    let mut private = TestKey::new(Algorithm::Es256).jwk_named("b");
    private["d"] = json!("AAAA");
    let long = format!("{}{}", json!({"keys": [private]}), " ".repeat(KeySet::MAX_BYTES));
    for reply in [
        Reply::json(&json!({ "keys": too_many })),
        Reply::json(&json!({ "keys": [private] })),
        Reply::json(&json!({"keys": []})),
        Reply::json(&json!({"keys": {"a": 1}})),
        Reply::Document(200, Vec::new(), long),
        Reply::Document(200, Vec::new(), format!(r#"{{"keys": {}"#, "[".repeat(200_000))),
        Reply::Document(200, Vec::new(), "<html>".to_owned()),
        Reply::Document(204, Vec::new(), String::new()),
        Reply::Document(206, Vec::new(), json!({"keys": [TestKey::new(Algorithm::Es256).jwk_named("b")]}).to_string()),
        Reply::status(301),
        Reply::status(404),
    ] {
        let scene = Scene::warm().await;
        scene.client.answer(KEYS, reply.clone());
        assert!(!scene.finds("b").await, "{reply:.80?}");
        assert!(scene.finds("a").await, "{reply:.80?}");
        assert_eq!(scene.client.take_asked(), [KEYS], "{reply:.80?}");
        assert_eq!(scene.observer.take()[0], KeysEvent::FetchFailed, "{reply:.80?}");
    }
}

#[tokio::test]
async fn the_form_of_oauth_is_asked_where_there_is_none_of_openid() {
    let scene = Scene::new();
    scene.client.answer(DISCOVERY, Reply::status(404));
    scene.client.answer(OAUTH, Reply::json(&json!({"issuer": ISSUER, "jwks_uri": KEYS})));
    assert!(scene.finds("a").await);
    assert_eq!(scene.client.take_asked(), [DISCOVERY, OAUTH, KEYS]);
}

#[tokio::test]
async fn keys_with_an_address_of_their_own_need_no_discovery() {
    let scene = Scene::with(|settings| settings.jwks_uri = Some(KEYS.to_owned()));
    assert!(scene.finds("a").await);
    assert_eq!(scene.client.take_asked(), [KEYS]);
    assert_eq!(scene.keys.metadata().await.map(|metadata| metadata.jwks_uri.clone()), Ok(KEYS.to_owned()));
    assert_eq!(scene.client.take_asked(), [DISCOVERY]);
}

/// Proves: A-119
#[tokio::test]
async fn settings_that_are_not_https_ask_nobody() {
    for change in [
        |settings: &mut KeySettings| settings.issuer = "http://id.example".to_owned(),
        |settings: &mut KeySettings| settings.issuer = "https://id.example?tenant".to_owned(),
        |settings: &mut KeySettings| settings.issuer = "id.example".to_owned(),
        |settings: &mut KeySettings| settings.jwks_uri = Some("http://id.example/keys".to_owned()),
        |settings: &mut KeySettings| settings.jwks_uri = Some("gopher://id.example/keys".to_owned()),
    ] {
        let mut settings = KeySettings::new(ISSUER);
        change(&mut settings);
        assert_eq!(settings.check(), Err(KeysUnavailable::Address));
        let scene = Scene::with(change);
        assert_eq!(scene.find("a").await, Err(KeysUnavailable::Address));
        assert_eq!(scene.client.take_asked(), [""; 0]);
    }
    assert_eq!(KeySettings::new(ISSUER).check(), Ok(()));
    assert_eq!(KeySettings::new("http://localhost:8080").check(), Ok(()));
}

#[tokio::test]
async fn the_discovery_is_asked_once_an_hour_and_beside_the_way() {
    let scene = Scene::warm().await;
    scene.clock.advance_ms(60 * 60 * 1_000 - 1);
    assert!(scene.keys.metadata().await.is_ok());
    assert_eq!(scene.client.take_asked(), [""; 0]);
    scene.clock.advance_ms(1);
    scene.client.hold();
    // What is known is answered while the newer is on its way.
    assert!(scene.keys.metadata().await.is_ok());
    assert!(scene.keys.metadata().await.is_ok());
    scene.client.release();
    settle().await;
    assert_eq!(scene.client.take_asked(), [DISCOVERY]);
}

/// Proves: S-3
#[tokio::test]
async fn keys_that_moved_are_followed_through_the_discovery() {
    let moved = "https://id.example/moved";
    let scene = Scene::warm().await;
    scene.client.answer(KEYS, Reply::status(404));
    scene.client.answer(moved, Reply::json(&json!({"keys": [scene.first]})));
    scene.client.answer(DISCOVERY, Reply::json(&json!({"issuer": ISSUER, "jwks_uri": moved})));
    scene.clock.advance_ms(SOFT_MS);
    assert!(scene.finds("a").await);
    settle().await;
    assert_eq!(scene.client.take_asked(), [KEYS]);
    scene.clock.advance_ms(3_000);
    assert!(scene.finds("a").await);
    settle().await;
    assert_eq!(scene.client.take_asked(), [DISCOVERY, moved]);
    assert!(matches!(scene.observer.take().last(), Some(KeysEvent::Fetched { .. })));
}

/// Proves: S-3
#[tokio::test]
async fn a_discovery_that_fails_keeps_nobody_from_keys_whose_place_is_known() {
    let scene = Scene::warm().await;
    scene.client.answer(
        DISCOVERY,
        Reply::json(&json!({"issuer": "https://evil.example", "jwks_uri": "https://evil.example/keys"})),
    );
    scene.clock.advance_ms(2 * 60 * 60 * 1_000);
    assert!(scene.finds("a").await);
    settle().await;
    assert_eq!(scene.client.take_asked(), [DISCOVERY, KEYS]);
    assert!(scene.keys.metadata().await.is_ok_and(|metadata| metadata.jwks_uri == KEYS));
}
