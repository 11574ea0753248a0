//! Databases to test on: a fresh one of each kind per test.

use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use postgres::NoTls;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::{PostgresOptions, SqliteOptions, Statement, Store, StoreError, Tx};

/// An SQLite file that is removed with its folder.
pub(crate) struct SqliteFile {
    pub(crate) path: PathBuf,
    _folder: TempDir,
}

impl SqliteFile {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { path: folder.path().join("test.db"), _folder: folder }
    }

    pub(crate) fn open(&self) -> Store {
        self.open_with(&SqliteOptions::default())
    }

    pub(crate) fn open_with(&self, options: &SqliteOptions) -> Store {
        Store::open_sqlite(&self.path, options).unwrap()
    }
}

/// A PostgreSQL database of its own, dropped afterwards.
pub(crate) struct PostgresDatabase {
    pub(crate) url: String,
    name: String,
}

impl PostgresDatabase {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("store_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        administer(&format!("CREATE DATABASE {name}"));
        let base = server_url();
        let at = base.rfind('/').expect("the URL names a database");
        Self { url: format!("{}/{name}", &base[..at]), name }
    }

    pub(crate) fn open(&self) -> Store {
        self.open_with(&PostgresOptions { connections: 4, ..PostgresOptions::default() })
    }

    pub(crate) fn open_with(&self, options: &PostgresOptions) -> Store {
        Store::open_postgres(&self.url, options).unwrap()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        administer(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// Runs a command as a bystander on another connection of the test server.
pub(crate) fn administer(sql: &str) {
    let url = server_url();
    let sql = sql.to_owned();
    // The blocking client must not run on a thread of an asynchronous runtime.
    let worker = std::thread::spawn(move || {
        postgres::Client::connect(&url, NoTls).expect("the test server answers").batch_execute(&sql)
    });
    worker.join().unwrap().unwrap();
}

#[expect(clippy::disallowed_methods, reason = "cargo xtask test tells tests where its PostgreSQL is")]
fn server_url() -> String {
    std::env::var("DOORWARD_TEST_POSTGRES_URL")
        .expect("DOORWARD_TEST_POSTGRES_URL is not set: run the tests with `cargo xtask test`")
}

/// Runs a test on a fresh database of each kind.
pub(crate) async fn on_both<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    let file = SqliteFile::new();
    let store = file.open();
    test(store.clone()).await;
    store.close().await;
    let database = PostgresDatabase::new();
    let store = database.open();
    test(store.clone()).await;
    store.close().await;
}

pub(crate) static CREATE_ITEMS: Statement = Statement::differing(
    "tests::CREATE_ITEMS",
    "CREATE TABLE items (id BIGINT NOT NULL PRIMARY KEY, label TEXT, flag INTEGER, data BLOB) WITHOUT ROWID",
    "CREATE TABLE items (id BIGINT NOT NULL PRIMARY KEY, label TEXT, flag BOOLEAN, data BYTEA)",
);
pub(crate) static INSERT_ITEM: Statement = Statement::new("tests::INSERT_ITEM", "INSERT INTO items (id) VALUES ($1)");
pub(crate) static COUNT_ITEMS: Statement = Statement::new("tests::COUNT_ITEMS", "SELECT count(*) FROM items");

pub(crate) async fn create_items(store: &Store) {
    store.write(|tx| tx.execute(&CREATE_ITEMS, &[]).map(drop)).await.unwrap_or_else(|e: StoreError| panic!("{e:?}"));
}

pub(crate) async fn insert_item(store: &Store, id: i64) -> Result<(), StoreError> {
    store.write(move |tx| tx.execute_expecting(&INSERT_ITEM, &[id.into()], 1)).await
}

pub(crate) async fn count_items(store: &Store) -> i64 {
    store
        .read(|tx| tx.query_one(&COUNT_ITEMS, &[], |row| row.get(0)))
        .await
        .unwrap_or_else(|e: StoreError| panic!("{e:?}"))
}

/// A closure that occupies a thread of the engine until it is let go.
pub(crate) struct Held {
    release: mpsc::Sender<()>,
    task: JoinHandle<Result<(), StoreError>>,
}

impl Held {
    /// Occupies the writer (SQLite) or one worker (PostgreSQL); returns when the closure runs.
    pub(crate) async fn writer(store: &Store) -> Self {
        let (gate, entered, release) = gate();
        let task = tokio::spawn({
            let store = store.clone();
            async move {
                store
                    .write(move |_| {
                        gate.pass();
                        Ok(())
                    })
                    .await
            }
        });
        entered.await.unwrap();
        Self { release, task }
    }

    pub(crate) async fn release(self) {
        self.release.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

/// Tells that it was reached, then waits. Open for good once it was released.
pub(crate) struct Gate {
    entered: Mutex<Option<tokio::sync::oneshot::Sender<()>>>,
    released: Mutex<mpsc::Receiver<()>>,
}

pub(crate) fn gate() -> (Arc<Gate>, tokio::sync::oneshot::Receiver<()>, mpsc::Sender<()>) {
    let (reached, entered) = tokio::sync::oneshot::channel();
    let (release, released) = mpsc::channel();
    (Arc::new(Gate { entered: Mutex::new(Some(reached)), released: Mutex::new(released) }), entered, release)
}

impl Gate {
    pub(crate) fn pass(&self) {
        if let Some(reached) = self.entered.lock().unwrap().take() {
            reached.send(()).unwrap();
            self.released.lock().unwrap().recv().unwrap();
        }
    }
}

/// Starts a write and returns when it waits in the queue.
pub(crate) async fn enqueue<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> JoinHandle<Result<T, StoreError>> {
    let before = store.gauges().waiting;
    let task = tokio::spawn({
        let store = store.clone();
        async move { store.write(work).await }
    });
    while store.gauges().waiting == before && !task.is_finished() {
        tokio::task::yield_now().await;
    }
    task
}

/// How many transactions wait for this one.
static WAITING: Statement = Statement::new(
    "tests::WAITING",
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid",
);

/// What `late` says when it comes while `first` has written and not committed: it waits for the commit, or this fails.
pub(crate) async fn beside(
    store: &Store,
    first: impl Fn(&mut Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    late: impl Fn(&mut Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
) -> bool {
    let is_over = Arc::new(AtomicBool::new(false));
    let (gate, entered, release) = gate();
    release.send(()).unwrap();
    let ending = tokio::spawn({
        let (store, is_over) = (store.clone(), Arc::clone(&is_over));
        async move {
            let ended = store.write::<_, StoreError, _>(move |tx| {
                assert!(first(tx)?);
                gate.pass();
                while tx.query_one(&WAITING, &[], |row| row.get::<i64>(0))? == 0 {
                    assert!(!is_over.load(Ordering::Acquire), "nobody waited");
                    std::thread::yield_now();
                }
                Ok(())
            });
            ended.await
        }
    });
    entered.await.unwrap();
    let late = store.write(late).await.unwrap();
    is_over.store(true, Ordering::Release);
    ending.await.unwrap().unwrap();
    late
}
