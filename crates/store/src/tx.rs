//! What a closure sees of the database: the only module that knows both drivers.

mod postgres;
mod sqlite;

pub(crate) use self::postgres::Session;
pub(crate) use self::sqlite::Prepared;
use crate::cell::Cell;
use crate::engine::{postgres as postgres_engine, sqlite as sqlite_engine};
use crate::error::Fault;
use crate::{FromColumn, Statement, StoreError, Value};

/// A transaction in progress. After one database error it refuses every further statement, on both engines:
/// PostgreSQL has aborted its transaction by then, and the engine rolls back whatever the closure returns.
pub struct Tx<'a> {
    driver: Driver<'a>,
    failure: Option<Failure>,
}

enum Driver<'a> {
    Sqlite(&'a mut dyn sqlite::Session),
    Postgres(&'a mut Session),
}

/// What a failed statement means for the transaction and its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The statement was refused; running the closure again would end the same way.
    Final,
    /// Lost a race that PostgreSQL resolved by refusing this side (40001, 40P01): run the closure again.
    Race,
    /// A prepared statement no longer fits the schema: forget it and run the closure again.
    StalePlan,
    /// The connection is gone, and with it the uncommitted transaction.
    ConnectionLost,
}

impl<'a> Tx<'a> {
    pub(crate) fn sqlite(session: &'a mut Prepared<'_>) -> Self {
        Self { driver: Driver::Sqlite(session), failure: None }
    }

    pub(crate) fn postgres(session: &'a mut Session) -> Self {
        Self { driver: Driver::Postgres(session), failure: None }
    }

    pub(crate) fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// Runs a statement and says how many rows it changed.
    pub fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.admit(statement, values)?;
        match &mut self.driver {
            Driver::Sqlite(session) => match session.execute(statement, values) {
                Ok(rows) => Ok(rows),
                Err(error) => Err(self.sqlite_failed(statement, &error)),
            },
            Driver::Postgres(session) => match postgres::execute(session, statement, values) {
                Ok(rows) => Ok(rows),
                Err(error) => Err(self.postgres_failed(statement, &error)),
            },
        }
    }

    /// Runs a statement that must change exactly `rows` rows; any other number is [`StoreError::UnexpectedRows`].
    pub fn execute_expecting(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
        rows: u64,
    ) -> Result<(), StoreError> {
        let actual = self.execute(statement, values)?;
        if actual == rows {
            return Ok(());
        }
        Err(StoreError::UnexpectedRows { statement: statement.name, expected: rows, actual })
    }

    /// The one row a statement must return.
    pub fn query_one<T>(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.query_optional(statement, values, read)?.ok_or(StoreError::UnexpectedRows {
            statement: statement.name,
            expected: 1,
            actual: 0,
        })
    }

    /// The one row a statement may return.
    pub fn query_optional<T>(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.visit(statement, values, &mut |row| {
            if found.is_some() {
                return Err(StoreError::UnexpectedRows { statement: statement.name, expected: 1, actual: 2 });
            }
            found = Some(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// All rows a statement returns. The statement bounds them (`LIMIT`).
    pub fn query_all<T>(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        self.visit(statement, values, &mut |row| {
            all.push(read(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Runs a script of several statements without parameters: migrations only.
    pub(crate) fn execute_script(&mut self, script: &Statement) -> Result<(), StoreError> {
        self.admit(script, &[])?;
        match &mut self.driver {
            Driver::Sqlite(session) => match session.connection().execute_batch(script.sqlite) {
                Ok(()) => Ok(()),
                Err(error) => Err(self.sqlite_failed(script, &error)),
            },
            Driver::Postgres(session) => match session.client.batch_execute(script.postgres) {
                Ok(()) => Ok(()),
                Err(error) => Err(self.postgres_failed(script, &error)),
            },
        }
    }

    /// Prepares a statement without running it.
    #[cfg(test)]
    pub(crate) fn prepare(&mut self, statement: &Statement) -> Result<(), StoreError> {
        self.admit(statement, &[])?;
        match &mut self.driver {
            Driver::Sqlite(session) => match session.connection().prepare(statement.sqlite).map(drop) {
                Ok(()) => Ok(()),
                Err(error) => Err(self.sqlite_failed(statement, &error)),
            },
            Driver::Postgres(session) => match session.client.prepare(statement.postgres) {
                Ok(_) => Ok(()),
                Err(error) => Err(self.postgres_failed(statement, &error)),
            },
        }
    }

    fn visit(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
        visitor: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.admit(statement, values)?;
        // The inner result is the visitor's verdict, the outer one the database's.
        match &mut self.driver {
            Driver::Sqlite(session) => match session.visit(statement, values, visitor) {
                Ok(verdict) => verdict,
                Err(error) => Err(self.sqlite_failed(statement, &error)),
            },
            Driver::Postgres(session) => match postgres::visit(session, statement, values, visitor) {
                Ok(verdict) => verdict,
                Err(error) => Err(self.postgres_failed(statement, &error)),
            },
        }
    }

    fn admit(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<(), StoreError> {
        if self.failure.is_some() {
            return Err(Fault::new(statement.name, "aborted", "an earlier statement of this transaction failed").into());
        }
        if values.iter().any(|value| matches!(value, Value::Text(text) if text.as_bytes().contains(&0))) {
            self.failure = Some(Failure::Final);
            return Err(Fault::new(statement.name, "text", "a text parameter holds a NUL character").into());
        }
        Ok(())
    }

    fn sqlite_failed(&mut self, statement: &Statement, error: &rusqlite::Error) -> StoreError {
        self.failure = Some(Failure::Final);
        sqlite_engine::error::translate(statement.name, error)
    }

    fn postgres_failed(&mut self, statement: &Statement, error: &::postgres::Error) -> StoreError {
        let (failure, error) = postgres_engine::error::translate(statement.name, error);
        self.failure = Some(failure);
        error
    }
}

/// One row of a result.
pub struct Row<'a> {
    driver: RowDriver<'a>,
    statement: &'static str,
}

enum RowDriver<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a ::postgres::Row),
}

impl Row<'_> {
    /// The value of column `index` (from 0): `String`, `i64`, `bool`, `Vec<u8>`, `[u8; N]`, `Timestamp`, or an
    /// `Option` of these. Another type, or `NULL` without `Option`, is [`StoreError::Corrupt`].
    pub fn get<T: FromColumn>(&self, index: usize) -> Result<T, StoreError> {
        let cell = match self.driver {
            RowDriver::Sqlite(row) => row.get_ref(index).ok().and_then(sqlite::cell),
            RowDriver::Postgres(row) => row.try_get::<usize, Cell<'_>>(index).ok(),
        };
        cell.and_then(T::from_cell).ok_or_else(|| {
            tracing::error!(
                store.statement = self.statement,
                store.column = index,
                expected = T::EXPECTED,
                "unreadable"
            );
            StoreError::Corrupt(T::EXPECTED)
        })
    }
}
