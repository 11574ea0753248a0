//! Random keys of the deployment, sealed: one for each purpose.

use doorward_model::id::SecretKeyId;
use doorward_model::time::Timestamp;

use crate::{Row, StoreError, Tx, statements};

/// A row of `secret_keys`.
#[derive(Clone)]
pub struct SecretKey {
    /// Its id, which what it protects may name.
    pub id: SecretKeyId,
    /// What it is for; unique.
    pub purpose: String,
    /// The key, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

statements! {
    /// Adds a key unless its purpose has one.
    INSERT = "INSERT INTO secret_keys (id, purpose, sealed, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    /// All of them; there are as many as purposes in the code.
    LIST = "SELECT id, purpose, sealed, created_at FROM secret_keys ORDER BY id LIMIT 100";
    /// Seals a key again, if it still is as the caller saw it.
    UPDATE_SEALED = "UPDATE secret_keys SET sealed = $3 WHERE id = $1 AND sealed = $2";
}

fn read(row: &Row<'_>) -> Result<SecretKey, StoreError> {
    let id = SecretKeyId::parse(&row.get::<String>(0)?)
        .map_err(|_| StoreError::Corrupt("a secret key has no id of its kind"))?;
    Ok(SecretKey { id, purpose: row.get(1)?, sealed: row.get(2)?, created_at: row.get(3)? })
}

/// Adds `key` unless there is one for its purpose; false when there is, which stays.
pub fn insert(tx: &mut Tx<'_>, key: &SecretKey) -> Result<bool, StoreError> {
    Ok(tx.execute(
        &INSERT,
        &[(&key.id.to_string()).into(), (&key.purpose).into(), (&key.sealed).into(), key.created_at.into()],
    )? == 1)
}

/// All keys.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<SecretKey>, StoreError> {
    tx.query_all(&LIST, &[], read)
}

/// Stores the key sealed anew; false when somebody else did so meanwhile.
pub fn update_sealed(tx: &mut Tx<'_>, seen: &SecretKey, sealed: &[u8]) -> Result<bool, StoreError> {
    Ok(tx.execute(&UPDATE_SEALED, &[(&seen.id.to_string()).into(), (&seen.sealed).into(), sealed.into()])? == 1)
}
