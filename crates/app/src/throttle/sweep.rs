//! The throttle's housekeeping: expired rows go, and the number of rows is counted again.

use std::sync::atomic::Ordering;

use doorward_model::time::Timestamp;
use doorward_store::{Store, StoreError, attempts, known_devices, mail_budgets};

use super::Throttle;
use super::lanes::DEVICE_LIFE_MS;

/// Rows deleted in one transaction: short enough not to hold up sign-ins.
const BATCH: i64 = 1_000;
/// Batches in one sweep; what is left waits for the next one.
const MOST_BATCHES: u32 = 50;

impl Throttle {
    /// Deletes what has expired, in bounded batches, and counts the rows again. Says how many were deleted.
    /// Every node runs it once a minute for the count; deleting twice harms nothing.
    ///
    /// Between two counts a node knows only its own new rows, so several nodes together may exceed the bound by
    /// what the others made within that minute.
    pub async fn sweep(&self, store: &Store, now: Timestamp) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for _ in 0..MOST_BATCHES {
            let batch = store.write(move |tx| delete_batch(tx, now)).await?;
            deleted += batch;
            if batch == 0 {
                break;
            }
        }
        let limit = self.policy().max_rows.saturating_add(1);
        let rows = store
            .read(move |tx| {
                Ok::<_, StoreError>(attempts::count_rows(tx, limit)? + mail_budgets::count_rows(tx, limit)?)
            })
            .await?;
        self.shared.rows.store(rows, Ordering::Relaxed);
        Ok(deleted)
    }
}

fn delete_batch(tx: &mut doorward_store::Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    Ok(attempts::delete_expired(tx, now, BATCH)?
        + mail_budgets::delete_expired(tx, now, BATCH)?
        + known_devices::delete_unused(tx, now.plus_ms(-DEVICE_LIFE_MS), BATCH)?)
}
