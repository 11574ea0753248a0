//! Databases to test on: a fresh one of each kind per test.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use doorward_store::{PostgresOptions, SqliteOptions, Store};
use tempfile::TempDir;

/// A PostgreSQL database of its own, dropped afterwards.
struct PostgresDatabase {
    url: String,
    name: String,
}

impl PostgresDatabase {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("keys_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        administer(&format!("CREATE DATABASE {name}"));
        let base = server_url();
        let at = base.rfind('/').expect("the URL names a database");
        Self { url: format!("{}/{name}", &base[..at]), name }
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
    let worker = std::thread::spawn(move || {
        postgres::Client::connect(&url, postgres::NoTls).expect("the test server answers").batch_execute(&sql)
    });
    worker.join().unwrap().unwrap();
}

#[expect(clippy::disallowed_methods, reason = "cargo xtask test tells tests where its PostgreSQL is")]
fn server_url() -> String {
    std::env::var("DOORWARD_TEST_POSTGRES_URL")
        .expect("DOORWARD_TEST_POSTGRES_URL is not set: run the tests with `cargo xtask test`")
}

/// Runs a test on a fresh, migrated database of each kind.
pub(super) async fn on_both<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    on_sqlite(&test).await;
    let database = PostgresDatabase::new();
    let options = PostgresOptions { connections: 4, ..PostgresOptions::default() };
    run(Store::open_postgres(&database.url, &options).unwrap(), &test).await;
}

/// For tests of what does not depend on the database.
pub(super) async fn on_sqlite<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    let folder = TempDir::new().unwrap();
    run(Store::open_sqlite(&folder.path().join("test.db"), &SqliteOptions::default()).unwrap(), &test).await;
}

async fn run<F: Future<Output = ()>>(store: Store, test: impl Fn(Store) -> F) {
    store.migrate().await.unwrap();
    test(store.clone()).await;
    store.close().await;
}
