//! What every command that touches the data needs: settings, keys, the database.

use std::sync::Arc;

use doorward_app::keys::sealing::MasterKeys;
use doorward_model::time::{Clock as _, SECOND_MS, Timestamp};
use doorward_store::migrations::{self, MigrationError};
use doorward_store::{PostgresOptions, SqliteOptions, Store, StoreError, database_clock};
use thiserror::Error;

use crate::configuration::secret_file::SecretFileError;
use crate::configuration::{Configuration, Database};
use crate::data_dir::{self, DataDirError};
use crate::master_key::{self, MasterKeyError};
use crate::telemetry::health::ReadinessCheck;
use crate::telemetry::sources::{SystemClock, SystemRandom};

/// How far clocks may be apart.
const MAX_SKEW_MS: i64 = 2 * SECOND_MS;

/// Why the data cannot be opened.
#[derive(Debug, Error)]
pub enum RuntimeError {
    /// The data folder.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// A file with a database secret.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    /// The database.
    #[error("the database cannot be opened")]
    Store(#[from] StoreError),
    /// Its schema.
    #[error("the database's schema does not fit")]
    Schema(#[from] MigrationError),
    /// Its schema is behind and must not be changed.
    #[error("the database's schema is behind this version; run doorward migrate")]
    SchemaBehind,
    /// The thread that opened it panicked.
    #[error("opening the database was cut off")]
    CutOff(#[from] tokio::task::JoinError),
}

/// Open data.
pub struct Runtime {
    /// The settings.
    pub configuration: Arc<Configuration>,
    /// What seals.
    pub master_keys: Arc<MasterKeys>,
    /// The database.
    pub store: Store,
}

/// The database read its clock between the two readings of ours.
fn clocks_agree(before: Timestamp, theirs: Timestamp, after: Timestamp) -> Result<(), &'static str> {
    let is_within = theirs.since_ms(before) >= -MAX_SKEW_MS && theirs.since_ms(after) <= MAX_SKEW_MS;
    if is_within { Ok(()) } else { Err("it differs from the database's by more than two seconds") }
}

/// Opens the database alone.
pub async fn open_store(configuration: &Configuration) -> Result<Store, RuntimeError> {
    let database = configuration.database()?;
    let connections = configuration.database_connections as usize;
    let opened = tokio::task::spawn_blocking(move || match database {
        Database::Sqlite(path) => Store::open_sqlite(&path, &SqliteOptions::default()),
        Database::Postgres(url) => {
            Store::open_postgres(url.reveal(), &PostgresOptions { connections, ..PostgresOptions::default() })
        }
    });
    Ok(opened.await??)
}

impl Runtime {
    /// Opens everything these settings name. The master key comes first: data must never exist without one.
    pub async fn open(configuration: Configuration) -> Result<Self, RuntimeError> {
        data_dir::create(&configuration.data_dir)?;
        let master_keys = Arc::new(master_key::open(&configuration, &SystemRandom)?);
        let store = open_store(&configuration).await?;
        Ok(Self { configuration: Arc::new(configuration), master_keys, store })
    }

    /// Brings the schema to this version, or refuses when it is behind and must not be changed.
    pub async fn prepare_schema(&self, may_migrate: bool) -> Result<(), RuntimeError> {
        let status =
            if may_migrate { migrations::run(&self.store).await? } else { migrations::status(&self.store).await? };
        if status.pending.is_empty() { Ok(()) } else { Err(RuntimeError::SchemaBehind) }
    }

    /// Whether the database answers and has the schema of this version.
    pub fn readiness(&self) -> ReadinessCheck {
        let store = self.store.clone();
        ReadinessCheck::new("database", move || {
            let store = store.clone();
            async move {
                match migrations::status(&store).await {
                    Ok(status) if status.pending.is_empty() => Ok(()),
                    Ok(_) => Err("its schema is behind"),
                    Err(MigrationError::Store(_)) => Err("it does not answer"),
                    Err(_) => Err("its schema does not fit"),
                }
            }
        })
    }

    /// Whether this machine's clock and the database's agree. Times in rows come from the nodes, so nodes must agree
    /// with each other; the database is what they have in common. SQLite shares the machine's clock.
    pub fn clock_readiness(&self) -> ReadinessCheck {
        let store = self.store.clone();
        ReadinessCheck::new("clock", move || {
            let store = store.clone();
            async move {
                let before = SystemClock.now();
                let theirs = store.read(database_clock::read).await.map_err(|_: StoreError| "it cannot be compared")?;
                clocks_agree(before, theirs, SystemClock.now())
            }
        })
    }

    /// Commits or refuses everything accepted, and closes.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_agree_within_two_seconds_however_long_the_question_took() {
        let at = |ms: i64| Timestamp::from_ms(1_795_315_487_000 + ms);
        for (theirs, after, agree) in [
            (0, 1, true),
            (-2_000, 1, true),
            (-2_001, 1, false),
            (2_001, 1, true),
            (2_002, 1, false),
            (900, 1_800, true),
        ] {
            assert_eq!(clocks_agree(at(0), at(theirs), at(after)).is_ok(), agree, "{theirs} {after}");
        }
    }
}
