//! The one writer: group commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::connection::Guarded;
use super::error::translate;
use crate::engine::queue::{Entry, Queue};
use crate::engine::work::Verdict;
use crate::tx::Prepared;
use crate::{Statement, StoreError, Tx};

static BEGIN: Statement = Statement::new("writer::BEGIN", "BEGIN IMMEDIATE");
static COMMIT: Statement = Statement::new("writer::COMMIT", "COMMIT");
static ROLLBACK: Statement = Statement::new("writer::ROLLBACK", "ROLLBACK");
static SAVEPOINT: Statement = Statement::new("writer::SAVEPOINT", "SAVEPOINT closure");
static RELEASE: Statement = Statement::new("writer::RELEASE", "RELEASE closure");
static TAKE_BACK: Statement = Statement::new("writer::TAKE_BACK", "ROLLBACK TO closure");

/// How many batches run behind savepoints after one in which a closure failed.
const CAREFUL_BATCHES: u32 = 64;

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
    /// It failed, and its changes are among those of the others.
    Failed,
    /// The whole transaction is lost, with the changes of every closure before this one; this closure's own
    /// result is an error and final.
    LostWithError,
    /// The whole transaction is lost, and this closure has no valid result either.
    Lost,
}

/// The transaction that a batch shared is lost.
struct Lost {
    /// The closure that lost it.
    index: usize,
    /// Whether that closure's own result is final.
    has_error: bool,
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(super) fn run(self) {
        let mut batch = Vec::with_capacity(self.max_batch);
        let mut turn = Turn { session: Prepared::new(&self.guarded.connection), writer: &self, careful: 0 };
        while self.queue.pop_batch(&mut batch, self.max_batch) {
            if batch.is_empty() {
                continue;
            }
            self.last_batch.store(batch.len(), Ordering::Relaxed);
            #[expect(clippy::cast_precision_loss, reason = "a batch has at most a few hundred entries")]
            metrics::histogram!("store_write_batch_size").record(batch.len() as f64);
            turn.commit_together(&mut batch);
        }
    }
}

/// The writer at work.
struct Turn<'w> {
    writer: &'w Writer,
    session: Prepared<'w>,
    /// How many batches still run behind savepoints.
    careful: u32,
}

impl Turn<'_> {
    fn commit_together(&mut self, batch: &mut Vec<Entry>) {
        if batch.len() == 1 {
            return batch.drain(..).for_each(|entry| self.commit_alone(entry));
        }
        if let Err(error) = self.session.command(&BEGIN) {
            // The file is locked or broken: every closure would meet the same.
            return refuse_all(batch, &error);
        }
        if let Err(Lost { index, has_error }) = self.run_all(batch) {
            self.roll_back();
            if has_error {
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

    /// Runs every closure so that those that fail leave nothing behind. Hardly any does, and behind a savepoint each page
    /// that is changed is copied first: only when one has failed does the batch begin again with one for each.
    fn run_all(&mut self, batch: &mut [Entry]) -> Result<(), Lost> {
        if self.careful == 0 {
            if self.run_each(batch, Self::run_plainly)? {
                return Ok(());
            }
            metrics::counter!("store_retries_total", "reason" => "batch_failed").increment(batch.len() as u64);
            self.careful = CAREFUL_BATCHES;
            self.roll_back();
            if self.session.command(&BEGIN).is_err() {
                return Err(Lost { index: 0, has_error: false });
            }
        }
        self.careful -= 1;
        self.run_each(batch, Self::run_in_savepoint).map(drop)
    }

    /// Runs each closure; false when one has failed whose changes are still there.
    fn run_each(&mut self, batch: &mut [Entry], run: impl Fn(&mut Self, &mut Entry) -> Step) -> Result<bool, Lost> {
        for (index, entry) in batch.iter_mut().enumerate() {
            match run(self, entry) {
                Step::Settled => {}
                Step::Failed => return Ok(false),
                Step::LostWithError => return Err(Lost { index, has_error: true }),
                Step::Lost => return Err(Lost { index, has_error: false }),
            }
        }
        Ok(true)
    }

    fn commit_one_by_one(&mut self, batch: &mut Vec<Entry>) {
        metrics::counter!("store_retries_total", "reason" => "batch_lost").increment(batch.len() as u64);
        batch.drain(..).for_each(|entry| self.commit_alone(entry));
    }

    fn commit_alone(&mut self, mut entry: Entry) {
        if let Err(error) = self.session.command(&BEGIN) {
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

    fn run_plainly(&mut self, entry: &mut Entry) -> Step {
        match (self.run_closure(entry), self.session.is_autocommit()) {
            (Verdict::Keep, false) => Step::Settled,
            (Verdict::Discard, false) => Step::Failed,
            (Verdict::Discard, true) => Step::LostWithError,
            (Verdict::Keep, true) => Step::Lost,
        }
    }

    fn run_in_savepoint(&mut self, entry: &mut Entry) -> Step {
        if self.session.command(&SAVEPOINT).is_err() {
            return Step::Lost;
        }
        let verdict = self.run_closure(entry);
        let lost = if verdict == Verdict::Discard { Step::LostWithError } else { Step::Lost };
        if self.session.is_autocommit() {
            return lost;
        }
        let ended = match verdict {
            Verdict::Keep => self.session.command(&RELEASE),
            Verdict::Discard => self.session.command(&TAKE_BACK).and_then(|()| self.session.command(&RELEASE)),
        };
        if ended.is_err() { lost } else { Step::Settled }
    }

    fn run_closure(&mut self, entry: &mut Entry) -> Verdict {
        let Writer { guarded, budget, .. } = self.writer;
        guarded.deadline.set((!entry.unlimited).then_some(*budget));
        let verdict = entry.work.run(&mut Tx::sqlite(&mut self.session));
        guarded.deadline.set(None);
        verdict
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.session.command(&COMMIT).map_err(|error| {
            self.roll_back();
            translate("commit", &error)
        })
    }

    /// Ends the transaction if SQLite has not already done so.
    fn roll_back(&mut self) {
        if self.session.is_autocommit() {
            return;
        }
        if let Err(error) = self.session.command(&ROLLBACK) {
            tracing::error!(store.code = %error, "rollback failed");
        }
    }
}

fn refuse_all(batch: &mut Vec<Entry>, error: &rusqlite::Error) {
    batch.drain(..).for_each(|entry| entry.work.refuse(translate("begin", error)));
}
