//! A PostgreSQL database of its own for a test.

use std::path::Path;

use postgres::{Client, NoTls};

/// A database that is dropped afterwards, and the configuration that names it.
pub(crate) struct Database {
    name: String,
}

impl Database {
    /// Makes a database and a `doorward.toml` in `folder` that uses it.
    pub(crate) fn configured_in(folder: &Path) -> Self {
        let name = format!("process_test_{}", std::process::id());
        let database = Self { name };
        administer(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", database.name));
        administer(&format!("CREATE DATABASE {}", database.name));
        let init = super::run(folder, &["init", "--master-key-file", "key", "--database-url", &database.url()]);
        assert_eq!(init.status.code(), Some(0), "{}", super::text(&init.stderr));
        database
    }

    /// A connection of somebody else to it.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(&self.url(), NoTls).expect("the test server answers")
    }

    fn url(&self) -> String {
        let base = server();
        let at = base.rfind('/').expect("the URL names a database");
        format!("{}/{}", &base[..at], self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        administer(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn server() -> String {
    #[expect(clippy::disallowed_methods, reason = "tests are told by their environment where PostgreSQL is")]
    let url = std::env::var("DOORWARD_TEST_POSTGRES_URL");
    url.expect("DOORWARD_TEST_POSTGRES_URL names a PostgreSQL server; cargo xtask test starts one")
}

fn administer(sql: &str) {
    Client::connect(&server(), NoTls).expect("the test server answers").batch_execute(sql).unwrap();
}
