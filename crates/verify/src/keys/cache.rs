//! What is known of an issuer and since when. Reading takes no lock.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::fetch::FetchedKeys;
use super::settings::milliseconds;
use super::{KeySet, KeySettings, Metadata};

/// Where an unknown key is named. Each may make the issuer be asked once in a while, and tokens, which anybody can write,
/// use up nothing of the issuer's own answers.
#[derive(Clone, Copy, Debug)]
pub(super) enum NamedBy {
    Token,
    Issuer,
}

/// Failures in a row make the pauses between refreshes longer, up to this many times the first one.
const MOST_PAUSES: u32 = 10;
/// Never, for a point in time.
const NEVER: i64 = i64::MIN;

/// How something that was fetched may be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    Fresh,
    /// Still good, and to be fetched anew.
    Stale,
    /// Too old to be believed.
    Gone,
}

#[derive(Debug)]
struct Dated<T> {
    value: Arc<T>,
    fetched_at_ms: i64,
    fresh_ms: i64,
}

impl<T> Dated<T> {
    /// Something from the future was fetched before the clock was set back: how old it is, nobody knows.
    fn freshness(&self, now_ms: i64, hard_ms: i64) -> Freshness {
        let age = now_ms.saturating_sub(self.fetched_at_ms);
        if age >= hard_ms {
            Freshness::Gone
        } else if (0..self.fresh_ms).contains(&age) {
            Freshness::Fresh
        } else {
            Freshness::Stale
        }
    }
}

#[derive(Debug)]
pub(super) struct Cache {
    keys: ArcSwapOption<Dated<KeySet>>,
    metadata: ArcSwapOption<Dated<Metadata>>,
    hard_ms: i64,
    soft_ms: i64,
    soft_least_ms: i64,
    metadata_ms: i64,
    retry_ms: i64,
    unknown_every_ms: i64,
    jitter_percent: i64,
    /// Until when no further refresh is begun, and since when that holds.
    refresh_pause: [AtomicI64; 2],
    /// By who asked: see [`NamedBy`].
    unknown_asked_at_ms: [AtomicI64; 2],
    failures: AtomicU32,
    fetches: AtomicU64,
    /// Differs between processes, so that they do not all ask in the same moment. Nothing secret depends on it.
    spread: RandomState,
}

impl Cache {
    pub(super) fn new(settings: &KeySettings) -> Self {
        Self {
            keys: ArcSwapOption::empty(),
            metadata: ArcSwapOption::empty(),
            hard_ms: milliseconds(settings.hard),
            soft_ms: milliseconds(settings.soft),
            soft_least_ms: milliseconds(settings.soft_least),
            metadata_ms: milliseconds(settings.metadata_for),
            retry_ms: milliseconds(settings.retry_after_error),
            unknown_every_ms: milliseconds(settings.unknown_kid_every),
            jitter_percent: i64::from(settings.jitter_percent.min(90)),
            refresh_pause: [AtomicI64::new(NEVER), AtomicI64::new(NEVER)],
            unknown_asked_at_ms: [AtomicI64::new(NEVER), AtomicI64::new(NEVER)],
            failures: AtomicU32::new(0),
            fetches: AtomicU64::new(0),
            spread: RandomState::new(),
        }
    }

    /// The keys that may be used.
    pub(super) fn keys(&self, now_ms: i64) -> Option<(Arc<KeySet>, Freshness)> {
        let dated = self.keys.load();
        let dated = dated.as_ref()?;
        let freshness = dated.freshness(now_ms, self.hard_ms);
        (freshness != Freshness::Gone).then(|| (Arc::clone(&dated.value), freshness))
    }

    /// The newest keys, whether they may be used or not, as a number.
    pub(super) fn generation(&self) -> u64 {
        self.keys.load().as_ref().map_or(0, |dated| dated.value.generation())
    }

    /// The metadata that may be used.
    pub(super) fn metadata(&self, now_ms: i64) -> Option<(Arc<Metadata>, Freshness)> {
        let dated = self.metadata.load();
        let dated = dated.as_ref()?;
        let freshness = dated.freshness(now_ms, self.hard_ms);
        (freshness != Freshness::Gone).then(|| (Arc::clone(&dated.value), freshness))
    }

