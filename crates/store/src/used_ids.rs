//! Ids of proofs that were shown: a second showing is a replay, on whichever node it comes.
//!
//! An id is kept as a hash of who showed it and what it is, until no clock would take the proof any more.

use doorward_model::secret::TokenHash;
use doorward_model::time::Timestamp;

use crate::{StoreError, Tx, statements};

statements! {
    /// Notes an id that nobody has shown.
    INSERT = "INSERT INTO used_ids (id_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    /// Whether an id was noted.
    IS_KNOWN = "SELECT COUNT(*) FROM used_ids WHERE id_hash = $1";
    /// Removes a batch of ids past their time.
    DELETE_EXPIRED = "DELETE FROM used_ids WHERE id_hash IN (SELECT id_hash FROM used_ids WHERE expires_at <= $1 LIMIT $2)";
}

/// Notes that an id was shown; false when it was before. `until` is when no clock takes what it belongs to any more.
pub fn insert(tx: &mut Tx<'_>, id: &TokenHash, until: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&INSERT, &[id.as_bytes().as_slice().into(), until.into()])? == 1)
}

/// Whether the id was noted already.
pub fn is_known(tx: &mut Tx<'_>, id: &TokenHash) -> Result<bool, StoreError> {
    let known: i64 = tx.query_one(&IS_KNOWN, &[id.as_bytes().as_slice().into()], |row| row.get(0))?;
    Ok(known > 0)
}

/// Removes up to `limit` ids that nobody would take any more.
pub fn delete_expired(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EXPIRED, &[now.into(), limit.into()])
}
