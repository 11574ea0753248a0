//! The public keys of clients: in the registration, or at an address of the client's that is read when it is needed.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use doorward_model::time::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use doorward_oidc::client::{Client, Keys};
use doorward_oidc::jose::KeySet;

use crate::App;
use crate::outbound::ClientDocuments;

/// How long a set is used without asking again.
const KEEP_MS: i64 = 5 * MINUTE_MS;
/// How soon the same address is asked again after a failure, or because no key fits: strangers can make signatures by
/// unknown keys as often as they like.
const AGAIN_MS: i64 = 30 * SECOND_MS;
/// How long the last good set is used while the client's server does not answer.
const STALE_MS: i64 = HOUR_MS;
/// How many addresses are remembered. They all come from registrations.
const MOST_ADDRESSES: usize = 1_000;

/// Sets of keys that were read at addresses of clients, on this node.
#[derive(Default)]
pub(crate) struct ClientKeyCache {
    places: Mutex<HashMap<String, Arc<Place>>>,
}

/// What is known of an address. Whoever holds the lock asks; everybody else waits for the same answer.
type Place = tokio::sync::Mutex<Option<Held>>;

struct Held {
    set: Option<Arc<KeySet>>,
    /// When the set was read.
    read_at: Timestamp,
    /// When the address was last asked.
    asked_at: Timestamp,
}

impl Held {
    /// Whether the address need not be asked again, by somebody who found the right key or who did not.
    fn is_recent(&self, now: Timestamp, lacks_key: bool) -> bool {
        let last_answer_is_good = self.set.is_some() && self.asked_at == self.read_at;
        let keep_ms = if last_answer_is_good && !lacks_key { KEEP_MS } else { AGAIN_MS };
        now.since_ms(self.asked_at) < keep_ms
    }
}

impl ClientKeyCache {
    fn place(&self, address: &str) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(address) {
            return Arc::clone(place);
        }
        if places.len() >= MOST_ADDRESSES {
            // Those in use stay; the others are asked again when they are needed.
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        let place = Arc::default();
        places.insert(address.to_owned(), Arc::clone(&place));
        place
    }

    /// The keys at an address; none when they cannot be had. `lacks_key` asks for a set that may be newer.
    async fn find(
        &self,
        documents: &dyn ClientDocuments,
        address: &str,
        now: Timestamp,
        lacks_key: bool,
    ) -> Option<Arc<KeySet>> {
        let place = self.place(address);
        let mut held = place.lock().await;
        if let Some(held) = held.as_ref().filter(|held| held.is_recent(now, lacks_key)) {
            return held.set.clone();
        }
        let answer = match documents.fetch(address).await {
            Ok(json) => KeySet::parse(&json).map_err(|error| Box::new(error) as Box<dyn Error + Send + Sync>),
            Err(error) => Err(error.into()),
        };
        let (outcome, next) = match answer {
            Ok(set) => ("read", Held { set: Some(Arc::new(set)), read_at: now, asked_at: now }),
            Err(error) => {
                tracing::warn!(error = error.as_ref() as &dyn Error, "the keys of a client cannot be read");
                let last = held.take().filter(|held| now.since_ms(held.read_at) < STALE_MS);
                let read_at = last.as_ref().map_or(Timestamp::from_ms(0), |last| last.read_at);
                ("failed", Held { set: last.and_then(|last| last.set), read_at, asked_at: now })
            }
        };
        metrics::counter!("client_key_sets_total", "outcome" => outcome).increment(1);
        held.insert(next).set.clone()
    }
}

impl App {
    /// Holds something a client signed against its keys; `None` when it has none that can be had. Where no key fits, and
    /// the client keeps them at an address, they are looked at anew, now and then.
    pub(super) async fn check_signature<T: Send, E: Send>(
        &self,
        client: &Client,
        now: Timestamp,
        check: impl Fn(&KeySet) -> Result<T, E> + Send + Sync,
    ) -> Option<Result<T, E>> {
        let address = match client.metadata().keys.as_ref()? {
            Keys::Set(set) => return Some(check(set)),
            Keys::At(address) => address,
        };
        let documents = self.outbound.documents.as_ref();
        let known = self.client_keys.find(documents, address, now, false).await?;
        let first = check(&known);
        if first.is_ok() {
            return Some(first);
        }
        match self.client_keys.find(documents, address, now, true).await {
            Some(newer) if !Arc::ptr_eq(&newer, &known) => Some(check(&newer)),
            _ => Some(first),
        }
    }
}
