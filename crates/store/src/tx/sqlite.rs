//! Statements, values and cells in SQLite's terms.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, PrepFlags};

use super::{Row, RowDriver};
use crate::cell::Cell;
use crate::{Statement, StoreError, Value};

/// A connection as a transaction uses it, whatever it borrows from.
pub(super) trait Session {
    fn connection(&self) -> &Connection;

    fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<u64, rusqlite::Error>;

    fn visit(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
        visitor: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<Result<(), StoreError>, rusqlite::Error>;
}

/// A connection with its prepared statements: at most one for each constant of the product.
pub(crate) struct Prepared<'c> {
    connection: &'c Connection,
    statements: HashMap<(usize, usize), Known<'c>>,
}

/// A prepared statement.
struct Known<'c> {
    statement: rusqlite::Statement<'c>,
    /// Which value each parameter takes.
    places: Vec<usize>,
    /// How many values there must be.
    count: usize,
}

impl<'c> Prepared<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self { connection, statements: HashMap::new() }
    }

    /// Whether no transaction is open.
    pub(crate) fn is_autocommit(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// Begins or ends something.
    pub(crate) fn command(&mut self, statement: &Statement) -> Result<(), rusqlite::Error> {
        self.find(statement)?.statement.raw_execute().map(drop)
    }

    fn find(&mut self, statement: &Statement) -> Result<&mut Known<'c>, rusqlite::Error> {
        // Statements are constants, so the address of the text identifies it without hashing it.
        let key = (statement.sqlite.as_ptr().addr(), statement.sqlite.len());
        match self.statements.entry(key) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(Known::prepare(self.connection, statement.sqlite)?)),
        }
    }
}

impl<'c> Known<'c> {
    /// To `SQLite` `$2` is a *named* parameter, numbered by first appearance: binding by position would swap values
    /// as soon as a statement names them out of order.
    fn prepare(connection: &'c Connection, sql: &str) -> Result<Self, rusqlite::Error> {
        let statement = connection.prepare_with_flags(sql, PrepFlags::SQLITE_PREPARE_PERSISTENT)?;
        let mut places = Vec::with_capacity(statement.parameter_count());
        for position in 1..=statement.parameter_count() {
            let name = statement.parameter_name(position).unwrap_or_default();
            let number = name.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
            let place = number.and_then(|number| number.checked_sub(1));
            places.push(place.ok_or_else(|| rusqlite::Error::InvalidParameterName(name.to_owned()))?);
        }
        let count = places.iter().max().map_or(0, |last| last + 1);
        Ok(Self { statement, places, count })
    }

    fn bind(&mut self, values: &[Value<'_>]) -> Result<(), rusqlite::Error> {
        if values.len() != self.count {
            return Err(rusqlite::Error::InvalidParameterCount(values.len(), self.count));
        }
        for (position, value) in (1..).zip(self.places.iter().filter_map(|place| values.get(*place))) {
            self.statement.raw_bind_parameter(position, value)?;
        }
        Ok(())
    }

    fn visit(
        &mut self,
        name: &'static str,
        visitor: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<Result<(), StoreError>, rusqlite::Error> {
        let mut rows = self.statement.raw_query();
        while let Some(row) = rows.next()? {
            if let Err(error) = visitor(&Row { driver: RowDriver::Sqlite(row), statement: name }) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }
}

impl Session for Prepared<'_> {
    fn connection(&self) -> &Connection {
        self.connection
    }

    fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<u64, rusqlite::Error> {
        let known = self.find(statement)?;
        let done = known.bind(values).and_then(|()| known.statement.raw_execute());
        // What was bound is personal data, and not needed any more.
        known.statement.clear_bindings();
        done.map(|rows| rows as u64)
    }

    fn visit(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
        visitor: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<Result<(), StoreError>, rusqlite::Error> {
        let known = self.find(statement)?;
        let done = known.bind(values).and_then(|()| known.visit(statement.name, visitor));
        known.statement.clear_bindings();
        done
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

pub(super) fn cell(value: ValueRef<'_>) -> Option<Cell<'_>> {
    Some(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Text(text) => Cell::Text(std::str::from_utf8(text).ok()?),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
        ValueRef::Real(_) => return None,
    })
}
