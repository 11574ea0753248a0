//! The closed set of values a statement takes.

use std::fmt;

use doorward_model::time::Timestamp;

/// A parameter of a statement. `NULL` is typed, because PostgreSQL must know the type before the value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text, without NUL characters (PostgreSQL cannot hold them).
    Text(&'a str),
    /// A 64-bit integer: numbers, and times in milliseconds.
    Integer(i64),
    /// A boolean; 0 or 1 in SQLite.
    Boolean(bool),
    /// Bytes.
    Bytes(&'a [u8]),
    /// No text.
    NullText,
    /// No integer.
    NullInteger,
    /// No boolean.
    NullBoolean,
    /// No bytes.
    NullBytes,
}

impl fmt::Debug for Value<'_> {
    /// Shows the type only: values are personal data and hashes of secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Integer(_) => "Integer",
            Self::Boolean(_) => "Boolean",
            Self::Bytes(_) => "Bytes",
            Self::NullText => "NullText",
            Self::NullInteger => "NullInteger",
            Self::NullBoolean => "NullBoolean",
            Self::NullBytes => "NullBytes",
        })
    }
}

macro_rules! from_values {
    ($($source:ty, $null:ident, $from:expr;)*) => {$(
        impl<'a> From<$source> for Value<'a> {
            fn from(value: $source) -> Self {
                let convert: fn($source) -> Value<'a> = $from;
                convert(value)
            }
        }
        impl<'a> From<Option<$source>> for Value<'a> {
            fn from(value: Option<$source>) -> Self {
                value.map_or(Value::$null, Value::from)
            }
        }
    )*};
}

from_values! {
    &'a str, NullText, Value::Text;
    &'a String, NullText, |text| Value::Text(text);
    i64, NullInteger, Value::Integer;
    u32, NullInteger, |number| Value::Integer(i64::from(number));
    Timestamp, NullInteger, |at| Value::Integer(at.as_ms());
    bool, NullBoolean, Value::Boolean;
    &'a [u8], NullBytes, Value::Bytes;
    &'a Vec<u8>, NullBytes, |bytes| Value::Bytes(bytes);
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<Option<&'a [u8; N]>> for Value<'a> {
    fn from(bytes: Option<&'a [u8; N]>) -> Self {
        bytes.map_or(Self::NullBytes, Self::from)
    }
}
