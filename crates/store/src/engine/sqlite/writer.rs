//! The one writer: group commit with a savepoint per closure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use super::connection::Guarded;
use super::error::translate;
use crate::engine::queue::{Entry, Queue};
use crate::engine::work::Verdict;
use crate::{StoreError, Tx};

/// Takes everything that waits, runs it in one transaction and answers after the commit is durable.
pub(super) struct Writer {
    pub(super) guarded: Guarded,
    pub(super) queue: Arc<Queue>,
    pub(super) max_batch: usize,
    pub(super) budget: Duration,
    pub(super) last_batch: Arc<AtomicUsize>,
}

/// Where a closure left the transaction that it shares.
enum Step {
    /// Its changes wait for the commit, or it made none.
    Settled,
    /// The whole transaction is lost, with the changes of every closure before this one; this closure's own
    /// result is an error and final.
    LostWithError,
    /// The whole transaction is lost, and this closure has no valid result either.
    Lost,
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(super) fn run(self) {
        let mut batch = Vec::with_capacity(self.max_batch);
        while self.queue.pop_batch(&mut batch, self.max_batch) {
            if batch.is_empty() {
                continue;
            }
            self.last_batch.store(batch.len(), Ordering::Relaxed);
            #[expect(clippy::cast_precision_loss, reason = "a batch has at most a few hundred entries")]
            metrics::histogram!("store_write_batch_size").record(batch.len() as f64);
            self.commit_together(&mut batch);
        }
    }

    fn commit_together(&self, batch: &mut Vec<Entry>) {
        if batch.len() == 1 {
            return batch.drain(..).for_each(|entry| self.commit_alone(entry));
        }
        if let Err(error) = self.command("BEGIN IMMEDIATE") {
            // The file is locked or broken: every closure would meet the same.
            return refuse_all(batch, &error);
        }
        for index in 0..batch.len() {
            let step = self.run_in_savepoint(&mut batch[index]);
            if let Step::Settled = step {
                continue;
            }
            self.roll_back();
            if let Step::LostWithError = step {
                batch.remove(index).work.answer();
            }
            // The others lost their changes without a fault of theirs.
            return self.commit_one_by_one(batch);
        }
        match self.commit() {
            Ok(()) => batch.drain(..).for_each(|entry| entry.work.answer()),
            Err(_) => self.commit_one_by_one(batch),
        }
    }

    fn commit_one_by_one(&self, batch: &mut Vec<Entry>) {
        metrics::counter!("store_retries_total", "reason" => "batch_lost").increment(batch.len() as u64);
        batch.drain(..).for_each(|entry| self.commit_alone(entry));
    }

    fn commit_alone(&self, mut entry: Entry) {
        if let Err(error) = self.command("BEGIN IMMEDIATE") {
            return entry.work.refuse(translate("begin", &error));
        }
        match self.run_closure(&mut entry) {
            Verdict::Keep => match self.commit() {
                Ok(()) => entry.work.answer(),
                Err(error) => entry.work.refuse(error),
            },
            Verdict::Discard => {
                self.roll_back();
                entry.work.answer();
            }
        }
    }

    fn run_in_savepoint(&self, entry: &mut Entry) -> Step {
        if self.command("SAVEPOINT closure").is_err() {
            return Step::Lost;
        }
        let verdict = self.run_closure(entry);
        let lost = if verdict == Verdict::Discard { Step::LostWithError } else { Step::Lost };
        if self.connection().is_autocommit() {
            return lost;
        }
        let ended = match verdict {
            Verdict::Keep => self.command("RELEASE closure"),
            Verdict::Discard => self.command("ROLLBACK TO closure").and_then(|()| self.command("RELEASE closure")),
        };
        if ended.is_err() { lost } else { Step::Settled }
    }

    fn run_closure(&self, entry: &mut Entry) -> Verdict {
        self.guarded.deadline.set((!entry.unlimited).then_some(self.budget));
        let verdict = entry.work.run(&mut Tx::sqlite(self.connection()));
        self.guarded.deadline.set(None);
        verdict
    }

    fn commit(&self) -> Result<(), StoreError> {
        self.command("COMMIT").map_err(|error| {
            self.roll_back();
            translate("commit", &error)
        })
    }

    /// Ends the transaction if SQLite has not already done so.
    fn roll_back(&self) {
        if self.connection().is_autocommit() {
            return;
        }
        if let Err(error) = self.command("ROLLBACK") {
            tracing::error!(store.code = %error, "rollback failed");
        }
    }

    fn command(&self, sql: &str) -> Result<(), rusqlite::Error> {
        self.connection().prepare_cached(sql)?.execute([]).map(drop)
    }

    fn connection(&self) -> &Connection {
        &self.guarded.connection
    }
}

fn refuse_all(batch: &mut Vec<Entry>, error: &rusqlite::Error) {
    batch.drain(..).for_each(|entry| entry.work.refuse(translate("begin", error)));
}
