//! Reader threads: each closure sees one snapshot and has a time budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::connection::Guarded;
use super::error::translate;
use crate::engine::queue::{Entry, Queue};
use crate::tx::Prepared;
use crate::{Statement, Tx};

static BEGIN: Statement = Statement::new("reader::BEGIN", "BEGIN DEFERRED");
static ROLLBACK: Statement = Statement::new("reader::ROLLBACK", "ROLLBACK");

pub(super) struct Reader {
    pub(super) guarded: Guarded,
    pub(super) queue: Arc<Queue>,
    pub(super) budget: Duration,
    pub(super) in_use: Arc<AtomicUsize>,
}

impl Reader {
    /// Works until the queue is closed and empty.
    pub(super) fn run(self) {
        let mut session = Prepared::new(&self.guarded.connection);
        while let Some((first, last)) = self.queue.pop_first() {
            self.in_use.fetch_add(1, Ordering::Relaxed);
            self.answer(&mut session, first, last);
            self.in_use.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Answers from one snapshot what had been asked before it was taken: `first`, and everything up to `last` that no
    /// other reader has taken. Taking a snapshot costs more than most look-ups.
    fn answer(&self, session: &mut Prepared<'_>, first: Entry, last: u64) {
        if let Err(error) = session.command(&BEGIN) {
            return first.work.refuse(translate("begin", &error));
        }
        let mut next = Some(first);
        while let Some(mut entry) = next {
            self.guarded.deadline.set(Some(self.budget));
            entry.work.run(&mut Tx::sqlite(session));
            self.guarded.deadline.set(None);
            entry.work.answer();
            // An error may have ended the snapshot.
            next = if session.is_autocommit() { None } else { self.queue.pop_until(last) };
        }
        // Nothing to keep: this only ends the snapshot.
        if !session.is_autocommit()
            && let Err(error) = session.command(&ROLLBACK)
        {
            tracing::error!(store.code = %error, "ending a read failed");
        }
    }
}
