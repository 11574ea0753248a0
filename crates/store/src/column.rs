//! Columns that hold typed ids and times.

use doorward_model::id::{Id, Kind};

use crate::{Row, StoreError};

/// The id in column `index`.
pub(crate) fn id<K: Kind>(row: &Row<'_>, index: usize) -> Result<Id<K>, StoreError> {
    let text: String = row.get(index)?;
    Id::parse(&text).map_err(|_| StoreError::Corrupt("a column holds no id of its kind"))
}

/// The id in column `index`, if it holds one.
pub(crate) fn optional_id<K: Kind>(row: &Row<'_>, index: usize) -> Result<Option<Id<K>>, StoreError> {
    let text: Option<String> = row.get(index)?;
    let parse = |text: String| Id::parse(&text).map_err(|_| StoreError::Corrupt("a column holds no id of its kind"));
    text.map(parse).transpose()
}
