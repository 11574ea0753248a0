//! A fresh, migrated database for every world.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doorward_store::{PostgresOptions, SqliteOptions, Store};
use tempfile::TempDir;

/// The two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// A server.
    Postgres,
}

/// Tests queue hundreds of closures at once, on machines that are busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);
/// Connections per world; many worlds share one server.
const CONNECTIONS: usize = 6;
/// The template is made anew when the schema changes; what was added since is applied to each copy.
const SCHEMA: &str = include_str!("../../store/migrations/postgres/0001_foundation.sql");
/// Only one process at a time makes the template.
const TEMPLATE_LOCK: &str = "SELECT pg_advisory_lock(7018231)";

/// Where a world's data lives; gone when dropped.
pub(crate) enum Place {
    /// A folder with a file.
    Folder(TempDir),
    /// A database of the test server.
    Server(PostgresDatabase),
}

impl Place {
    /// A new, empty place.
    pub(crate) async fn create(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Folder(tempfile::tempdir().unwrap()),
            Engine::Postgres => Self::Server(PostgresDatabase::copy_of_template().await),
        }
    }

    /// Opens it and brings its schema up to date.
    pub(crate) async fn open(&self) -> Store {
        let store = match self {
            Self::Folder(folder) => {
                let options = SqliteOptions {
                    acquire_timeout: PATIENCE,
                    read_budget: PATIENCE,
                    write_budget: PATIENCE,
                    ..SqliteOptions::default()
                };
                Store::open_sqlite(&folder.path().join("doorward.db"), &options).unwrap()
            }
            Self::Server(database) => open_postgres(&database.url),
        };
        store.migrate().await.unwrap();
        store
    }

    /// Ends every connection to the server's database, and lets none in again or all.
    pub(crate) fn let_connections_in(&self, is_open: bool) {
        let Self::Server(database) = self else { panic!("only a server has connections") };
        let name = &database.name;
        administer(vec![
            format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {is_open}"),
            format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND NOT {is_open}"
            ),
        ])
        .unwrap();
    }
}

fn open_postgres(url: &str) -> Store {
    let options = PostgresOptions {
        connections: CONNECTIONS,
        acquire_timeout: PATIENCE,
        statement_timeout: PATIENCE,
        ..PostgresOptions::default()
    };
    Store::open_postgres(url, &options).unwrap()
}

/// A database of the test server, dropped with this.
pub(crate) struct PostgresDatabase {
    url: String,
    name: String,
}

impl PostgresDatabase {
    async fn copy_of_template() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let template = template().await;
        let name = format!("doorward_it_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        administer(vec![
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name} TEMPLATE {template}"),
        ])
        .unwrap();
        Self { url: url_of(&name), name }
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        if let Err(error) = administer(vec![format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)]) {
            // Panicking while another panic unwinds would hide it.
            let _ = writeln!(std::io::stderr(), "{} was not dropped: {error}", self.name);
        }
    }
}

/// The name of a migrated database to copy.
async fn template() -> String {
    let mut hasher = DefaultHasher::new();
    SCHEMA.hash(&mut hasher);
    let name = format!("doorward_template_{:016x}", hasher.finish());
    let (made, marked) = (format!("{name}_being_made"), name.clone());
    let lock = std::thread::spawn(move || {
        let mut client = connect();
        client.batch_execute(TEMPLATE_LOCK).unwrap();
        let found = client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&marked]).unwrap();
        (client, found.is_some())
    });
    let (client, exists) = lock.join().unwrap();
    if !exists {
        administer(vec![format!("DROP DATABASE IF EXISTS {made} WITH (FORCE)"), format!("CREATE DATABASE {made}")])
            .unwrap();
        let store = open_postgres(&url_of(&made));
        store.migrate().await.unwrap();
        store.close().await;
        administer(vec![format!("ALTER DATABASE {made} RENAME TO {name}")]).unwrap();
    }
    // The blocking client must not be closed on a thread of an asynchronous runtime.
    std::thread::spawn(move || drop(client)).join().unwrap();
    name
}

fn administer(statements: Vec<String>) -> Result<(), postgres::Error> {
    std::thread::spawn(move || {
        let mut client = connect();
        statements.iter().try_for_each(|sql| client.batch_execute(sql))
    })
    .join()
    .unwrap()
}

fn connect() -> postgres::Client {
    postgres::Client::connect(&server_url(), postgres::NoTls).expect("the test server answers")
}

fn url_of(name: &str) -> String {
    let base = server_url();
    let (server, _) = base.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{name}")
}

#[expect(clippy::disallowed_methods, reason = "cargo xtask test tells tests where its PostgreSQL is")]
fn server_url() -> String {
    std::env::var("DOORWARD_TEST_POSTGRES_URL")
        .expect("DOORWARD_TEST_POSTGRES_URL is not set: run the tests with `cargo xtask test`")
}
