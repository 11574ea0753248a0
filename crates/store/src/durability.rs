//! What the database promises about a commit, read back from it.

use crate::{Store, StoreError, statements};

statements! {
    /// The two settings that decide whether a committed transaction survives a power cut.
    FIND_SETTINGS = {
        sqlite: "SELECT j.journal_mode, CAST(s.synchronous AS TEXT) FROM pragma_journal_mode AS j, pragma_synchronous AS s",
        postgres: "SELECT current_setting('fsync'), current_setting('synchronous_commit')",
    };
}

/// How durable a commit is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The writer's settings in SQLite.
    Sqlite {
        /// `wal`.
        journal_mode: String,
        /// `2` is FULL: the log is synced at every commit. `1` would lose commits in a power cut.
        synchronous: String,
    },
    /// The server's and the session's settings in PostgreSQL.
    Postgres {
        /// `off` loses the whole database in a power cut.
        fsync: String,
        /// `off` loses the latest commits in a power cut.
        synchronous_commit: String,
    },
}

impl Durability {
    /// Whether an answered write survives a power cut.
    pub fn is_durable(&self) -> bool {
        match self {
            Self::Sqlite { journal_mode, synchronous } => {
                journal_mode == "wal" && matches!(synchronous.as_str(), "2" | "3")
            }
            Self::Postgres { fsync, synchronous_commit } => fsync == "on" && synchronous_commit != "off",
        }
    }
}

impl Store {
    /// Reads back how durable a commit is, on the connection that commits.
    pub async fn durability(&self) -> Result<Durability, StoreError> {
        let (first, second) = self
            .write(|tx| tx.query_one(&FIND_SETTINGS, &[], |row| Ok((row.get(0)?, row.get(1)?))))
            .await
            .map_err(|error: StoreError| error)?;
        Ok(if self.is_sqlite() {
            Durability::Sqlite { journal_mode: first, synchronous: second }
        } else {
            Durability::Postgres { fsync: first, synchronous_commit: second }
        })
    }
}
