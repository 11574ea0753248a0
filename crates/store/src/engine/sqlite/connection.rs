//! How a connection to the database file is set up.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::SqliteOptions;
use super::error::translate;
use crate::StoreError;
use crate::engine::moment;
use crate::error::Fault;

/// Virtual machine instructions between two looks at the clock: far below a millisecond.
const INSTRUCTIONS_PER_CHECK: i32 = 4_000;

/// When the closure that a connection is running has to be done.
#[derive(Clone, Default)]
pub(super) struct Deadline(Arc<Mutex<Option<Instant>>>);

impl Deadline {
    pub(super) fn set(&self, budget: Option<Duration>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = budget.map(|budget| moment::now() + budget);
    }

    fn has_passed(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|deadline| moment::now() > deadline)
    }
}

/// A connection and the deadline that interrupts what runs on it.
pub(super) struct Guarded {
    pub(super) connection: Connection,
    pub(super) deadline: Deadline,
}

/// Opens the writer's connection, creating the file (readable by its owner only) when it is missing.
pub(super) fn open_writer(path: &Path, options: &SqliteOptions) -> Result<Guarded, StoreError> {
    create_private_file(path)?;
    let guarded = open(path, options)?;
    guarded
        .connection
        // FULL syncs the write-ahead log at every commit: an answered write survives a power cut. The checkpoint
        // every 16 MiB is rarer than the default because rewriting the same pages then costs one write, not four.
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -16384;
             PRAGMA wal_autocheckpoint = 4000;
             PRAGMA journal_size_limit = 67108864;",
        )
        .map_err(|error| translate("open", &error))?;
    let mode: String = guarded
        .connection
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .map_err(|error| translate("open", &error))?;
    if mode != "wal" {
        return Err(Fault::new("open", mode, "the file system does not support a write-ahead log").into());
    }
    Ok(guarded)
}

/// Opens a connection that cannot write.
pub(super) fn open_reader(path: &Path, options: &SqliteOptions) -> Result<Guarded, StoreError> {
    let guarded = open(path, options)?;
    guarded
        .connection
        .execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -4096;")
        .map_err(|error| translate("open", &error))?;
    Ok(guarded)
}

fn open(path: &Path, options: &SqliteOptions) -> Result<Guarded, StoreError> {
    let mut connection = Connection::open(path).map_err(|error| translate("open", &error))?;
    connection.busy_timeout(options.busy_timeout).map_err(|error| translate("open", &error))?;
    // No memory mapping: an I/O error in a mapped page kills the process, where a failed read is an error.
    // Temporary tables and sorts stay in memory: nothing unsealed is written beside the database.
    connection
        .execute_batch("PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;")
        .map_err(|error| translate("open", &error))?;
    // Without this SQLite, built with column statistics, may prepare a statement again whenever other values are bound to
    // it: half of the writer's time in a renewal.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(|error| translate("open", &error))?;
    let deadline = Deadline::default();
    let watched = deadline.clone();
    connection
        .progress_handler(INSTRUCTIONS_PER_CHECK, Some(move || watched.has_passed()))
        .map_err(|error| translate("open", &error))?;
    Ok(Guarded { connection, deadline })
}

/// SQLite gives its side files the permissions of the database file.
fn create_private_file(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::new("open", "file", format!("{}: {error}", path.display())).into()),
    }
}
