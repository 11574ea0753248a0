//! The PostgreSQL engine: a bounded pool of threads, one connection each, one closure per transaction.

mod connector;
pub(crate) mod error;
mod link;
mod tls;
mod url;
mod worker;

pub use url::{PostgresUrlReport, inspect_postgres_url};

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use doorward_model::secret::SecretText;

use crate::engine::queue::Queue;
use crate::engine::threads::Threads;
use crate::engine::work::Work;
use crate::{Gauges, StoreError};

/// How the PostgreSQL engine works.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Connections, and threads that use them.
    pub connections: usize,
    /// Most closures that wait; more are refused at once.
    pub queue: usize,
    /// Longest wait for a connection.
    pub acquire_timeout: Duration,
    /// Longest wait for the server to accept a connection, per address.
    pub connect_timeout: Duration,
    /// Longest run of one statement.
    pub statement_timeout: Duration,
    /// The password, when the URL has none.
    pub password: Option<SecretText>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: 12,
            queue: 1024,
            acquire_timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(5),
            password: None,
        }
    }
}

pub(crate) struct PostgresEngine {
    queue: Arc<Queue>,
    threads: Threads,
    in_use: Arc<AtomicUsize>,
}

impl PostgresEngine {
    pub(crate) fn open(url: &str, options: &PostgresOptions) -> Result<Self, StoreError> {
        let connector = Arc::new(connector::Connector::new(url, options)?);
        let engine = Self {
            queue: Arc::new(Queue::new("postgres", options.queue, options.acquire_timeout)),
            threads: Threads::new(),
            in_use: Arc::default(),
        };
        let started = engine.start(&connector, options);
        if started.is_err() {
            engine.shut();
        }
        started.map(|()| engine)
    }

    fn start(&self, connector: &Arc<connector::Connector>, options: &PostgresOptions) -> Result<(), StoreError> {
        let link = Arc::new(link::Link::default());
        let (report, first_connection) = mpsc::channel();
        for number in 0..options.connections.max(1) {
            let worker = worker::Worker::new(
                number,
                Arc::clone(&self.queue),
                Arc::clone(connector),
                Arc::clone(&link),
                Arc::clone(&self.in_use),
            );
            // The first one connects at once and tells how it went; the others when there is work for them.
            let report = (number == 0).then(|| report.clone());
            self.threads.start(format!("store-worker-{number}"), move || worker.run(report))?;
        }
        let queue = Arc::clone(&self.queue);
        self.threads.start("store-timekeeper".to_owned(), move || queue.keep_time())?;
        first_connection.recv().unwrap_or(Err(StoreError::Closed))
    }

    pub(crate) fn read(&self, work: Box<dyn Work>) {
        self.queue.push(work, true, false);
    }

    pub(crate) fn write(&self, work: Box<dyn Work>, unlimited: bool) {
        self.queue.push(work, false, unlimited);
    }

    pub(crate) fn shut(&self) {
        self.queue.close();
    }

    pub(crate) async fn ended(&self) {
        self.threads.ended().await;
    }

    pub(crate) fn gauges(&self) -> Gauges {
        Gauges { in_use: self.in_use.load(Ordering::Relaxed), waiting: self.queue.len(), last_batch: 0 }
    }
}
