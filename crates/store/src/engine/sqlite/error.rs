//! What SQLite's result codes mean to a caller (<https://sqlite.org/rescode.html>).

use rusqlite::ffi::{
    SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE,
};
use rusqlite::{Error, ErrorCode};

use crate::StoreError;
use crate::error::Fault;

pub(crate) fn translate(statement: &'static str, error: &Error) -> StoreError {
    let (Error::SqliteFailure(cause, _) | Error::SqlInputError { error: cause, .. }) = error else {
        return Fault::new(statement, "driver", error.to_string()).into();
    };
    let message = match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        _ => cause.to_string(),
    };
    match cause.code {
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::OutOfMemory
        | ErrorCode::CannotOpen
        | ErrorCode::OperationInterrupted
        | ErrorCode::OperationAborted
        | ErrorCode::FileLockingProtocolFailed => {
            tracing::warn!(
                store.statement = statement,
                store.code = cause.extended_code,
                "database unavailable: {message}"
            );
            StoreError::Unavailable
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            tracing::error!(
                store.statement = statement,
                store.code = cause.extended_code,
                "database damaged: {message}"
            );
            StoreError::Corrupt("the database file is damaged")
        }
        ErrorCode::ConstraintViolation if is_conflict(cause.extended_code) => {
            // "UNIQUE constraint failed: users.email_canonical": names columns, never values.
            StoreError::Conflict(message.rsplit_once(": ").map_or(message.clone(), |(_, columns)| columns.to_owned()))
        }
        _ => Fault::new(statement, cause.extended_code.to_string(), message).into(),
    }
}

fn is_conflict(extended_code: i32) -> bool {
    matches!(
        extended_code,
        SQLITE_CONSTRAINT_UNIQUE
            | SQLITE_CONSTRAINT_PRIMARYKEY
            | SQLITE_CONSTRAINT_ROWID
            | SQLITE_CONSTRAINT_FOREIGNKEY
    )
}
