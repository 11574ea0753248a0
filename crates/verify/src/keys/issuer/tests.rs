//! The keys of an issuer that answers, is slow, lies, or is gone. The clock is moved by hand; nothing sleeps.

mod crowd;
mod documents;
mod life;
mod outage;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::keys::test_keys::TestKey;
use crate::testing::{ManualClock, Remembering, Reply, ScriptedClient};

const ISSUER: &str = "https://id.example";
const DISCOVERY: &str = "https://id.example/.well-known/openid-configuration";
const KEYS: &str = "https://id.example/keys";
const SOFT_MS: i64 = 5 * 60 * 1_000;
const HARD_MS: i64 = 24 * 60 * 60 * 1_000;

/// An issuer with one key, `a`, and a reader of its keys that has not asked yet.
struct Scene {
    client: Arc<ScriptedClient>,
    clock: Arc<ManualClock>,
    observer: Arc<Remembering>,
    keys: IssuerKeys,
    first: Value,
}

impl Scene {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut KeySettings)) -> Self {
        let mut settings = KeySettings { jitter_percent: 0, ..KeySettings::new(ISSUER) };
        change(&mut settings);
        let (client, clock) = (Arc::new(ScriptedClient::new()), Arc::new(ManualClock::new()));
        let observer = Arc::new(Remembering::default());
        let first = TestKey::new(Algorithm::Es256).jwk_named("a");
        let keys = IssuerKeys::new(settings, client.clone(), clock.clone(), observer.clone());
        client.answer(DISCOVERY, Reply::json(&json!({"issuer": ISSUER, "jwks_uri": KEYS})));
        let scene = Self { client, clock, observer, keys, first };
        scene.publish(std::slice::from_ref(&scene.first));
        scene
    }

    /// A scene whose keys are known.
    async fn warm() -> Self {
        let scene = Self::new();
        scene.find("a").await.unwrap();
        scene.client.take_asked();
        scene.observer.take();
        scene
    }

    fn publish(&self, keys: &[Value]) {
        self.client.answer(KEYS, Reply::json(&json!({ "keys": keys })));
    }

    async fn find(&self, kid: &str) -> Result<Arc<KeySet>, KeysUnavailable> {
        self.keys.find(Algorithm::Es256, Some(kid)).await
    }

    /// Whether a token that names this key could be checked.
    async fn finds(&self, kid: &str) -> bool {
        let set = self.find(kid).await;
        set.is_ok_and(|set| set.candidates(Algorithm::Es256, Some(kid)).next().is_some())
    }

    /// How often the keys were asked for since the last look.
    fn fetches(&self) -> usize {
        self.client.take_asked().iter().filter(|address| *address == KEYS).count()
    }
}

/// Lets all tasks of this test's one thread get as far as they can.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
