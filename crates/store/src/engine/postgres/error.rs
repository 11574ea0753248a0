//! What PostgreSQL's error codes mean to a caller and to the worker
//! (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).

use std::error::Error as _;
use std::io;

use postgres::Error;
use postgres::error::{DbError, SqlState};

use crate::StoreError;
use crate::error::Fault;
use crate::tx::Failure;

pub(crate) fn translate(statement: &'static str, error: &Error) -> (Failure, StoreError) {
    let Some(cause) = error.as_db_error() else { return translate_driver(statement, error) };
    let failure = failure_of(cause);
    let translated = match failure {
        Failure::Final if is_conflict(cause.code()) => {
            StoreError::Conflict(cause.constraint().unwrap_or("an unnamed constraint").to_owned())
        }
        // The detail and hint may quote rows; the message of these codes does not.
        Failure::StalePlan => Fault::new(statement, cause.code().code(), cause.message()).into(),
        Failure::Final if !is_passing(cause.code()) => {
            Fault::new(statement, cause.code().code(), cause.message()).into()
        }
        _ => {
            tracing::warn!(store.statement = statement, store.code = cause.code().code(), "database unavailable");
            StoreError::Unavailable
        }
    };
    (failure, translated)
}

/// Errors of the driver and the network, which carry no server code.
fn translate_driver(statement: &'static str, error: &Error) -> (Failure, StoreError) {
    let detail = error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    let network = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    if network.and_then(io::Error::get_ref).is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) {
        // A certificate or a protocol that will not be right next time either.
        return (Failure::ConnectionLost, Fault::new(statement, "tls", detail).into());
    }
    if error.is_closed() || network.is_some() {
        tracing::warn!(store.statement = statement, "database connection failed: {detail}");
        return (Failure::ConnectionLost, StoreError::Unavailable);
    }
    (Failure::Final, Fault::new(statement, "driver", detail).into())
}

fn failure_of(cause: &DbError) -> Failure {
    let code = cause.code();
    if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        Failure::Race
    } else if *code == SqlState::FEATURE_NOT_SUPPORTED || *code == SqlState::INVALID_SQL_STATEMENT_NAME {
        // "cached plan must not change result type", or a proxy that lost the prepared statement.
        Failure::StalePlan
    } else if code.code().starts_with("08")
        || *code == SqlState::ADMIN_SHUTDOWN
        || *code == SqlState::CRASH_SHUTDOWN
        || *code == SqlState::CANNOT_CONNECT_NOW
        || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        || *code == SqlState::DATABASE_DROPPED
    {
        Failure::ConnectionLost
    } else {
        Failure::Final
    }
}

fn is_conflict(code: &SqlState) -> bool {
    *code == SqlState::UNIQUE_VIOLATION || *code == SqlState::FOREIGN_KEY_VIOLATION
}

/// Out of time, space or connections: trying later may work. A server that has become a read-only standby too.
fn is_passing(code: &SqlState) -> bool {
    code.code().starts_with("53")
        || *code == SqlState::QUERY_CANCELED
        || *code == SqlState::LOCK_NOT_AVAILABLE
        || *code == SqlState::IO_ERROR
}
