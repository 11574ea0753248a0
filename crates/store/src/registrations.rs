//! Clients that register themselves (RFC 7591): what lets them, and what they manage their registration with.

use doorward_model::id::InitialAccessId;
use doorward_model::secret::TokenHash;
use doorward_model::time::Timestamp;

use crate::column;
use crate::{Row, StoreError, Tx, statements};

/// A row of `initial_access_tokens`, without the token.
#[derive(Clone, Debug)]
pub struct InitialAccessToken {
    /// Its id.
    pub id: InitialAccessId,
    /// Whom an operator made it for.
    pub note: Option<String>,
    /// How many clients may still register with it.
    pub uses_left: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

statements! {
    /// Adds a token.
    INSERT = "INSERT INTO initial_access_tokens (id, token_hash, note, uses_left, created_at, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6)";
    /// By its hash, while it is good.
    FIND = "SELECT id, note, uses_left, created_at, expires_at FROM initial_access_tokens \
              WHERE token_hash = $1 AND uses_left > 0 AND expires_at > $2";
    /// A page of those that are good, the oldest first.
    LIST = "SELECT id, note, uses_left, created_at, expires_at FROM initial_access_tokens \
              WHERE id > $1 AND uses_left > 0 AND expires_at > $2 ORDER BY id LIMIT $3";
    /// Uses a token once.
    USE = "UPDATE initial_access_tokens SET uses_left = uses_left - 1 WHERE token_hash = $1 AND uses_left > 0 AND expires_at > $2";
    /// Takes a token back.
    DELETE = "DELETE FROM initial_access_tokens WHERE id = $1";
    /// Removes a batch of tokens past their time.
    DELETE_EXPIRED = "DELETE FROM initial_access_tokens WHERE id IN (SELECT id FROM initial_access_tokens \
              WHERE expires_at <= $1 LIMIT $2)";
    /// Notes what a client manages its registration with.
    INSERT_REGISTRATION = "INSERT INTO client_registrations (client_id, token_hash) VALUES ($1, $2)";
    /// What a client manages its registration with.
    FIND_REGISTRATION = "SELECT token_hash FROM client_registrations WHERE client_id = $1";
}

fn read(row: &Row<'_>) -> Result<InitialAccessToken, StoreError> {
    Ok(InitialAccessToken {
        id: column::id(row, 0)?,
        note: row.get(1)?,
        uses_left: row.get(2)?,
        created_at: row.get(3)?,
        expires_at: row.get(4)?,
    })
}

/// Adds a token.
pub fn insert(tx: &mut Tx<'_>, hash: &TokenHash, token: &InitialAccessToken) -> Result<(), StoreError> {
    let id = token.id.to_string();
    let values = [
        (&id).into(),
        hash.as_bytes().as_slice().into(),
        token.note.as_ref().into(),
        token.uses_left.into(),
        token.created_at.into(),
        token.expires_at.into(),
    ];
    tx.execute_expecting(&INSERT, &values, 1)
}

/// The token with this hash, if it is good at `now`.
pub fn find(tx: &mut Tx<'_>, hash: &TokenHash, now: Timestamp) -> Result<Option<InitialAccessToken>, StoreError> {
    tx.query_optional(&FIND, &[hash.as_bytes().as_slice().into(), now.into()], read)
}

/// Up to `limit` tokens that are good at `now`, the oldest first, whose ids come after `after` (empty: from the first on).
pub fn list(tx: &mut Tx<'_>, after: &str, now: Timestamp, limit: i64) -> Result<Vec<InitialAccessToken>, StoreError> {
    tx.query_all(&LIST, &[after.into(), now.into(), limit.into()], read)
}

/// Uses the token once; false when it is not good at `now`.
pub fn use_once(tx: &mut Tx<'_>, hash: &TokenHash, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&USE, &[hash.as_bytes().as_slice().into(), now.into()])? == 1)
}

/// Takes the token back; false when there is none.
pub fn delete(tx: &mut Tx<'_>, id: InitialAccessId) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, &[(&id.to_string()).into()])? == 1)
}

/// Removes up to `limit` tokens past their time.
pub fn delete_expired(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EXPIRED, &[now.into(), limit.into()])
}

/// Notes what the client manages its registration with.
pub fn insert_registration(tx: &mut Tx<'_>, client: &str, hash: &TokenHash) -> Result<(), StoreError> {
    tx.execute_expecting(&INSERT_REGISTRATION, &[client.into(), hash.as_bytes().as_slice().into()], 1)
}

/// The hash of what the client manages its registration with; none for one that an operator registered.
pub fn find_registration(tx: &mut Tx<'_>, client: &str) -> Result<Option<TokenHash>, StoreError> {
    tx.query_optional(&FIND_REGISTRATION, &[client.into()], |row| Ok(TokenHash::from_bytes(row.get(0)?)))
}
