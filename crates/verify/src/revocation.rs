//! What an issuer revoked before its time, and whether a token is concerned.

mod follower;
mod list;
mod page;
mod settings;
mod watch;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

pub(crate) use self::follower::{Follower, Source};
use self::list::{Item, Kind, List};
use self::page::{Page, is_to_come};
pub use self::settings::{Outage, RevocationFeed};
pub(crate) use self::watch::{Watch, Watchers};
use crate::claims::Claims;
use crate::keys::VerifyingKey;
use crate::refusal::{Reason, Refusal, Unavailable};
use crate::verifier::AccessToken;

/// How long a request waits for the first page after the start; the pages after it are never waited for.
const FIRST_PAGE: Duration = Duration::from_secs(5);
/// Entries are kept for this much longer than the issuer lists them, for clocks that differ.
const KEPT_LONGER_S: i64 = 60;
/// No more are kept: twice what a Doorward server lists, in 32 bytes each.
const MOST_ENTRIES: usize = 4_000_000;
/// A clock that is set back by no more is not noticed.
const CLOCK_STEP_MS: i64 = 1_000;
/// Entries that are over are dropped this often.
const PURGE_EVERY_MS: i64 = 30_000;

/// What is known of what an issuer revoked.
pub(crate) struct Revocations {
    list: List,
    watchers: Watchers,
    /// Moves with every page that lists something.
    version: AtomicU64,
    /// Until when the issuer's knowledge is known here, by the clock here.
    known_until_ms: AtomicI64,
    /// Revocations of tokens issued before are not all listed.
    complete_since: AtomicI64,
    purged_ms: AtomicI64,
    has_begun: AtomicBool,
    begun: Notify,
    started_ms: i64,
    outage: Outage,
    most_entries: usize,
}

impl Revocations {
    /// The version of tokens that were held against nothing yet.
    pub(crate) const NEVER_CHECKED: u64 = 0;

    /// Nothing is known yet.
    pub(crate) fn new(outage: Outage, now_ms: i64) -> Self {
        Self {
            list: List::default(),
            watchers: Watchers::default(),
            version: AtomicU64::new(Self::NEVER_CHECKED + 1),
            known_until_ms: AtomicI64::new(i64::MIN),
            complete_since: AtomicI64::new(i64::MIN),
            purged_ms: AtomicI64::new(now_ms),
            has_begun: AtomicBool::new(false),
            begun: Notify::new(),
            started_ms: now_ms,
            outage,
            most_entries: MOST_ENTRIES,
        }
    }

    /// Whether requests should wait for the first page: none has come, and the start was a moment ago.
    pub(crate) fn is_waiting(&self, now_ms: i64) -> bool {
        let first_page_ms = i64::try_from(FIRST_PAGE.as_millis()).unwrap_or(i64::MAX);
        // Before the start means that the clock was set back.
        !self.has_begun() && (0..first_page_ms).contains(&now_ms.saturating_sub(self.started_ms))
    }

