//! A whole application for this crate's tests, with cheap hashes and repeatable randomness.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use doorward_model::id::RequestId;
use doorward_model::throttle::{SubjectKey, ThrottlePolicy};
use doorward_model::time::Timestamp;
use doorward_store::Store;

use crate::App;
use crate::devices::DeviceCookies;
use crate::hashing::{HashParameters, Hasher, HasherOptions};
use crate::keys::Keys;
use crate::keys::tests::{Seeded, node};
use crate::op::{Actor, Op};
use crate::outbound::Outbound;
use crate::settings::Settings;
use crate::throttle::Throttle;

/// How the tests' applications hash.
pub(crate) fn hashing() -> HasherOptions {
    HasherOptions {
        parameters: HashParameters::new(64, 1, 1).unwrap(),
        workers: NonZeroUsize::MIN,
        queue: 1_024,
        deadline: Duration::from_mins(1),
        idle: Duration::from_mins(1),
        begin: || {},
    }
}

/// A node over `store`.
pub(crate) async fn app(store: &Store, now: Timestamp) -> App {
    app_hashing(store, now, hashing()).await
}

/// A node that hashes in a certain way.
pub(crate) async fn app_hashing(store: &Store, now: Timestamp, hashing: HasherOptions) -> App {
    assemble(store, node(store, now, 1).await, hashing)
}

/// A node that knows these keys.
pub(crate) fn app_with(store: &Store, keys: Keys) -> App {
    assemble(store, keys, hashing())
}

fn assemble(store: &Store, keys: Keys, hashing: HasherOptions) -> App {
    let throttle = Throttle::new(ThrottlePolicy::default(), SubjectKey::new(keys.subject_lookup())).unwrap();
    let (id, key) = keys.known_device();
    let devices = DeviceCookies::new(id, key).unwrap();
    let settings = Settings::new("https://id.example");
    App::new(store.clone(), settings, keys, Hasher::start(hashing).unwrap(), throttle, devices, Outbound::default())
}

/// A request at `now`; `seed` makes its random numbers.
pub(crate) fn op(now: Timestamp, seed: u64) -> Op {
    Op {
        actor: Actor::Anonymous,
        now,
        random: Arc::new(Seeded::new(seed)),
        request_id: RequestId::new(now, &Seeded::new(seed)),
        address: Some(std::net::Ipv4Addr::new(192, 0, 2, 1).into()),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned()),
    }
}
