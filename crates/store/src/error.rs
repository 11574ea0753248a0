//! What can go wrong in the store, in the terms a caller can act on.

use std::fmt;

use thiserror::Error;

/// What can go wrong in the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database cannot be used now (pool or queue full, connection gone, disk full, locked, out of time);
    /// nothing is wrong with the request and trying later may work. The cause is in the log.
    #[error("the database is not available")]
    Unavailable,
    /// A unique, primary key or foreign key constraint refused the change. Names the constraint or column,
    /// in the database's own spelling: for the log, not for decisions (use `ON CONFLICT` and row counts).
    #[error("the change conflicts with {0}")]
    Conflict(String),
    /// A statement touched or returned another number of rows than it must.
    #[error("{statement} met {actual} rows instead of {expected}")]
    UnexpectedRows {
        /// The statement.
        statement: &'static str,
        /// How many rows it has to meet.
        expected: u64,
        /// How many it met (for a query that must return at most one row: at least this many).
        actual: u64,
    },
    /// The database holds something that cannot be there.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(&'static str),
    /// Anything else: a defect in a statement, a closure that panicked, a refused configuration.
    #[error("the database reported an error")]
    Database(#[from] Fault),
    /// The store is closing and takes no more work.
    #[error("the store is closed")]
    Closed,
}

/// An error of the database or its driver, reduced to what may be logged: never a parameter, a row or a password.
#[derive(Debug)]
pub struct Fault {
    statement: &'static str,
    code: String,
    message: String,
}

impl Fault {
    pub(crate) fn new(statement: &'static str, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { statement, code: code.into(), message: message.into() }
    }

    /// The database's own code (an SQLSTATE, an SQLite result code), or one word of ours.
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.statement, self.message, self.code)
    }
}

impl std::error::Error for Fault {}
