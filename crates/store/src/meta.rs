//! Facts about the deployment, one value per name.

use crate::{StoreError, Tx, statements};

statements! {
    /// By name.
    FIND = "SELECT value FROM meta WHERE key = $1";
    /// Sets a value that is not set.
    INSERT = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
    /// Replaces the value the caller saw.
    UPDATE = "UPDATE meta SET value = $3 WHERE key = $1 AND value = $2";
}

/// The value of this name.
pub fn find(tx: &mut Tx<'_>, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    tx.query_optional(&FIND, &[key.into()], |row| row.get(0))
}

/// Sets a value that is not set; false when there is one already, which stays.
pub fn insert(tx: &mut Tx<'_>, key: &str, value: &[u8]) -> Result<bool, StoreError> {
    Ok(tx.execute(&INSERT, &[key.into(), value.into()])? == 1)
}

/// Replaces the value the caller saw; false when it changed meanwhile.
pub fn update(tx: &mut Tx<'_>, key: &str, seen: &[u8], value: &[u8]) -> Result<bool, StoreError> {
    Ok(tx.execute(&UPDATE, &[key.into(), seen.into(), value.into()])? == 1)
}
