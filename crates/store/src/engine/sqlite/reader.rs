//! Reader threads: each closure sees one snapshot and has a time budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::connection::Guarded;
use super::error::translate;
use crate::Tx;
use crate::engine::queue::{Entry, Queue};

pub(super) struct Reader {
    pub(super) guarded: Guarded,
    pub(super) queue: Arc<Queue>,
    pub(super) budget: Duration,
    pub(super) in_use: Arc<AtomicUsize>,
}

impl Reader {
    /// Works until the queue is closed and empty.
    pub(super) fn run(self) {
        while let Some(entry) = self.queue.pop() {
            self.in_use.fetch_add(1, Ordering::Relaxed);
            self.answer(entry);
            self.in_use.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn answer(&self, mut entry: Entry) {
        if let Err(error) = self.command("BEGIN DEFERRED") {
            return entry.work.refuse(translate("begin", &error));
        }
        self.guarded.deadline.set(Some(self.budget));
        entry.work.run(&mut Tx::sqlite(&self.guarded.connection));
        self.guarded.deadline.set(None);
        // Nothing to keep: this only ends the snapshot.
        if !self.guarded.connection.is_autocommit()
            && let Err(error) = self.command("ROLLBACK")
        {
            tracing::error!(store.code = %error, "ending a read failed");
        }
        entry.work.answer();
    }

    fn command(&self, sql: &str) -> Result<(), rusqlite::Error> {
        self.guarded.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}
