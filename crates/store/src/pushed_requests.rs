//! Authorization requests that clients pushed (RFC 9126): opened soon, answered with one code.

use doorward_model::secret::TokenHash;
use doorward_model::time::Timestamp;

use crate::{Row, StoreError, Tx, statements};

/// A row of `pushed_requests`.
#[derive(Clone, Debug)]
pub struct PushedRequest {
    /// The client that pushed it.
    pub client_id: String,
    /// Its parameters, form-encoded.
    pub parameters: String,
    /// Whether they came in a request object that the client signed.
    pub is_signed: bool,
    /// The thumbprint of the key that the client proved to hold.
    pub dpop_key: Option<[u8; 32]>,
    /// When it was pushed.
    pub created_at: Timestamp,
    /// From when on nobody begins with it.
    pub expires_at: Timestamp,
    /// When it was answered with a code.
    pub used_at: Option<Timestamp>,
}

statements! {
    /// Adds a request.
    INSERT = "INSERT INTO pushed_requests (name_hash, client_id, parameters, is_signed, dpop_key, created_at, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
    /// By the hash of its name.
    FIND = "SELECT client_id, parameters, is_signed, dpop_key, created_at, expires_at, used_at FROM pushed_requests WHERE name_hash = $1";
    /// Uses a request that nobody has used.
    TAKE = "UPDATE pushed_requests SET used_at = $2 WHERE name_hash = $1 AND used_at IS NULL";
    /// Removes every request of a client.
    DELETE_EVERY_OF_CLIENT = "DELETE FROM pushed_requests WHERE client_id = $1";
    /// Removes a batch of requests past their time.
    DELETE_EXPIRED = "DELETE FROM pushed_requests WHERE name_hash IN (SELECT name_hash FROM pushed_requests \
              WHERE expires_at <= $1 LIMIT $2)";
}

fn read(row: &Row<'_>) -> Result<PushedRequest, StoreError> {
    Ok(PushedRequest {
        client_id: row.get(0)?,
        parameters: row.get(1)?,
        is_signed: row.get::<i64>(2)? != 0,
        dpop_key: row.get(3)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
        used_at: row.get(6)?,
    })
}

/// Adds a request that nobody has used.
pub fn insert(tx: &mut Tx<'_>, name: &TokenHash, request: &PushedRequest) -> Result<(), StoreError> {
    tx.execute_expecting(
        &INSERT,
        &[
            name.as_bytes().as_slice().into(),
            (&request.client_id).into(),
            (&request.parameters).into(),
            i64::from(request.is_signed).into(),
            request.dpop_key.as_ref().into(),
            request.created_at.into(),
            request.expires_at.into(),
        ],
        1,
    )
}

/// The request of this name, whatever its state.
pub fn find(tx: &mut Tx<'_>, name: &TokenHash) -> Result<Option<PushedRequest>, StoreError> {
    tx.query_optional(&FIND, &[name.as_bytes().as_slice().into()], read)
}

/// Uses the request; false when it was used before.
pub fn take(tx: &mut Tx<'_>, name: &TokenHash, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&TAKE, &[name.as_bytes().as_slice().into(), now.into()])? == 1)
}

/// Removes every request of the client, used or not.
pub fn delete_every_of_client(tx: &mut Tx<'_>, client_id: &str) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EVERY_OF_CLIENT, &[client_id.into()])
}

/// Removes up to `limit` requests that nobody could begin with before `before`.
pub fn delete_expired(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EXPIRED, &[before.into(), limit.into()])
}
