//! Schema changes: embedded, numbered, forward only, each applied once.
//!
//! Expand, then contract: version N and version N−1 of the product run on the same schema.

use doorward_model::secret::TokenHash;
use thiserror::Error;

use crate::{Statement, Store, StoreError, Tx, statements};

/// One numbered change, with a script for each database.
pub(crate) struct Migration {
    pub(crate) number: i64,
    pub(crate) script: Statement,
}

macro_rules! migrations {
    ($($number:literal $name:literal;)*) => {
        &[$(Migration {
            number: $number,
            script: Statement::differing(
                $name,
                include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
                include_str!(concat!("../migrations/postgres/", $name, ".sql")),
            ),
        }),*]
    };
}

/// All changes, in order.
pub(crate) static MIGRATIONS: &[Migration] = migrations! {
    1 "0001_foundation";
    2 "0002_clients";
    3 "0003_client_origins";
    4 "0004_consents";
    5 "0005_renewal";
    6 "0006_proofs";
    7 "0007_device_requests";
    8 "0008_registrations";
    9 "0009_revocations_in_order";
    10 "0010_events_by_id";
    11 "0011_revoked_sessions";
    12 "0012_fewer_pages";
    13 "0013_sealed_codes";
};

statements! {
    /// Keeps a second starting node waiting until this one is done. `SQLite` has locked the file already.
    LOCK = {
        sqlite: "SELECT 1",
        postgres: "SELECT 1 FROM (SELECT pg_advisory_xact_lock(4965218930217301)) AS locked",
    };
    /// Waiting for another node's migration is no reason to give up.
    WAIT_LONG = {
        sqlite: "SELECT 1",
        postgres: "SELECT 1 FROM (SELECT set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true)) AS waits",
    };
    /// Whether the table of applied changes exists.
    FIND_TABLE = {
        sqlite: "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'",
        postgres: "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('schema_migrations')",
    };
    /// What has been applied.
    LIST_APPLIED = "SELECT number, name, checksum FROM schema_migrations ORDER BY number";
    /// Records a change.
    INSERT_APPLIED = "INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)";
}

static CREATE_TABLE: Statement = Statement::differing(
    "migrations::CREATE_TABLE",
    "CREATE TABLE schema_migrations (
        number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL
    ) WITHOUT ROWID",
    "CREATE TABLE schema_migrations (
        number BIGINT NOT NULL PRIMARY KEY, name TEXT COLLATE \"C\" NOT NULL, checksum BYTEA NOT NULL
    )",
);

/// Why the schema is not what this version needs.
#[derive(Debug, Error)]
pub enum MigrationError {
    /// The database itself failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A newer version of the product has been here.
    #[error(
        "the database has schema change {found} and this version knows only up to {known}: \
         run the newer version of doorward, or restore a backup made by this one"
    )]
    Newer {
        /// The newest change in the database.
        found: i64,
        /// The newest change this version knows.
        known: i64,
    },
    /// An applied change is not the one this version would apply.
    #[error("schema change {name} was applied with another content than this version has")]
    Changed {
        /// The change.
        name: String,
    },
    /// An older change is missing while newer ones are applied.
    #[error("schema change {name} was never applied although newer ones were")]
    Gap {
        /// The change.
        name: String,
    },
}

/// Which changes are applied and which are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Names of applied changes.
    pub applied: Vec<String>,
    /// Names of changes still to apply.
    pub pending: Vec<String>,
}

/// What is applied and what is pending. Refuses a schema this version cannot work with.
pub async fn status(store: &Store) -> Result<Status, MigrationError> {
    status_of(store, MIGRATIONS).await
}

/// Applies what is pending, all in one transaction. Safe to call on several nodes at once.
pub async fn run(store: &Store) -> Result<Status, MigrationError> {
    run_all(store, MIGRATIONS).await
}

pub(crate) async fn status_of(store: &Store, all: &'static [Migration]) -> Result<Status, MigrationError> {
    let is_sqlite = store.is_sqlite();
    store.read(move |tx| compare(tx, all, is_sqlite)).await
}

pub(crate) async fn run_all(store: &Store, all: &'static [Migration]) -> Result<Status, MigrationError> {
    let is_sqlite = store.is_sqlite();
    store
        .write_unlimited(move |tx| {
            tx.query_one(&WAIT_LONG, &[], |_| Ok(()))?;
            tx.query_one(&LOCK, &[], |_| Ok(()))?;
            if !has_table(tx)? {
                tx.execute_script(&CREATE_TABLE)?;
            }
            let before = compare(tx, all, is_sqlite)?;
            for migration in all.iter().skip(before.applied.len()) {
                tx.execute_script(&migration.script)?;
                let checksum = migration.checksum(is_sqlite);
                tx.execute_expecting(
                    &INSERT_APPLIED,
                    &[migration.number.into(), migration.script.name.into(), checksum.as_bytes().into()],
                    1,
                )?;
                tracing::info!(store.migration = migration.script.name, "schema changed");
            }
            compare(tx, all, is_sqlite)
        })
        .await
}

fn compare(tx: &mut Tx<'_>, all: &[Migration], is_sqlite: bool) -> Result<Status, MigrationError> {
    let mut applied: Vec<(i64, String, [u8; 32])> = Vec::new();
    if has_table(tx)? {
        applied = tx.query_all(&LIST_APPLIED, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    }
    let known = all.last().map_or(0, |migration| migration.number);
    if let Some((found, ..)) = applied.last().filter(|(found, ..)| *found > known) {
        return Err(MigrationError::Newer { found: *found, known });
    }
    let mut status = Status::default();
    let mut applied = applied.into_iter().peekable();
    for migration in all {
        let name = migration.script.name.to_owned();
        match applied.next_if(|(number, ..)| *number == migration.number) {
            Some((.., checksum)) if checksum != *migration.checksum(is_sqlite).as_bytes() => {
                return Err(MigrationError::Changed { name });
            }
            Some(_) => status.applied.push(name),
            None if applied.peek().is_some() => return Err(MigrationError::Gap { name }),
            None => status.pending.push(name),
        }
    }
    Ok(status)
}

fn has_table(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    tx.query_one(&FIND_TABLE, &[], |row| row.get::<i64>(0)).map(|count| count > 0)
}

impl Migration {
    fn checksum(&self, is_sqlite: bool) -> TokenHash {
        TokenHash::of(if is_sqlite { self.script.sqlite } else { self.script.postgres }.as_bytes())
    }
}

impl Store {
    /// Brings the schema to this version; see [`run`].
    pub async fn migrate(&self) -> Result<Status, MigrationError> {
        run(self).await
    }
}
