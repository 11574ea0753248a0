//! The database's clock: read only to compare it with a node's own. Everything else takes its time from the node.

use doorward_model::time::Timestamp;

use crate::{StoreError, Tx, statements};

statements! {
    /// Milliseconds since 1970. (The Julian day of 1970-01-01 is 2440587.5.)
    READ = {
        sqlite: "SELECT CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
        postgres: "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    };
}

/// What the database's clock says.
pub fn read(tx: &mut Tx<'_>) -> Result<Timestamp, StoreError> {
    tx.query_one(&READ, &[], |row| row.get(0))
}