    pub(super) fn keep_metadata(&self, metadata: Metadata, fetched_at_ms: i64) -> Arc<Metadata> {
        let value = Arc::new(metadata);
        let dated = Dated { value: Arc::clone(&value), fetched_at_ms, fresh_ms: self.metadata_ms };
        self.metadata.store(Some(Arc::new(dated)));
        value
    }

    /// Only one fetch runs at a time, so nobody else stores between the look and the store.
    pub(super) fn keep_keys(&self, fetched: FetchedKeys, fetched_at_ms: i64) -> Arc<KeySet> {
        let fresh_ms = self.fresh_ms(fetched.max_age);
        let value = match self.keys.load().as_ref() {
            Some(known) if known.value.has_same_keys(&fetched.keys) => Arc::clone(&known.value),
            known => {
                let generation = known.map_or(0, |known| known.value.generation());
                Arc::new(fetched.keys.with_generation(generation.saturating_add(1)))
            }
        };
        self.keys.store(Some(Arc::new(Dated { value: Arc::clone(&value), fetched_at_ms, fresh_ms })));
        self.failures.store(0, Ordering::Relaxed);
        self.pause_refreshes(NEVER, NEVER);
        value
    }

    /// No refresh for a while, longer with every failure in a row; and whoever asks for keys next looks whether the
    /// issuer moved them.
    pub(super) fn note_failure(&self, now_ms: i64) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1).min(MOST_PAUSES);
        self.pause_refreshes(now_ms, now_ms.saturating_add(self.retry_ms.saturating_mul(i64::from(failures))));
        if let Some(dated) = self.metadata.load().as_ref() {
            let aged = Dated { value: Arc::clone(&dated.value), fetched_at_ms: dated.fetched_at_ms, fresh_ms: 0 };
            self.metadata.store(Some(Arc::new(aged)));
        }
    }

    /// Whether the caller shall begin a refresh: one among all who ask, until it ended or `at_most_ms` are over.
    pub(super) fn takes_refresh(&self, now_ms: i64, at_most_ms: i64) -> bool {
        let [since, until] = &self.refresh_pause;
        let paused_until = until.load(Ordering::Acquire);
        if (since.load(Ordering::Acquire)..paused_until).contains(&now_ms) {
            return false;
        }
        let next = now_ms.saturating_add(at_most_ms);
        let is_taken = until.compare_exchange(paused_until, next, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if is_taken {
            since.store(now_ms, Ordering::Release);
        }
        is_taken
    }

    /// Whether the issuer may be asked now because of an unknown key. To be called by one at a time.
    pub(super) fn takes_unknown_key(&self, named_by: NamedBy, now_ms: i64) -> bool {
        let last = &self.unknown_asked_at_ms[named_by as usize];
        let asked_at = last.load(Ordering::Relaxed);
        if (0..self.unknown_every_ms).contains(&now_ms.saturating_sub(asked_at)) {
            return false;
        }
        last.store(now_ms, Ordering::Relaxed);
        true
    }

    fn pause_refreshes(&self, since_ms: i64, until_ms: i64) {
        let [since, until] = &self.refresh_pause;
        since.store(since_ms, Ordering::Release);
        until.store(until_ms, Ordering::Release);
    }

    /// As long as the issuer says, within our bounds, less a part that differs from time to time and node to node.
    pub(super) fn fresh_ms(&self, max_age: Option<Duration>) -> i64 {
        let said = max_age.map_or(self.soft_ms, milliseconds);
        let fresh = said.max(self.soft_least_ms).min(self.soft_ms);
        let span = (fresh / 100).saturating_mul(self.jitter_percent);
        let drawn = self.spread.hash_one(self.fetches.fetch_add(1, Ordering::Relaxed)) >> 1;
        let cut = i64::try_from(drawn).unwrap_or(0).checked_rem(span.saturating_add(1)).unwrap_or(0);
        fresh.saturating_sub(cut)
    }
}
