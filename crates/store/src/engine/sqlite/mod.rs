//! The embedded engine: one writer thread with group commit, a few reader threads.

mod connection;
pub(crate) mod error;
mod reader;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::engine::queue::Queue;
use crate::engine::threads::Threads;
use crate::engine::work::Work;
use crate::{Gauges, StoreError};

/// How the embedded engine works. The defaults need no tuning.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// Reader threads.
    pub readers: usize,
    /// Most closures that share one commit.
    pub max_batch: usize,
    /// Most closures that wait, for the writer and for the readers each; more are refused at once.
    pub queue: usize,
    /// Longest wait in a queue.
    pub acquire_timeout: Duration,
    /// Longest wait for another process that holds the file (a command beside the server).
    pub busy_timeout: Duration,
    /// Longest run of a read closure.
    pub read_budget: Duration,
    /// Longest run of a write closure.
    pub write_budget: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 2,
            max_batch: 128,
            queue: 4096,
            acquire_timeout: Duration::from_secs(2),
            busy_timeout: Duration::from_secs(5),
            read_budget: Duration::from_secs(2),
            write_budget: Duration::from_secs(5),
        }
    }
}

pub(crate) struct SqliteEngine {
    writes: Arc<Queue>,
    reads: Arc<Queue>,
    threads: Threads,
    last_batch: Arc<AtomicUsize>,
    reading: Arc<AtomicUsize>,
}

impl SqliteEngine {
    pub(crate) fn open(path: &Path, options: &SqliteOptions) -> Result<Self, StoreError> {
        let engine = Self {
            writes: Arc::new(Queue::new("write", options.queue, options.acquire_timeout)),
            reads: Arc::new(Queue::new("read", options.queue, options.acquire_timeout)),
            threads: Threads::new(),
            last_batch: Arc::default(),
            reading: Arc::default(),
        };
        let started = engine.start(path, options);
        if started.is_err() {
            engine.shut();
        }
        started.map(|()| engine)
    }

    fn start(&self, path: &Path, options: &SqliteOptions) -> Result<(), StoreError> {
        let writer = writer::Writer {
            guarded: connection::open_writer(path, options)?,
            queue: Arc::clone(&self.writes),
            max_batch: options.max_batch.max(1),
            budget: options.write_budget,
            last_batch: Arc::clone(&self.last_batch),
        };
        self.threads.start("store-writer".to_owned(), move || writer.run())?;
        for number in 1..=options.readers.max(1) {
            let reader = reader::Reader {
                guarded: connection::open_reader(path, options)?,
                queue: Arc::clone(&self.reads),
                budget: options.read_budget,
                in_use: Arc::clone(&self.reading),
            };
            self.threads.start(format!("store-reader-{number}"), move || reader.run())?;
        }
        for queue in [&self.writes, &self.reads] {
            let queue = Arc::clone(queue);
            self.threads.start("store-timekeeper".to_owned(), move || queue.keep_time())?;
        }
        Ok(())
    }

    pub(crate) fn read(&self, work: Box<dyn Work>) {
        self.reads.push(work, true, false);
    }

    pub(crate) fn write(&self, work: Box<dyn Work>, unlimited: bool) {
        self.writes.push(work, false, unlimited);
    }

    pub(crate) fn shut(&self) {
        self.writes.close();
        self.reads.close();
    }

    pub(crate) async fn ended(&self) {
        self.threads.ended().await;
    }

    pub(crate) fn gauges(&self) -> Gauges {
        Gauges {
            in_use: self.reading.load(Ordering::Relaxed),
            waiting: self.writes.len() + self.reads.len(),
            last_batch: self.last_batch.load(Ordering::Relaxed),
        }
    }
}
