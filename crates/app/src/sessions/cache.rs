//! Sessions this node has looked at lately, so that a request costs no query.
//!
//! An entry is used only while the node knows what was revoked elsewhere: the list of revocations is polled
//! every second, and when the last successful poll is more than [`TRUST_MS`] ago every request asks the
//! database instead.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorward_model::id::{SessionId, UserId};
use doorward_model::secret::TokenHash;
use doorward_model::time::{MINUTE_MS, SECOND_MS, Timestamp};
use doorward_store::sessions::Session;

/// How long after a poll of the revocations cached sessions are believed.
const TRUST_MS: i64 = 2 * SECOND_MS;
/// Most entries kept; two generations of half as many.
const GENERATION_SIZE: usize = 50_000;
/// `last_seen_at` is written at most this often per session.
const SEEN_EVERY_MS: i64 = MINUTE_MS;

/// A session as the cache holds it, with its latest use.
pub(crate) struct Live {
    /// The row.
    pub(crate) session: Session,
    last_seen_ms: AtomicI64,
    noted_ms: AtomicI64,
}

impl Live {
    /// When it was last used, as far as this node knows.
    pub(crate) fn last_seen(&self) -> Timestamp {
        Timestamp::from_ms(self.last_seen_ms.load(Ordering::Relaxed))
    }
}

#[derive(Default)]
struct Generations {
    by_id: [HashMap<SessionId, Arc<Live>>; 2],
    by_credential: [HashMap<TokenHash, SessionId>; 2],
}

/// The cache of one node.
pub(crate) struct SessionCache {
    entries: Mutex<Generations>,
    /// Uses that the database does not know of yet.
    seen: Mutex<HashMap<SessionId, Timestamp>>,
    /// Moves with every removal, so that a row read before it is not put in after it.
    removals: AtomicU64,
    trusted_until_ms: AtomicI64,
}

/// What [`SessionCache::insert`] needs to know that nothing was removed since the row was read.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(u64);

impl SessionCache {
    /// An empty cache that is not trusted yet.
    pub(crate) fn new() -> Self {
        Self {
            entries: Mutex::default(),
            seen: Mutex::default(),
            removals: AtomicU64::new(0),
            trusted_until_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// Believes entries for a while: the revocations up to `now` have been applied.
    pub(crate) fn trust(&self, now: Timestamp) {
        self.trusted_until_ms.store(now.plus_ms(TRUST_MS).as_ms(), Ordering::Release);
    }

    fn is_trusted(&self, now: Timestamp) -> bool {
        let until = Timestamp::from_ms(self.trusted_until_ms.load(Ordering::Acquire));
        // Further ahead than a poll can set it, the clock was set back: that says nothing about the last poll.
        (0..=TRUST_MS).contains(&until.since_ms(now))
    }

    /// To be taken before the row is read.
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.removals.load(Ordering::Acquire))
    }

    /// The session with this cookie.
    pub(crate) fn find_by_credential(&self, credential: &TokenHash, now: Timestamp) -> Option<Arc<Live>> {
        if !self.is_trusted(now) {
            return None;
        }
        let entries = lock(&self.entries);
        let [hot, cold] = &entries.by_credential;
        let id = hot.get(credential).or_else(|| cold.get(credential)).copied()?;
        // The session may have a new cookie by now.
        Self::find_locked(entries, id).filter(|live| live.session.credential_hash.as_ref() == Some(credential))
    }

    /// The session with this id.
    pub(crate) fn find(&self, id: SessionId, now: Timestamp) -> Option<Arc<Live>> {
        if !self.is_trusted(now) {
            return None;
        }
        Self::find_locked(lock(&self.entries), id)
    }

    fn find_locked(mut entries: MutexGuard<'_, Generations>, id: SessionId) -> Option<Arc<Live>> {
        if let Some(live) = entries.by_id[0].get(&id) {
            return Some(Arc::clone(live));
        }
        // Used again: it survives the next change of generations.
        let live = entries.by_id[1].remove(&id)?;
        entries.keep(Arc::clone(&live));
        Some(live)
    }

    /// Puts a row in that was read under `ticket`, unless something was removed since.
    pub(crate) fn insert(&self, session: Session, ticket: Ticket) -> Arc<Live> {
        let noted = lock(&self.seen).get(&session.id).copied().unwrap_or(session.last_seen_at);
        let last_seen = noted.max(session.last_seen_at).as_ms();
        let live =
            Arc::new(Live { last_seen_ms: AtomicI64::new(last_seen), noted_ms: AtomicI64::new(last_seen), session });
        let mut entries = lock(&self.entries);
        if self.removals.load(Ordering::Acquire) == ticket.0 {
            entries.keep(Arc::clone(&live));
        }
        live
    }

    /// Notes a use of `live` at `now`.
    pub(crate) fn see(&self, live: &Live, now: Timestamp) {
        live.last_seen_ms.fetch_max(now.as_ms(), Ordering::Relaxed);
        let noted = live.noted_ms.load(Ordering::Relaxed);
        if now.as_ms() - noted >= SEEN_EVERY_MS
            && live.noted_ms.compare_exchange(noted, now.as_ms(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            self.see_later(live.session.id, now);
        }
    }

    /// Notes a use to be written with the next batch.
    pub(crate) fn see_later(&self, id: SessionId, at: Timestamp) {
        let mut seen = lock(&self.seen);
        let noted = seen.entry(id).or_insert(at);
        *noted = at.max(*noted);
    }

    /// Takes the noted uses, to be written.
    pub(crate) fn take_seen(&self) -> Vec<(SessionId, Timestamp)> {
        lock(&self.seen).drain().collect()
    }

    /// Drops sessions that ended.
    pub(crate) fn forget(&self, ids: &[SessionId]) {
        let mut entries = lock(&self.entries);
        self.removals.fetch_add(1, Ordering::AcqRel);
        for id in ids {
            entries.remove(*id);
        }
    }

    /// Drops everything: nobody knows what of it was revoked.
    pub(crate) fn clear(&self) {
        let mut entries = lock(&self.entries);
        self.removals.fetch_add(1, Ordering::AcqRel);
        *entries = Generations::default();
    }

    /// Drops every session of a user.
    pub(crate) fn forget_user(&self, user: UserId) {
        let mut entries = lock(&self.entries);
        self.removals.fetch_add(1, Ordering::AcqRel);
        let theirs: Vec<SessionId> = entries
            .by_id
            .iter()
            .flat_map(HashMap::values)
            .filter(|live| live.session.user_id == user)
            .map(|live| live.session.id)
            .collect();
        for id in theirs {
            entries.remove(id);
        }
    }
}

impl Generations {
    fn keep(&mut self, live: Arc<Live>) {
        if self.by_id[0].len() >= GENERATION_SIZE {
            self.by_id.swap(0, 1);
            self.by_id[0].clear();
            self.by_credential.swap(0, 1);
            self.by_credential[0].clear();
        }
        if let Some(credential) = live.session.credential_hash {
            self.by_credential[0].insert(credential, live.session.id);
        }
        self.by_id[0].insert(live.session.id, live);
    }

    fn remove(&mut self, id: SessionId) {
        for generation in 0..2 {
            if let Some(live) = self.by_id[generation].remove(&id)
                && let Some(credential) = live.session.credential_hash
            {
                self.by_credential[0].remove(&credential);
                self.by_credential[1].remove(&credential);
            }
        }
    }
}

/// A panic while holding the lock cannot leave these maps half-changed in a way that matters: every entry is
/// checked again when it is used.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
