//! Statements, values and cells in SQLite's terms.

use rusqlite::types::{ToSqlOutput, ValueRef};

use super::{Row, RowDriver};
use crate::cell::Cell;
use crate::{Statement, StoreError, Value};

pub(super) fn execute(
    connection: &rusqlite::Connection,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<u64, rusqlite::Error> {
    let mut prepared = connection.prepare_cached(statement.sqlite)?;
    bind_by_name(&mut prepared, values)?;
    prepared.raw_execute().map(|rows| rows as u64)
}

pub(super) fn visit(
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

pub(super) fn cell(value: ValueRef<'_>) -> Option<Cell<'_>> {
    Some(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Text(text) => Cell::Text(std::str::from_utf8(text).ok()?),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
        ValueRef::Real(_) => return None,
    })
}
