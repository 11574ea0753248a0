//! What was revoked, as this node knows it: written with every change that ends something, looked at by every node, and
//! told to whoever accepts tokens.

mod cursor;
mod entries;
mod known;
mod log;
mod pages;
mod waiters;

use std::sync::{Mutex, MutexGuard, PoisonError};

use doorward_model::id::{SessionId, UserId};
use doorward_model::time::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use doorward_store::revocations::{self, After, Revoked, RevokedKind};
use tokio::sync::{Notify, watch};

pub(crate) use cursor::Cursor;
pub(crate) use entries::RevocationBatch;
use known::Known;
use log::Log;
#[cfg(test)]
pub(crate) use pages::PAGE_TYPE;
pub(crate) use pages::PageError;
use pages::Pages;
use waiters::Waiters;

use crate::App;
use crate::failure::Failure;
use crate::op::Op;

/// How far a look goes back behind the one before. Rows are dated when their request began; this covers all the time that a
/// request may take until its commit, and clocks that differ.
const LOOK_BACK_MS: i64 = MINUTE_MS;
/// How long a node may have looked at nothing and still know which of its memories are stale: less than rows are kept.
const MOST_BLIND_MS: i64 = HOUR_MS;
/// Rows that one statement reads.
const ROWS: i64 = 5_000;
/// How much longer than any token lives an entry is told of: clocks differ, and tokens are accepted a little beyond their
/// time.
const LEEWAY_MS: i64 = MINUTE_MS;

/// What this node knows and whom it tells.
pub(crate) struct Revocations {
    /// The looks, one at a time.
    look: tokio::sync::Mutex<Look>,
    log: Mutex<Log>,
    pages: Pages,
    waiters: Waiters,
    /// Raised when this node has written an entry.
    written: Notify,
    tip: watch::Sender<Tip>,
}

/// The feed in numbers.
#[derive(Clone, Copy, Debug)]
pub struct FeedGauges {
    /// Entries that are told.
    pub entries: usize,
    /// Requests that wait for news.
    pub waiters: usize,
    /// When the last look that succeeded began.
    pub looked_at: Option<Timestamp>,
}

/// What those who wait wait for.
#[derive(Clone, Copy, Debug, Default)]
struct Tip {
    /// The position behind the newest entry.
    end: u64,
    /// Nobody is to wait any longer.
    is_closing: bool,
}

#[derive(Default)]
struct Look {
    known: Known,
    /// When the last one that succeeded began.
    looked_at: Option<Timestamp>,
}

impl Revocations {
    /// Nothing is known yet. No token lives longer than `token_ms`.
    pub(crate) fn new(token_ms: i64) -> Self {
        Self {
            look: tokio::sync::Mutex::default(),
            log: Mutex::new(Log::new(token_ms + LEEWAY_MS, LEEWAY_MS)),
            pages: Pages::default(),
            waiters: Waiters::default(),
            written: Notify::new(),
            tip: watch::Sender::default(),
        }
    }

    /// Says that an entry is in the database now.
    pub(crate) fn note_written(&self) {
        self.written.notify_one();
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // Every change of the log is whole before anything in it can panic.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Waits until this node has written a revocation that it has not looked at.
    pub async fn revocation_written(&self) {
        self.revocations.written.notified().await;
    }

    /// What the metrics say of the feed.
    pub fn feed_gauges(&self) -> FeedGauges {
        let waiters = self.revocations.waiters.count();
        let log = self.revocations.log();
        FeedGauges { entries: log.len(), waiters, looked_at: log.looked_at() }
    }

    /// Answers everybody who waits for news, now and from now on: the process is about to end.
    pub fn stop_waiting(&self) {
        self.revocations.tip.send_modify(|tip| tip.is_closing = true);
    }

    /// Looks at what was revoked, here or elsewhere: drops it from what this node remembers, which may then be believed for
    /// a little longer, and puts it in front of those who wait for it.
    ///
    /// A look counts the entries of each second of the last minute and reads only the seconds of which it knows fewer: what
    /// a slow request commits late is found, and a flood is not read sixty times.
    pub async fn poll_revocations(&self, op: &Op) -> Result<(), Failure> {
        let mut look = self.revocations.look.lock().await;
        let now = op.now;
        let last = look.looked_at.filter(|last| now.since_ms(*last) <= MOST_BLIND_MS);
        if last.is_none() && look.looked_at.is_some() {
            self.session_cache.clear();
        }
        let first = now.plus_ms(-self.revocations.log().keep_ms());
        let since = last.map_or(first, |last| last.min(now).plus_ms(-LOOK_BACK_MS));
        let counts = self.store.read(move |tx| revocations::count_by_second(tx, since)).await?;
        for (begin, end) in look.known.spans(&counts) {
            self.read_span(&mut look.known, (begin, end), now).await?;
        }
        look.known.forget_before(now.plus_ms(-LOOK_BACK_MS - SECOND_MS));
        look.looked_at = Some(now);
        let end = {
            let mut log = self.revocations.log();
            log.looked(now, op.random.as_ref());
            log.end()
        };
        self.session_cache.trust(now);
        self.revocations.tip.send_if_modified(|tip| std::mem::replace(&mut tip.end, end) != end);
        Ok(())
    }

    async fn read_span(
        &self,
        known: &mut Known,
        (begin, end): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut after = After { at: begin, id: String::new() };
        loop {
            let from = after.clone();
            let rows = self.store.read(move |tx| revocations::list_between(tx, &from, end, ROWS)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = After { at: last.at, id: last.id.to_string() };
            let is_last = i64::try_from(rows.len()).unwrap_or(ROWS) < ROWS;
            let remember_from = now.plus_ms(-LOOK_BACK_MS - SECOND_MS);
            let new: Vec<Revoked> = rows.into_iter().filter(|row| known.insert(row, remember_from)).collect();
            self.forget_revoked(&new).await?;
            let told: Vec<log::Entry> = new.iter().filter_map(log::Entry::of).collect();
            self.revocations.log().extend(&told);
            if is_last {
                return Ok(());
            }
        }
    }

    /// Drops what was revoked from what this node remembers.
    async fn forget_revoked(&self, revoked: &[Revoked]) -> Result<(), Failure> {
        let mut ids = Vec::new();
        for entry in revoked {
            match entry.kind {
                RevokedKind::Session | RevokedKind::Credential => ids.extend(SessionId::parse(&entry.subject).ok()),
                RevokedKind::User => {
                    if let Ok(user) = UserId::parse(&entry.subject) {
                        self.session_cache.forget_user(user);
                    }
                }
                // What it signed is dead on this node too.
                RevokedKind::Key => self.keys.reload().await?,
                // No node remembers these: each use of one asks the database.
                RevokedKind::Grant | RevokedKind::Token | RevokedKind::Client | RevokedKind::Subject => {}
            }
        }
        if !ids.is_empty() {
            self.session_cache.forget(&ids);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
