//! What a closure sees of the database: the only file that knows both drivers.

use std::collections::HashMap;
use std::error::Error as StdError;

use bytes::BytesMut;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use rusqlite::types::{ToSqlOutput, ValueRef};

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
    Sqlite(&'a rusqlite::Connection),
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

/// A PostgreSQL connection with its prepared statements.
pub(crate) struct Session {
    pub(crate) client: postgres::Client,
    prepared: HashMap<(usize, usize), postgres::Statement>,
}

impl Session {
    pub(crate) fn new(client: postgres::Client) -> Self {
        Self { client, prepared: HashMap::new() }
    }

    pub(crate) fn forget_statements(&mut self) {
        self.prepared.clear();
    }

    fn prepare(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<postgres::Statement, postgres::Error> {
        // Statements are constants, so the address of the text identifies it without hashing it.
        let key = (statement.postgres.as_ptr().addr(), statement.postgres.len());
        if let Some(prepared) = self.prepared.get(&key) {
            return Ok(prepared.clone());
        }
        // Types for parameters the text does not have would be accepted, and the mistake with them.
        let types: Vec<Type> = values.iter().take(parameter_count(statement.postgres)).map(postgres_type).collect();
        let prepared = self.client.prepare_typed(statement.postgres, &types)?;
        self.prepared.insert(key, prepared.clone());
        Ok(prepared)
    }
}

impl<'a> Tx<'a> {
    pub(crate) fn sqlite(connection: &'a rusqlite::Connection) -> Self {
        Self { driver: Driver::Sqlite(connection), failure: None }
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
            Driver::Sqlite(connection) => match execute_sqlite(connection, statement, values) {
                Ok(rows) => Ok(rows),
                Err(error) => Err(self.sqlite_failed(statement, &error)),
            },
            Driver::Postgres(session) => match execute_postgres(session, statement, values) {
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
            Driver::Sqlite(connection) => match connection.execute_batch(script.sqlite) {
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
            Driver::Sqlite(connection) => match connection.prepare(statement.sqlite) {
                Ok(_) => Ok(()),
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
            Driver::Sqlite(connection) => match visit_sqlite(connection, statement, values, visitor) {
                Ok(verdict) => verdict,
                Err(error) => Err(self.sqlite_failed(statement, &error)),
            },
            Driver::Postgres(session) => match visit_postgres(session, statement, values, visitor) {
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

    fn postgres_failed(&mut self, statement: &Statement, error: &postgres::Error) -> StoreError {
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
    Postgres(&'a postgres::Row),
}

impl Row<'_> {
    /// The value of column `index` (from 0): `String`, `i64`, `bool`, `Vec<u8>`, `[u8; N]`, `Timestamp`, or an
    /// `Option` of these. Another type, or `NULL` without `Option`, is [`StoreError::Corrupt`].
    pub fn get<T: FromColumn>(&self, index: usize) -> Result<T, StoreError> {
        let cell = match self.driver {
            RowDriver::Sqlite(row) => row.get_ref(index).ok().and_then(sqlite_cell),
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

fn execute_sqlite(
    connection: &rusqlite::Connection,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<u64, rusqlite::Error> {
    let mut prepared = connection.prepare_cached(statement.sqlite)?;
    bind_by_name(&mut prepared, values)?;
    prepared.raw_execute().map(|rows| rows as u64)
}

fn visit_sqlite(
    connection: &rusqlite::Connection,
    statement: &Statement,
    values: &[Value<'_>],
    visitor: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<Result<(), StoreError>, rusqlite::Error> {
    let mut prepared = connection.prepare_cached(statement.sqlite)?;
    bind_by_name(&mut prepared, values)?;
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next()? {
        if let Err(error) = visitor(&Row { driver: RowDriver::Sqlite(row), statement: statement.name }) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

/// To SQLite `$2` is a *named* parameter, numbered by first appearance: binding by position would swap values
/// as soon as a statement names them out of order.
fn bind_by_name(prepared: &mut rusqlite::Statement<'_>, values: &[Value<'_>]) -> Result<(), rusqlite::Error> {
    let mut used = 0;
    for position in 1..=prepared.parameter_count() {
        let number = prepared
            .parameter_name(position)
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|digits| digits.parse::<usize>().ok());
        let value = number.and_then(|number| values.get(number.checked_sub(1)?));
        let (Some(number), Some(value)) = (number, value) else {
            return Err(rusqlite::Error::InvalidParameterCount(values.len(), prepared.parameter_count()));
        };
        used = used.max(number);
        prepared.raw_bind_parameter(position, value)?;
    }
    if used != values.len() {
        return Err(rusqlite::Error::InvalidParameterCount(values.len(), used));
    }
    Ok(())
}

fn execute_postgres(
    session: &mut Session,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<u64, postgres::Error> {
    let prepared = session.prepare(statement, values)?;
    session.client.execute(&prepared, &postgres_parameters(values))
}

fn visit_postgres(
    session: &mut Session,
    statement: &Statement,
    values: &[Value<'_>],
    visitor: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<Result<(), StoreError>, postgres::Error> {
    let prepared = session.prepare(statement, values)?;
    let mut rows = session.client.query_raw(&prepared, postgres_parameters(values))?;
    let mut verdict = Ok(());
    // Reads to the end even after the visitor gave up, so that a late error of the statement is seen.
    while let Some(row) = rows.next()? {
        if verdict.is_ok() {
            verdict = visitor(&Row { driver: RowDriver::Postgres(&row), statement: statement.name });
        }
    }
    Ok(verdict)
}

/// The highest `$n` in a text.
fn parameter_count(sql: &str) -> usize {
    let numbers = sql.split('$').skip(1).map(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse().unwrap_or(0)
    });
    numbers.max().unwrap_or(0)
}

fn postgres_parameters<'v>(values: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn postgres_type(value: &Value<'_>) -> Type {
    match value {
        Value::Text(_) | Value::NullText => Type::TEXT,
        Value::Integer(_) | Value::NullInteger => Type::INT8,
        Value::Boolean(_) | Value::NullBoolean => Type::BOOL,
        Value::Bytes(_) | Value::NullBytes => Type::BYTEA,
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Integer(number) => ValueRef::Integer(number),
            Value::Boolean(yes) => ValueRef::Integer(i64::from(yes)),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::NullText | Value::NullInteger | Value::NullBoolean | Value::NullBytes => ValueRef::Null,
        }))
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        if postgres_type(self) != *ty {
            return Err(format!("the statement was prepared with {ty} here, not {self:?}").into());
        }
        match *self {
            Value::Text(text) => text.to_sql(ty, out),
            Value::Integer(number) => number.to_sql(ty, out),
            Value::Boolean(yes) => yes.to_sql(ty, out),
            Value::Bytes(bytes) => bytes.to_sql(ty, out),
            Value::NullText | Value::NullInteger | Value::NullBoolean | Value::NullBytes => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true // the type is compared with the value above
    }

    to_sql_checked!();
}

fn sqlite_cell(value: ValueRef<'_>) -> Option<Cell<'_>> {
    Some(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Text(text) => Cell::Text(std::str::from_utf8(text).ok()?),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
        ValueRef::Real(_) => return None,
    })
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Cell::Integer(i64::from_sql(ty, raw)?),
            Type::INT4 => Cell::Integer(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Cell::Integer(i16::from_sql(ty, raw)?.into()),
            Type::BOOL => Cell::Boolean(bool::from_sql(ty, raw)?),
            Type::BYTEA => Cell::Bytes(raw),
            _ => Cell::Text(<&str>::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Cell::Null)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::INT2 | Type::BOOL | Type::BYTEA) || <&str as FromSql>::accepts(ty)
    }
}
