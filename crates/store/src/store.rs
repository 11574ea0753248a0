//! The store as callers see it.

use std::path::Path;
use std::sync::Arc;

use crate::engine::postgres::{PostgresEngine, PostgresOptions};
use crate::engine::sqlite::{SqliteEngine, SqliteOptions};
use crate::engine::{Closure, Engine, Work};
use crate::{StoreError, Tx};

/// The database. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
}

impl Drop for Inner {
    /// Without [`Store::close`] the threads still finish what was accepted, but nobody waits for them.
    fn drop(&mut self) {
        self.engine.shut();
    }
}

/// What the engine is doing right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauges {
    /// PostgreSQL: connections running a closure. SQLite: readers running one.
    pub in_use: usize,
    /// Closures waiting in queues.
    pub waiting: usize,
    /// SQLite: how many closures shared the latest commit.
    pub last_batch: usize,
}

impl Store {
    /// Opens the embedded engine on a database file, which is created when missing. Blocks for a moment.
    pub fn open_sqlite(path: &Path, options: &SqliteOptions) -> Result<Self, StoreError> {
        let engine = SqliteEngine::open(path, options)?;
        Ok(Self { inner: Arc::new(Inner { engine: Engine::Sqlite(engine) }) })
    }

    /// Opens the PostgreSQL engine and connects once, so that a wrong URL, password or certificate is told at
    /// start. Blocks until connected or refused.
    pub fn open_postgres(url: &str, options: &PostgresOptions) -> Result<Self, StoreError> {
        let engine = PostgresEngine::open(url, options)?;
        Ok(Self { inner: Arc::new(Inner { engine: Engine::Postgres(engine) }) })
    }

    /// Runs a closure that only reads. It may run again, so it must not have effects of its own.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.submit(work, Engine::read).await
    }

    /// Runs a closure in a transaction: committed when it returns `Ok`, rolled back when it returns `Err` or
    /// panics. The answer comes after the commit is durable. The closure may run again (lost races, lost batches),
    /// so ids, tokens and times are made before it.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.submit(work, Engine::write).await
    }

    /// As [`Store::write`], without time budgets: for migrations.
    pub(crate) async fn write_unlimited<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.submit(work, Engine::write_unlimited).await
    }

    async fn submit<T, E, F>(&self, work: F, accept: fn(&Engine, Box<dyn Work>)) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (closure, answer) = Closure::new(work);
        accept(&self.inner.engine, Box::new(closure));
        // A dropped sender means that the thread holding the closure is gone.
        answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Refuses new work, then waits until everything accepted is committed or refused and all connections are
    /// closed.
    pub async fn close(&self) {
        self.inner.engine.shut();
        self.inner.engine.ended().await;
    }

    /// Whether this is the embedded engine.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.inner.engine, Engine::Sqlite(_))
    }

    /// What the engine is doing right now.
    pub fn gauges(&self) -> Gauges {
        self.inner.engine.gauges()
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.inner.engine {
            Engine::Sqlite(_) => "Store(SQLite)",
            Engine::Postgres(_) => "Store(PostgreSQL)",
        })
    }
}
