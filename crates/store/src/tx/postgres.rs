//! Connections, statements, values and cells in PostgreSQL's terms.

use std::collections::HashMap;
use std::error::Error as StdError;

use bytes::BytesMut;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::{Row, RowDriver};
use crate::cell::Cell;
use crate::{Statement, StoreError, Value};

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
        let types: Vec<Type> = values.iter().take(parameter_count(statement.postgres)).map(type_of).collect();
        let prepared = self.client.prepare_typed(statement.postgres, &types)?;
        self.prepared.insert(key, prepared.clone());
        Ok(prepared)
    }
}

pub(super) fn execute(
    session: &mut Session,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<u64, postgres::Error> {
    let prepared = session.prepare(statement, values)?;
    session.client.execute(&prepared, &parameters(values))
}

pub(super) fn visit(
    session: &mut Session,
    statement: &Statement,
    values: &[Value<'_>],
    visitor: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<Result<(), StoreError>, postgres::Error> {
    let prepared = session.prepare(statement, values)?;
    let mut rows = session.client.query_raw(&prepared, parameters(values))?;
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

fn parameters<'v>(values: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn type_of(value: &Value<'_>) -> Type {
    match value {
        Value::Text(_) | Value::NullText => Type::TEXT,
        Value::Integer(_) | Value::NullInteger => Type::INT8,
        Value::Boolean(_) | Value::NullBoolean => Type::BOOL,
        Value::Bytes(_) | Value::NullBytes => Type::BYTEA,
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        if type_of(self) != *ty {
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
