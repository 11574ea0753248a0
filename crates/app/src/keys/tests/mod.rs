//! Keys on both databases, and tokens of every hostile kind.

mod access;
mod algorithms;
mod database;
mod emergency;
mod hostile;
mod lifecycle;
mod start;

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest;
use doorward_model::id::{SessionId, UserId};
use doorward_model::random::Random;
use doorward_model::time::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp};
use doorward_oidc::jose::Algorithm;
use doorward_store::signing_keys::{self, SigningKey};
use doorward_store::{Store, StoreError, Tx};

use super::access_tokens::{AccessGrant, IssuedAccessToken};
use super::rotation::{KeyChange, RotationPlan};
use super::sealing::{MasterKeyText, MasterKeys};
use super::{KeySettings, Keys};

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const AUDIENCE: &str = "https://id.example/api";

/// Repeatable bytes: the hash of seed and position.
pub(crate) struct Seeded {
    seed: u64,
    position: AtomicU64,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, position: AtomicU64::new(0) }
    }
}

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let position = self.position.fetch_add(1, Ordering::Relaxed);
            let input = [self.seed.to_be_bytes(), position.to_be_bytes()].concat();
            chunk.copy_from_slice(&digest::digest(&digest::SHA256, &input).as_ref()[..chunk.len()]);
        }
    }
}

/// When the tests begin.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_ms(20_000 * DAY_MS)
}

pub(crate) fn master_text(seed: u64) -> String {
    MasterKeyText::generate(&Seeded::new(seed)).reveal().to_owned()
}

pub(crate) fn masters(seed: u64) -> MasterKeys {
    MasterKeys::parse(master_text(seed).as_bytes()).unwrap()
}

/// A deployment with the one algorithm of our own tokens: what holds for one holds for each.
pub(crate) fn settings() -> KeySettings {
    KeySettings { algorithms: vec![Algorithm::Es256], ..KeySettings::new(ISSUER, AUDIENCE) }
}

/// A node that starts at `now`; each node has random numbers of its own.
pub(crate) async fn node(store: &Store, now: Timestamp, seed: u64) -> Keys {
    Keys::open(store.clone(), masters(1), settings(), now, &Seeded::new(seed)).await.unwrap()
}

/// Carries out a plan as a use case does, then follows.
pub(crate) async fn change(
    keys: &Keys,
    now: Timestamp,
    work: impl Fn(&RotationPlan, &mut Tx<'_>) -> Result<Vec<KeyChange>, StoreError> + Send + 'static,
) -> Vec<KeyChange> {
    // Nodes never draw the same numbers: equal ids would hide a race behind the primary key.
    static SEED: AtomicU64 = AtomicU64::new(1_000);
    let random = Seeded::new(SEED.fetch_add(1, Ordering::Relaxed));
    let plan = keys.plan_rotation(now, &random, &keys.settings().algorithms).unwrap();
    let changes = keys.store.write::<_, StoreError, _>(move |tx| work(&plan, tx)).await.unwrap();
    keys.reload().await.unwrap();
    changes
}

pub(crate) async fn rows(store: &Store) -> Vec<SigningKey> {
    store.read::<_, StoreError, _>(|tx| signing_keys::list(tx, 100)).await.unwrap()
}

pub(crate) fn issue(keys: &Keys, now: Timestamp) -> IssuedAccessToken {
    issue_until(keys, now, now.plus_ms(30 * DAY_MS))
}

pub(crate) fn issue_until(keys: &Keys, now: Timestamp, session_expires_at: Timestamp) -> IssuedAccessToken {
    let amr = ["pwd".to_owned()];
    let grant = AccessGrant {
        subject: UserId::from_uuid([1; 16]),
        session_id: SessionId::from_uuid([2; 16]),
        session_expires_at,
        authenticated_at: now.plus_ms(-MINUTE_MS),
        client_id: "doorward",
        acr: "aal1",
        amr: &amr,
        scope: "account",
    };
    keys.issue_access_token(&grant, now, &Seeded::new(now.as_ms().unsigned_abs())).unwrap()
}

/// `seconds` after the tests begin.
pub(crate) fn at(seconds: i64) -> Timestamp {
    start().plus_ms(seconds * SECOND_MS)
}
