//! Fresh databases for this crate's tests, one of each kind per test.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use doorward_model::id::UserId;
use doorward_model::time::Timestamp;
use doorward_store::{PostgresOptions, SqliteOptions, Statement, Store, StoreError};

static INSERT_USER: Statement = Statement::new(
    "tests::INSERT_USER",
    "INSERT INTO users (id, email, email_canonical, is_admin, created_at, updated_at) VALUES ($1, $2, $2, $3, 0, 0)",
);

static COUNT_WAITING: Statement = Statement::new(
    "tests::COUNT_WAITING",
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
);

/// Tests queue hundreds of closures at once, on machines that are busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs a test on a fresh, migrated SQLite database.
pub(crate) async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Store) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { acquire_timeout: PATIENCE, write_budget: PATIENCE, ..SqliteOptions::default() };
    let store = Store::open_sqlite(&folder.path().join("test.db"), &options).unwrap();
    store.migrate().await.unwrap();
    test(store.clone()).await;
    store.close().await;
}

/// Runs a test on a fresh, migrated PostgreSQL database.
pub(crate) async fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(Store) -> F) {
    let database = PostgresDatabase::new();
    let options =
        PostgresOptions { acquire_timeout: PATIENCE, statement_timeout: PATIENCE, ..PostgresOptions::default() };
    let store = Store::open_postgres(&database.url, &options).unwrap();
    store.migrate().await.unwrap();
    test(store.clone()).await;
    store.close().await;
}

/// Runs a test on both.
pub(crate) async fn on_both<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    on_sqlite(&test).await;
    on_postgres(&test).await;
}

/// Runs `first` in a transaction of its own, then `waiter` until it waits for a lock of that transaction, then `last` in
/// the transaction, and commits. Returns the ids that `last` returned, and what `waiter` did. PostgreSQL only: SQLite has
/// one writer.
pub(crate) async fn made_to_wait<T: Send + 'static>(
    store: &Store,
    (first, last): (&'static Statement, &'static Statement),
    waiter: impl Future<Output = T> + Send + 'static,
) -> (Vec<String>, T) {
    let (began, has_begun) = mpsc::channel();
    let (end, may_end) = mpsc::channel();
    let may_end = Mutex::new(may_end);
    let holder = tokio::spawn({
        let store = store.clone();
        async move {
            let held: Result<Vec<String>, StoreError> = store
                .write(move |tx| {
                    tx.query_all(first, &[], |row| row.get::<String>(0))?;
                    began.send(()).unwrap();
                    may_end.lock().unwrap().recv().unwrap();
                    tx.query_all(last, &[], |row| row.get(0))
                })
                .await;
            held.unwrap()
        }
    });
    tokio::task::spawn_blocking(move || has_begun.recv().unwrap()).await.unwrap();
    let waiter = tokio::spawn(waiter);
    loop {
        let waiting: Result<i64, StoreError> =
            store.read(|tx| tx.query_one(&COUNT_WAITING, &[], |row| row.get(0))).await;
        assert!(!waiter.is_finished(), "it did not wait");
        if waiting.unwrap() > 0 {
            break;
        }
    }
    end.send(()).unwrap();
    (holder.await.unwrap(), waiter.await.unwrap())
}

/// A user row with nothing but an address.
pub(crate) async fn insert_user(store: &Store, user: UserId, email: &'static str) {
    let id = user.to_string();
    store
        .write(move |tx| tx.execute_expecting(&INSERT_USER, &[(&id).into(), email.into(), false.into()], 1))
        .await
        .unwrap_or_else(|error: StoreError| panic!("{error:?}"));
}

/// Milliseconds after an arbitrary beginning.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_800_000_000_000 + ms)
}

struct PostgresDatabase {
    url: String,
    name: String,
}

impl PostgresDatabase {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("app_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        administer(&format!("CREATE DATABASE {name}"));
        let base = server_url();
        let (server, _) = base.rsplit_once('/').expect("the URL names a database");
        Self { url: format!("{server}/{name}"), name }
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        administer(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn administer(sql: &str) {
    let (url, sql) = (server_url(), sql.to_owned());
    // The blocking client must not run on a thread of an asynchronous runtime.
    std::thread::spawn(move || {
        let mut client = postgres::Client::connect(&url, postgres::NoTls).expect("the test server answers");
        client.batch_execute(&sql)
    })
    .join()
    .unwrap()
    .unwrap();
}

#[expect(clippy::disallowed_methods, reason = "cargo xtask test tells tests where its PostgreSQL is")]
fn server_url() -> String {
    std::env::var("DOORWARD_TEST_POSTGRES_URL")
        .expect("DOORWARD_TEST_POSTGRES_URL is not set: run the tests with `cargo xtask test`")
}
