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
use self::page::Page;
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
        }
    }

    /// Whether requests should wait for the first page: none has come, and the start was a moment ago.
    pub(crate) fn is_waiting(&self, now_ms: i64) -> bool {
        let first_page_ms = i64::try_from(FIRST_PAGE.as_millis()).unwrap_or(i64::MAX);
        !self.has_begun.load(Ordering::Acquire) && now_ms.saturating_sub(self.started_ms) < first_page_ms
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
        if !self.has_begun.load(Ordering::Acquire) {
            // Whoever waited in vain is told by `check`.
            let _ = tokio::time::timeout(FIRST_PAGE, begun).await;
        }
    }

    /// Whether nothing has been known for longer than is allowed.
    pub(crate) fn is_lost(&self, now_ms: i64) -> bool {
        match self.outage {
            Outage::RefuseAfter(limit) => {
                let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
                now_ms.saturating_sub(self.known_until_ms.load(Ordering::Acquire)) > limit_ms
            }
            Outage::Accept => false,
        }
    }

    /// Whether a token has not been revoked, as far as anybody knows.
    pub(crate) fn check(&self, token: &AccessToken, now_ms: i64) -> Result<(), Refusal> {
        if self.is_lost(now_ms) {
            return Err(Refusal::Unavailable(Unavailable::Revocations));
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

    fn concerns(&self, token: &AccessToken) -> bool {
        let issued_at = token.issued_at().unwrap_or(i64::MIN);
        // Of such a token nobody knows whether it was revoked; whoever holds it can have a new one.
        if issued_at < self.complete_since.load(Ordering::Acquire) {
            return true;
        }
        items_of(token).any(|item| match self.list.find(&item) {
            None => false,
            // These go on to live, with tokens issued later.
            Some(at) if matches!(item.kind, Kind::Client | Kind::Subject) => issued_at <= at,
            Some(_) => true,
        })
    }

    /// Takes a page in. `age` is how old its knowledge was when it came.
    pub(crate) fn apply(&self, page: &Page, now_ms: i64, age: Duration) {
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
            self.known_until_ms.fetch_max(now_ms.saturating_sub(age_ms), Ordering::AcqRel);
            self.has_begun.store(true, Ordering::Release);
            self.begun.notify_waiters();
        }
        if now_ms.saturating_sub(self.purged_ms.load(Ordering::Relaxed)) >= PURGE_EVERY_MS {
            self.purged_ms.store(now_ms, Ordering::Relaxed);
            self.list.delete_before(page.complete_since.saturating_sub(KEPT_LONGER_S));
        }
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
