//! The keys of one issuer, fetched once for all who need them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::cache::{Cache, Freshness, NamedBy};
use super::fetch::{self, FetchedKeys};
use super::flight::{Entry, Flight, Ticket};
use super::settings::milliseconds;
use super::{Algorithm, KeySet, KeySettings, KeysUnavailable, Metadata};
use crate::client::HttpClient;
use crate::{Clock, KeysEvent, Observer};

/// The most requests that one fetch makes: two for the discovery, one for the keys.
const MOST_REQUESTS: i64 = 3;

/// The keys of one issuer. Whoever needs a key that is known gets it at once, also while the issuer is slow or gone;
/// whoever needs one that is not known waits, together with all others, for one fetch. Cheap to clone; all clones are
/// one.
#[derive(Clone)]
pub struct IssuerKeys {
    shared: Arc<Shared>,
}

struct Shared {
    settings: KeySettings,
    client: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    cache: Cache,
    keys: Arc<Flight<Arc<KeySet>>>,
    metadata: Arc<Flight<Arc<Metadata>>>,
}

impl IssuerKeys {
    /// Nothing is fetched before somebody asks. [`KeySettings::check`] tells whether anything ever can be.
    pub fn new(
        settings: KeySettings,
        client: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let retry_ms = milliseconds(settings.retry_after_error);
        let cache = Cache::new(&settings);
        let (keys, metadata) = (Arc::new(Flight::new(retry_ms)), Arc::new(Flight::new(retry_ms)));
        Self { shared: Arc::new(Shared { settings, client, clock, observer, cache, keys, metadata }) }
    }

    /// The issuer's name.
    pub fn issuer(&self) -> &str {
        &self.shared.settings.issuer
    }

    /// The keys that are known and may be used, without waiting and without a lock. None before the first fetch and
    /// when the issuer could not be asked for [`KeySettings::hard`]. Stale ones are served while one task fetches newer.
    pub fn current(&self) -> Option<Arc<KeySet>> {
        self.current_at(self.shared.clock.now_ms())
    }

    /// The same for whoever has looked at the clock already.
    pub(crate) fn current_at(&self, now_ms: i64) -> Option<Arc<KeySet>> {
        let (keys, freshness) = self.shared.cache.keys(now_ms)?;
        if freshness == Freshness::Stale {
            self.shared.observer.keys(self.issuer(), KeysEvent::ServedStale);
            self.shared.refresh(now_ms);
        }
        Some(keys)
    }

    /// The keys, among them one for this algorithm and key id if the issuer has one. Waits when no keys are known, and
    /// when this one is not, for which the issuer is asked at most once per [`KeySettings::unknown_kid_every`]. An
    /// answer without such a key is no error here: a token that names it is to be refused.
    pub async fn find(&self, algorithm: Algorithm, kid: Option<&str>) -> Result<Arc<KeySet>, KeysUnavailable> {
        self.find_named(algorithm, kid, NamedBy::Token).await
    }

    /// The same for what the issuer itself answered, which asks for unknown keys on an account of its own.
    pub(crate) async fn find_for_issuer(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<Arc<KeySet>, KeysUnavailable> {
        self.find_named(algorithm, kid, NamedBy::Issuer).await
    }

    async fn find_named(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
        named_by: NamedBy,
    ) -> Result<Arc<KeySet>, KeysUnavailable> {
        match self.current() {
            None => self.shared.first_keys().await,
            Some(keys) if keys.may_lack(algorithm, kid) => {
                Ok(self.shared.keys_with(algorithm, kid, (keys, named_by)).await)
            }
            Some(keys) => Ok(keys),
        }
    }

    /// What the issuer says about itself. Waits only when nothing is known.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, KeysUnavailable> {
        let now_ms = self.shared.clock.now_ms();
        match self.shared.cache.metadata(now_ms) {
            Some((metadata, Freshness::Fresh)) => Ok(metadata),
            Some((metadata, _)) => {
                // Whoever waits for it, nobody here does.
                drop(self.shared.discover(now_ms));
                Ok(metadata)
            }
            None => self.shared.wait(self.shared.discover(now_ms)).await,
        }
    }

    /// Moves whenever the set of keys changed, so that what was checked with them is looked at again. It does not move
    /// when keys grow too old: [`Self::current`] does not give them any more then. Better is
    /// [`KeySet::generation`] of the very set that was used.
    pub fn generation(&self) -> u64 {
        self.shared.cache.generation()
    }
}

impl fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerKeys").field("issuer", &self.issuer()).finish_non_exhaustive()
    }
}

impl Shared {
    /// When nothing is known.
    async fn first_keys(self: &Arc<Self>) -> Result<Arc<KeySet>, KeysUnavailable> {
        let now_ms = self.clock.now_ms();
        let usable = || self.cache.keys(now_ms).map(|(keys, _)| keys);
        let entry = self.enter_keys(now_ms, usable);
        // Somebody may have succeeded, and somebody else failed, since the caller looked.
        self.wait(entry).await.or_else(|error| usable().ok_or(error))
    }

    /// When others are known. They are the answer when there is none with the one that is looked for.
    async fn keys_with(
        self: &Arc<Self>,
        algorithm: Algorithm,
        kid: Option<&str>,
        (known, named_by): (Arc<KeySet>, NamedBy),
    ) -> Arc<KeySet> {
        let now_ms = self.clock.now_ms();
        let mut was_asked_before = false;
        let entry = self.enter_keys(now_ms, || {
            let (newest, _) = self.cache.keys(now_ms)?;
            if !newest.may_lack(algorithm, kid) {
                return Some(newest);
            }
            was_asked_before = !self.cache.takes_unknown_key(named_by, now_ms);
            was_asked_before.then_some(newest)
        });
        // Not within the look above, which holds up everybody else.
        if was_asked_before {
            self.observer.keys(&self.settings.issuer, KeysEvent::UnknownKey);
        }
        self.wait(entry).await.unwrap_or(known)
    }

