//! Mails, and messages to clients, waiting to be sent: rows with attempts, next time and last error, taken by leased workers.

use doorward_model::id::{DeliveryId, EventId};
use doorward_model::time::Timestamp;

use crate::column;
use crate::{StoreError, Tx, statements};

/// A delivery as a worker takes it.
#[derive(Clone)]
pub struct Delivery {
    /// Its id: stable over attempts, so that receivers can drop repetitions.
    pub id: DeliveryId,
    /// What carries it: `mail` or `logout`.
    pub channel: String,
    /// What to send, sealed.
    pub payload: Vec<u8>,
    /// Attempts so far.
    pub attempts: i64,
    /// When it was queued.
    pub created_at: Timestamp,
}

/// How many deliveries are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Waiting to be sent (again).
    pub waiting: i64,
    /// Given up.
    pub dead: i64,
}

statements! {
    /// Queues a delivery.
    INSERT = "INSERT INTO deliveries (id, event_id, channel, payload, state, attempts, next_at, leased_until, created_at) \
              VALUES ($1, $2, $3, $4, 'waiting', 0, $5, 0, $5)";
    /// Takes due deliveries that nobody else holds.
    LEASE = "UPDATE deliveries SET leased_by = $1, leased_until = $2 WHERE id IN (SELECT id FROM deliveries WHERE state = 'waiting' \
              AND next_at <= $3 AND leased_until <= $3 ORDER BY next_at, id LIMIT $4) AND state = 'waiting' AND leased_until <= $3 \
              RETURNING id, channel, payload, attempts, created_at";
    /// Marks a delivery as sent and forgets what it said.
    FINISH = "UPDATE deliveries SET state = 'sent', attempts = attempts + 1, finished_at = $3, payload = $4, last_error = NULL \
              WHERE id = $1 AND leased_by = $2 AND state = 'waiting'";
    /// Puts a delivery back for later.
    RETRY = "UPDATE deliveries SET attempts = attempts + 1, next_at = $3, leased_until = 0, leased_by = NULL, last_error = $4 \
              WHERE id = $1 AND leased_by = $2 AND state = 'waiting'";
    /// Gives a delivery up; it stays visible and can be sent again.
    GIVE_UP = "UPDATE deliveries SET state = 'dead', attempts = attempts + 1, finished_at = $3, leased_until = 0, leased_by = NULL, last_error = $4 \
              WHERE id = $1 AND leased_by = $2 AND state = 'waiting'";
    /// What is sealed with another key than the one that begins `$1`. A sealed value names its key from its second byte on.
    LIST_SEALED_OTHERWISE = "SELECT id, payload FROM deliveries WHERE state IN ('waiting', 'dead') AND id > $2 \
              AND substr(payload, 2, 8) <> $1 ORDER BY id LIMIT $3";
    /// Replaces a payload by the same one sealed anew.
    UPDATE_PAYLOAD = "UPDATE deliveries SET payload = $3 WHERE id = $1 AND payload = $2";
    /// Counts by state.
    BACKLOG = "SELECT state, COUNT(*) FROM deliveries WHERE state <> 'sent' GROUP BY state";
    /// Removes a batch of finished deliveries.
    DELETE_FINISHED = "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE finished_at <= $1 LIMIT $2)";
}

/// Queues a delivery that is due at once.
pub fn insert(
    tx: &mut Tx<'_>,
    id: DeliveryId,
    event: EventId,
    channel: &str,
    payload: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute_expecting(
        &INSERT,
        &[(&id.to_string()).into(), (&event.to_string()).into(), channel.into(), payload.into(), now.into()],
        1,
    )
}

/// Takes up to `limit` due deliveries for `owner` until `until`.
pub fn lease(
    tx: &mut Tx<'_>,
    owner: &str,
    until: Timestamp,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Delivery>, StoreError> {
    tx.query_all(&LEASE, &[owner.into(), until.into(), now.into(), limit.into()], |row| {
        Ok(Delivery {
            id: column::id(row, 0)?,
            channel: row.get(1)?,
            payload: row.get(2)?,
            attempts: row.get(3)?,
            created_at: row.get(4)?,
        })
    })
}

/// Up to `limit` deliveries behind `after` that can still be sent and whose payload is sealed with another key than the one
/// of this fingerprint, with their payloads.
pub fn list_sealed_otherwise(
    tx: &mut Tx<'_>,
    fingerprint: &[u8; 8],
    after: &str,
    limit: i64,
) -> Result<Vec<(DeliveryId, Vec<u8>)>, StoreError> {
    let values = [(fingerprint.as_slice()).into(), after.into(), limit.into()];
    tx.query_all(&LIST_SEALED_OTHERWISE, &values, |row| Ok((column::id(row, 0)?, row.get(1)?)))
}

/// Stores a payload sealed anew; false when it was sent, or sealed by somebody else, meanwhile.
pub fn update_payload(tx: &mut Tx<'_>, id: DeliveryId, seen: &[u8], sealed: &[u8]) -> Result<bool, StoreError> {
    Ok(tx.execute(&UPDATE_PAYLOAD, &[(&id.to_string()).into(), seen.into(), sealed.into()])? == 1)
}

/// Marks a delivery as sent; false when the lease was lost.
pub fn finish(tx: &mut Tx<'_>, id: DeliveryId, owner: &str, now: Timestamp) -> Result<bool, StoreError> {
    let nothing: &[u8] = &[];
    Ok(tx.execute(&FINISH, &[(&id.to_string()).into(), owner.into(), now.into(), nothing.into()])? == 1)
}

/// Puts a delivery back until `next_at`; false when the lease was lost.
pub fn retry(
    tx: &mut Tx<'_>,
    id: DeliveryId,
    owner: &str,
    next_at: Timestamp,
    error: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&RETRY, &[(&id.to_string()).into(), owner.into(), next_at.into(), error.into()])? == 1)
}

/// Gives a delivery up; false when the lease was lost.
pub fn give_up(tx: &mut Tx<'_>, id: DeliveryId, owner: &str, now: Timestamp, error: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&GIVE_UP, &[(&id.to_string()).into(), owner.into(), now.into(), error.into()])? == 1)
}

/// How many deliveries wait or were given up.
pub fn backlog(tx: &mut Tx<'_>) -> Result<Backlog, StoreError> {
    let mut backlog = Backlog::default();
    for (state, count) in tx.query_all(&BACKLOG, &[], |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?)))? {
        match state.as_str() {
            "waiting" => backlog.waiting = count,
            "dead" => backlog.dead = count,
            _ => return Err(StoreError::Corrupt("a delivery is in no known state")),
        }
    }
    Ok(backlog)
}

/// Removes up to `limit` deliveries finished before `before`.
pub fn delete_finished(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_FINISHED, &[before.into(), limit.into()])
}
