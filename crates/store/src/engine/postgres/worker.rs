//! A thread with a connection: runs one closure per transaction.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::connector::Connector;
use super::error::translate;
use super::link::Link;
use crate::engine::moment;
use crate::engine::queue::{Entry, Queue};
use crate::engine::work::Verdict;
use crate::tx::{Failure, Session};
use crate::{StoreError, Tx};

/// Runs of a closure that keeps losing races, before the caller is told to try later.
const MOST_RUNS: u32 = 8;

pub(super) struct Worker {
    queue: Arc<Queue>,
    connector: Arc<Connector>,
    link: Arc<Link>,
    in_use: Arc<AtomicUsize>,
    session: Option<Session>,
    jitter: u64,
}

/// What one run of a closure came to.
enum Run {
    /// Its answer stands.
    Done,
    /// Run it again.
    Again(Failure),
    /// Nobody can know whether the commit happened.
    Unknown,
}

impl Worker {
    pub(super) fn new(
        number: usize,
        queue: Arc<Queue>,
        connector: Arc<Connector>,
        link: Arc<Link>,
        in_use: Arc<AtomicUsize>,
    ) -> Self {
        // Not a secret: only keeps workers and nodes from retrying in step.
        let jitter = RandomState::new().build_hasher().finish() ^ number as u64;
        Self { queue, connector, link, in_use, session: None, jitter: jitter | 1 }
    }

    /// Works until the queue is closed and empty. `report` gets the outcome of a first connection.
    pub(super) fn run(mut self, report: Option<mpsc::Sender<Result<(), StoreError>>>) {
        if let Some(report) = report {
            // The opener waits for exactly this.
            let _ = report.send(self.ensure_connected());
        }
        loop {
            self.leave_work_to_connected_workers();
            let Some(entry) = self.queue.pop() else { break };
            self.in_use.fetch_add(1, Ordering::Relaxed);
            self.serve(entry);
            self.in_use.fetch_sub(1, Ordering::Relaxed);
        }
        self.disconnect();
    }

    /// A worker that may not connect yet takes no work from those that are connected.
    fn leave_work_to_connected_workers(&self) {
        if self.session.is_none()
            && let Some(retry_at) = self.link.retry_at()
            && self.link.is_connected()
        {
            self.queue.sleep_until(retry_at);
        }
    }

    fn serve(&mut self, mut entry: Entry) {
        let mut replanned = false;
        for run in 0..MOST_RUNS {
            if self.ensure_connected().is_err() {
                if self.link.is_connected() {
                    return self.queue.give_back(entry);
                }
                // Whatever keeps it from connecting is not the caller's doing.
                return entry.work.refuse(StoreError::Unavailable);
            }
            match self.run_once(&mut entry) {
                Run::Done => return entry.work.answer(),
                Run::Unknown => return entry.work.refuse(StoreError::Unavailable),
                // Prepared afresh it failed the same way: the server really does not support it.
                Run::Again(Failure::StalePlan) if replanned => return entry.work.answer(),
                Run::Again(failure) => {
                    replanned |= failure == Failure::StalePlan;
                    self.prepare_for_another_run(failure, run);
                }
            }
        }
        metrics::counter!("store_refused_total", "queue" => "postgres", "reason" => "races").increment(1);
        entry.work.refuse(StoreError::Unavailable);
    }

    fn run_once(&mut self, entry: &mut Entry) -> Run {
        let Some(session) = &mut self.session else { return Run::Again(Failure::ConnectionLost) };
        if entry.is_read {
            // Each statement is its own read-only transaction: one round trip, and READ COMMITTED promises no more.
            let mut tx = Tx::postgres(session);
            entry.work.run(&mut tx);
            return again_or_done(tx.failure());
        }
        if let Err(error) = session.client.batch_execute("BEGIN READ WRITE") {
            return Run::Again(translate("begin", &error).0);
        }
        let mut tx = Tx::postgres(session);
        let verdict = entry.work.run(&mut tx);
        let failure = tx.failure();
        if verdict == Verdict::Discard {
            if session.client.batch_execute("ROLLBACK").is_err() {
                self.disconnect();
            }
            return again_or_done(failure);
        }
        let Err(error) = session.client.batch_execute("COMMIT") else { return Run::Done };
        if translate("commit", &error).0 == Failure::Race {
            return Run::Again(Failure::Race);
        }
        self.disconnect();
        Run::Unknown
    }

    fn prepare_for_another_run(&mut self, failure: Failure, run: u32) {
        let reason = match failure {
            Failure::Race => "race",
            Failure::StalePlan => "stale_plan",
            Failure::ConnectionLost | Failure::Final => "connection",
        };
        metrics::counter!("store_retries_total", "reason" => reason).increment(1);
        match failure {
            Failure::Race => {
                let most = Duration::from_millis(2 << run.min(6));
                let pause = most * u32::from(self.next_jitter()) / 255;
                self.queue.sleep_until(moment::now() + pause);
            }
            Failure::StalePlan => self.session.iter_mut().for_each(Session::forget_statements),
            Failure::ConnectionLost | Failure::Final => self.disconnect(),
        }
    }

    fn ensure_connected(&mut self) -> Result<(), StoreError> {
        if self.session.as_ref().is_some_and(|session| session.client.is_closed()) {
            self.disconnect();
        }
        if self.session.is_some() {
            return Ok(());
        }
        if self.link.retry_at().is_some() {
            return Err(StoreError::Unavailable);
        }
        match self.connector.connect() {
            Ok(session) => {
                self.session = Some(session);
                self.link.connected();
                Ok(())
            }
            Err(error) => {
                tracing::error!(error = %error, detail = std::error::Error::source(&error).map(tracing::field::display), "cannot connect to the database");
                let jitter = self.next_jitter();
                self.link.failed(jitter);
                Err(error)
            }
        }
    }

    fn disconnect(&mut self) {
        if self.session.take().is_some() {
            self.link.lost();
        }
    }

    /// xorshift: enough to spread retries.
    fn next_jitter(&mut self) -> u8 {
        self.jitter ^= self.jitter << 13;
        self.jitter ^= self.jitter >> 7;
        self.jitter ^= self.jitter << 17;
        self.jitter.to_be_bytes()[0]
    }
}

fn again_or_done(failure: Option<Failure>) -> Run {
    match failure {
        None | Some(Failure::Final) => Run::Done,
        Some(failure) => Run::Again(failure),
    }
}