    /// Whether a first page has come, or the last of several that came first.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Acquire)
    }

    /// Whether everything that a key signed is worth nothing.
    pub(crate) fn is_revoked_key(&self, key: &VerifyingKey) -> bool {
        key.kid().is_some_and(|kid| self.list.find(&Item::of(Kind::Key, kid)).is_some())
    }

    /// Waits for the first page, for a while.
    pub(crate) async fn wait_for_first(&self) {
        let mut begun = pin!(self.begun.notified());
        // From here on a first page wakes it, so that none is missed between the question and the wait.
        begun.as_mut().enable();
        if !self.has_begun() {
            // Whoever waited in vain is told by `check`.
            let _ = tokio::time::timeout(FIRST_PAGE, begun).await;
        }
    }

    /// Whether nothing has been known for longer than is allowed. When the clock was set back by more than that, nobody
    /// knows for how long.
    pub(crate) fn is_lost(&self, now_ms: i64) -> bool {
        match self.outage {
            Outage::RefuseAfter(limit) => {
                let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
                let known_for_ms = now_ms.saturating_sub(self.known_until_ms.load(Ordering::Acquire));
                known_for_ms > limit_ms || known_for_ms < limit_ms.saturating_neg().saturating_sub(CLOCK_STEP_MS)
            }
            Outage::Accept => false,
        }
    }

    /// Whether a token has not been revoked, as far as anybody knows.
    pub(crate) fn check(&self, token: &AccessToken, now_ms: i64) -> Result<(), Refusal> {
        if self.is_lost(now_ms) {
            return Err(Refusal::Unavailable(Unavailable::Revocations));
        }
        // With every page, whether it lists something or not: the version need not have moved.
        if self.is_too_old(token) {
            return Err(Reason::Revoked.into());
        }
        // Before the list is read, so that what is added meanwhile is read next time.
        let version = self.version.load(Ordering::Acquire);
        if token.0.was_checked(version) {
            return Ok(());
        }
        if self.concerns(token) {
            return Err(Reason::Revoked.into());
        }
        token.0.note_checked(version);
        Ok(())
    }

    /// Of such a token nobody knows whether it was revoked; whoever holds it can have a new one.
    fn is_too_old(&self, token: &AccessToken) -> bool {
        token.issued_at().unwrap_or(i64::MIN) < self.complete_since.load(Ordering::Acquire)
    }

    fn concerns(&self, token: &AccessToken) -> bool {
        let issued_at = token.issued_at().unwrap_or(i64::MIN);
        items_of(token).any(|item| match self.list.find(&item) {
            None => false,
            // These go on to live, with tokens issued later.
            Some(at) if matches!(item.kind, Kind::Client | Kind::Subject) => issued_at <= at,
            Some(_) => true,
        })
    }

    /// Whether what is known was learned by a clock that ran ahead of that of a page: it was set back since. Then every
    /// token would be refused until that time has come.
    pub(crate) fn is_ahead_of(&self, page: &Page) -> bool {
        is_to_come(self.complete_since.load(Ordering::Acquire), page.issued_at)
    }

    /// Takes the word of a page for how much is known.
    pub(crate) fn set_complete_since(&self, page: &Page) {
        self.complete_since.store(page.complete_since, Ordering::Release);
    }

    /// Takes a page in. `age` is how old its knowledge was when it came.
    pub(crate) fn apply(&self, page: &Page, now_ms: i64, age: Duration) {
        if self.list.len().saturating_add(page.revoked.len()) > self.most_entries {
            self.begin_anew(page);
        }
        for (item, at) in &page.revoked {
            self.list.insert(*item, *at);
        }
        self.complete_since.fetch_max(page.complete_since, Ordering::AcqRel);
        if !page.revoked.is_empty() {
            self.version.fetch_add(1, Ordering::AcqRel);
            self.watchers.wake(page.revoked.iter().map(|(item, _)| item));
        }
        if !page.more {
            let age_ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            let (before, known) = (self.known_until_ms.load(Ordering::Acquire), now_ms.saturating_sub(age_ms));
            // What is known until a time to come was learned before the clock was set back.
            let known = if before > now_ms { known } else { known.max(before) };
            self.known_until_ms.store(known, Ordering::Release);
            self.has_begun.store(true, Ordering::Release);
            self.begun.notify_waiters();
        }
        if !(0..PURGE_EVERY_MS).contains(&now_ms.saturating_sub(self.purged_ms.load(Ordering::Relaxed))) {
            self.purged_ms.store(now_ms, Ordering::Relaxed);
            self.list.delete_before(page.complete_since.saturating_sub(KEPT_LONGER_S));
        }
    }

    /// Forgets what was revoked and refuses every token that it could concern: an issuer that lists more than anybody
    /// can keep does not use up the memory that others share.
    fn begin_anew(&self, page: &Page) {
        tracing::error!(issuer = page.issuer, "too much was revoked: tokens issued before are refused");
        self.complete_since.fetch_max(page.issued_at.saturating_add(1), Ordering::AcqRel);
        self.list.clear();
    }

    /// Entries that are remembered.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Wakes when something of the token is listed.
    pub(crate) fn watch(self: &Arc<Self>, token: &AccessToken) -> Watch {
        Watch::new(Arc::clone(self), items_of(token).collect())
    }
}

/// Everything of a token that can be listed.
fn items_of(token: &AccessToken) -> impl Iterator<Item = Item> {
    let claims: &Claims = token.claims();
    let named = [
        (Kind::Session, claims.session_id()),
        (Kind::Grant, claims.grant_id()),
        (Kind::Token, claims.token_id()),
        (Kind::Client, claims.client_id()),
        (Kind::Subject, claims.subject()),
        (Kind::Key, token.0.key.kid()),
    ];
    named.into_iter().filter_map(|(kind, id)| id.map(|id| Item::of(kind, id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: usize) -> Page {
        let revoked = (0..10).map(|entry| (Item::of(Kind::Session, &format!("{number}/{entry}")), 1_000)).collect();
        let (issuer, cursor) = (String::new(), String::new());
        Page { issuer, issued_at: 1_000, as_of_ms: 1_000_000, complete_since: 100, cursor, more: true, revoked }
    }

    /// Proves: A-121
    #[test]
    fn an_issuer_that_lists_without_end_uses_up_no_memory_and_brings_no_token_back() {
        let mut revocations = Revocations::new(Outage::Accept, 0);
        revocations.most_entries = 100;
        let key = Item::of(Kind::Key, "stolen");
        revocations.apply(&Page { revoked: vec![(key, 1_000)], ..page(0) }, 1_000_000, Duration::ZERO);
        for number in 0..9 {
            revocations.apply(&page(number), 1_000_000, Duration::ZERO);
        }
        assert_eq!(revocations.complete_since.load(Ordering::Acquire), 100);
        assert_eq!(revocations.len(), 91);
        for number in 9..1_000 {
            revocations.apply(&page(number), 1_000_000, Duration::ZERO);
            assert!(revocations.len() <= 100);
        }
        assert_eq!(revocations.complete_since.load(Ordering::Acquire), 1_001, "what was dropped is refused");
        assert!(revocations.list.find(&key).is_some());
    }
}
