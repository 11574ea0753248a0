//! Housekeeping: what has expired goes, in bounded batches, on one node at a time.

use doorward_model::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use doorward_store::{
    StoreError, Tx, clients, deliveries, device_requests, grants, leases, one_time_tokens, pending_signups,
    pushed_requests, registrations, revocations, sessions, used_ids,
};

use crate::App;
use crate::failure::Failure;
use crate::oauth::{OTHER_CLOCKS_MS, PUSHED_STAYS_MS};
use crate::op::Op;

/// Rows a transaction removes at most of each kind.
const BATCH: i64 = 500;
/// Transactions of one run; what is left waits for the next.
const MOST_BATCHES: usize = 100;
/// How long finished deliveries stay visible.
const KEEP_DELIVERIES_MS: i64 = 7 * DAY_MS;
/// How long revocations are listed: longer than any access token lives.
const KEEP_REVOCATIONS_MS: i64 = 2 * HOUR_MS;
/// How long a session is kept after somebody has ended it, to say so to whoever still shows its cookie or refresh token:
/// longer than any of its access tokens lives. However often somebody signs in, a day's sessions are what there is.
const KEEP_REVOKED_SESSIONS_MS: i64 = DAY_MS;
/// How long a run may take before another node may begin one.
const LEASE_MS: i64 = 10 * MINUTE_MS;

impl App {
    /// Gives back the memory of what this node looked at or counted and need not remember.
    pub fn sweep(&self, now: Timestamp) {
        self.user_cache.sweep(now);
        self.renewals.sweep(now);
    }

    /// Removes what has expired; none when another node is at it. Says how many rows went.
    pub async fn purge(&self, op: &Op, owner: &str) -> Result<Option<u64>, Failure> {
        let (holder, now) = (owner.to_owned(), op.now);
        let lease = move |tx: &mut Tx<'_>| leases::acquire(tx, "purge", &holder, now.plus_ms(LEASE_MS), now);
        if !self.store.write(lease).await? {
            return Ok(None);
        }
        let mut removed = 0;
        for _ in 0..MOST_BATCHES {
            let batch = self.store.write(move |tx| purge_batch(tx, now)).await?;
            removed += batch;
            if batch == 0 {
                break;
            }
        }
        removed += self.throttle.sweep(&self.store, op.now).await?;
        let holder = owner.to_owned();
        self.store.write(move |tx| leases::release(tx, "purge", &holder)).await?;
        metrics::counter!("rows_purged_total").increment(removed);
        Ok(Some(removed))
    }
}

fn purge_batch(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    Ok(pending_signups::delete_expired(tx, now, BATCH)?
        + one_time_tokens::delete_expired(tx, now, BATCH)?
        // A grant is what a second use of its code finds, also at a node whose clock is behind.
        + grants::delete_ended(tx, now.plus_ms(-OTHER_CLOCKS_MS), BATCH)?
        + clients::delete_expired_secrets(tx, now, BATCH)?
        + used_ids::delete_expired(tx, now, BATCH)?
        + device_requests::delete_expired(tx, now, BATCH)?
        + registrations::delete_expired(tx, now, BATCH)?
        + pushed_requests::delete_expired(tx, now.plus_ms(-PUSHED_STAYS_MS), BATCH)?
        + sessions::delete_ended(tx, now, BATCH)?
        + sessions::delete_revoked(tx, now.plus_ms(-KEEP_REVOKED_SESSIONS_MS), BATCH)?
        + deliveries::delete_finished(tx, now.plus_ms(-KEEP_DELIVERIES_MS), BATCH)?
        + revocations::delete_before(tx, now.plus_ms(-KEEP_REVOCATIONS_MS), BATCH)?)
}
