//! What a column can hold, and how Rust types read it.

use doorward_model::time::Timestamp;

/// The value of one column of one row.
#[derive(Clone, Copy)]
pub enum Cell<'a> {
    /// `NULL`.
    Null,
    /// Text.
    Text(&'a str),
    /// An integer; SQLite's booleans too.
    Integer(i64),
    /// PostgreSQL's boolean.
    Boolean(bool),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// A type that a column can be read as.
pub trait FromColumn: Sized {
    /// What the error says when the column holds something else.
    const EXPECTED: &'static str;

    /// The value, when the cell holds one of this type.
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

impl FromColumn for String {
    const EXPECTED: &'static str = "a column holds no text";

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Text(text) = cell { Some(text.to_owned()) } else { None }
    }
}

impl FromColumn for i64 {
    const EXPECTED: &'static str = "a column holds no integer";

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Integer(number) = cell { Some(number) } else { None }
    }
}

impl FromColumn for Timestamp {
    const EXPECTED: &'static str = "a column holds no time";

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell).map(Self::from_ms)
    }
}

impl FromColumn for bool {
    const EXPECTED: &'static str = "a column holds no boolean";

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Boolean(yes) => Some(yes),
            Cell::Integer(0) => Some(false),
            Cell::Integer(1) => Some(true),
            _ => None,
        }
    }
}

impl FromColumn for Vec<u8> {
    const EXPECTED: &'static str = "a column holds no bytes";

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Bytes(bytes) = cell { Some(bytes.to_vec()) } else { None }
    }
}

impl<const N: usize> FromColumn for [u8; N] {
    const EXPECTED: &'static str = "a column does not hold the right number of bytes";

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Bytes(bytes) = cell { bytes.try_into().ok() } else { None }
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Null = cell { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}
