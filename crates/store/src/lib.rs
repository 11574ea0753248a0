//! SQL, migrations and the two database engines.

use thiserror::Error;

/// What can go wrong in the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database cannot be used now; trying later may work.
    #[error("the database is not available")]
    Unavailable,
}
