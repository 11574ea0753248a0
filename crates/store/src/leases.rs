//! Leases: which node runs a job that one node at a time may run.

use doorward_model::time::Timestamp;

use crate::{StoreError, Tx, statements};

statements! {
    /// Takes a lease that is free, over, or already ours.
    ACQUIRE = "INSERT INTO leases (name, owner, expires_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE \
               SET owner = excluded.owner, expires_at = excluded.expires_at WHERE leases.expires_at <= $4 OR leases.owner = excluded.owner";
    /// Gives a lease back.
    RELEASE = "DELETE FROM leases WHERE name = $1 AND owner = $2";
}

/// Takes the lease `name` for `owner` until `until`; false while somebody else holds it.
pub fn acquire(tx: &mut Tx<'_>, name: &str, owner: &str, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&ACQUIRE, &[name.into(), owner.into(), until.into(), now.into()])? == 1)
}

/// Gives the lease back; false when it was lost meanwhile.
pub fn release(tx: &mut Tx<'_>, name: &str, owner: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&RELEASE, &[name.into(), owner.into()])? == 1)
}