    /// Fetches newer keys in the background, unless that is being done or was in vain a moment ago.
    fn refresh(self: &Arc<Self>, now_ms: i64) {
        let at_most_ms = milliseconds(self.settings.time).saturating_mul(MOST_REQUESTS);
        if self.cache.takes_refresh(now_ms, at_most_ms) {
            let fresh = || match self.cache.keys(now_ms) {
                Some((keys, Freshness::Fresh)) => Some(keys),
                _ => None,
            };
            drop(self.enter_keys(now_ms, fresh));
        }
    }

    /// Joins the fetch of the keys, or begins it in a task of its own: whoever waits may go away.
    fn enter_keys(self: &Arc<Self>, now_ms: i64, there: impl FnOnce() -> Option<Arc<KeySet>>) -> Entry<Arc<KeySet>> {
        let shared = Arc::clone(self);
        lead(&self.keys, now_ms, there, |ticket, runtime| {
            runtime.spawn(async move {
                let outcome = shared.fetch_keys().await;
                ticket.finish(outcome, shared.clock.now_ms());
            });
        })
    }

    /// The same for the metadata.
    fn discover(self: &Arc<Self>, now_ms: i64) -> Entry<Arc<Metadata>> {
        let shared = Arc::clone(self);
        let fresh = || match self.cache.metadata(now_ms) {
            Some((metadata, Freshness::Fresh)) => Some(metadata),
            _ => None,
        };
        lead(&self.metadata, now_ms, fresh, |ticket, runtime| {
            runtime.spawn(async move {
                let outcome = fetch::metadata(&*shared.client, &shared.settings.issuer, shared.settings.time).await;
                let outcome = outcome.map(|metadata| shared.cache.keep_metadata(metadata, now_ms));
                ticket.finish(outcome, shared.clock.now_ms());
            });
        })
    }

    async fn fetch_keys(self: &Arc<Self>) -> Result<Arc<KeySet>, KeysUnavailable> {
        let begun_ms = self.clock.now_ms();
        let issuer = self.settings.issuer.as_str();
        let fetched = self.ask_for_keys().await;
        let ended_ms = self.clock.now_ms();
        match fetched {
            Ok((fetched, asked_at_ms)) => {
                let keys = fetched.keys.keys().len();
                let kept = self.cache.keep_keys(fetched, asked_at_ms);
                let took = Duration::from_millis(u64::try_from(ended_ms.saturating_sub(begun_ms)).unwrap_or(0));
                self.observer.keys(issuer, KeysEvent::Fetched { took, keys });
                Ok(kept)
            }
            Err(error) => {
                self.cache.note_failure(ended_ms);
                tracing::warn!(issuer, %error, "the keys of an issuer cannot be fetched");
                self.observer.keys(issuer, KeysEvent::FetchFailed);
                Err(error)
            }
        }
    }

    /// The keys, and when they were asked for.
    async fn ask_for_keys(self: &Arc<Self>) -> Result<(FetchedKeys, i64), KeysUnavailable> {
        let discovered;
        let uri = if let Some(uri) = &self.settings.jwks_uri {
            uri
        } else {
            discovered = self.newest_metadata().await?;
            &discovered.jwks_uri
        };
        let asked_at_ms = self.clock.now_ms();
        Ok((fetch::keys(&*self.client, uri, self.settings.time).await?, asked_at_ms))
    }

    /// Fresh metadata if it can be had, else what is known: keys may be had where they always were.
    async fn newest_metadata(self: &Arc<Self>) -> Result<Arc<Metadata>, KeysUnavailable> {
        let now_ms = self.clock.now_ms();
        let entry = match self.cache.metadata(now_ms) {
            Some((metadata, Freshness::Fresh)) => return Ok(metadata),
            _ => self.discover(now_ms),
        };
        // The requests have their own time, which may be twice what anybody else waits.
        let discovered = match entry {
            Entry::Value(metadata) => Ok(metadata),
            Entry::Failed(error) => Err(error),
            Entry::Wait(wait) => wait.outcome().await,
        };
        discovered.or_else(|error| self.cache.metadata(now_ms).map(|(metadata, _)| metadata).ok_or(error))
    }

    /// What an entry comes to in the time that anybody waits.
    async fn wait<T: Clone>(&self, entry: Entry<T>) -> Result<T, KeysUnavailable> {
        match entry {
            Entry::Value(value) => Ok(value),
            Entry::Failed(error) => Err(error),
            Entry::Wait(wait) => match tokio::time::timeout(self.settings.time, wait.outcome()).await {
                Ok(outcome) => outcome,
                Err(_) => Err(KeysUnavailable::Timeout),
            },
        }
    }
}

/// Joins a fetch or begins one.
fn lead<T: Clone>(
    flight: &Arc<Flight<T>>,
    now_ms: i64,
    there: impl FnOnce() -> Option<T>,
    begin: impl FnOnce(Ticket<T>, &Handle),
) -> Entry<T> {
    let Ok(runtime) = Handle::try_current() else { return Entry::Failed(KeysUnavailable::NoRuntime) };
    flight.enter(now_ms, there, |ticket| begin(ticket, &runtime))
}

#[cfg(test)]
mod tests;
