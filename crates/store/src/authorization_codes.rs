//! Authorization codes: used once, and kept for a while afterwards so that a second use is noticed.

use doorward_model::id::{GrantId, SessionId, UserId};
use doorward_model::secret::TokenHash;
use doorward_model::time::Timestamp;

use crate::column;
use crate::{Row, StoreError, Tx, statements};

/// A row of `authorization_codes`.
#[derive(Clone, Debug)]
pub struct AuthorizationCode {
    /// The client it went to.
    pub client_id: String,
    /// The session it came from.
    pub session_id: SessionId,
    /// What the grant will be called that its use gives.
    pub grant_id: GrantId,
    /// The redirect URI it went to.
    pub redirect_uri: String,
    /// The challenge of its request.
    pub challenge: Option<[u8; 32]>,
    /// The `nonce` of its request.
    pub nonce: Option<String>,
    /// The thumbprint of the key it is bound to.
    pub dpop_key: Option<[u8; 32]>,
    /// What was granted, separated by spaces.
    pub scope: String,
    /// The services it was asked for, as a JSON list.
    pub resources: String,
    /// The names of the claims asked for in the ID token, as a JSON list.
    pub claims: String,
    /// When it was issued.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

statements! {
    /// Adds a code.
    INSERT = "INSERT INTO authorization_codes (code_hash, client_id, session_id, grant_id, redirect_uri, challenge, nonce, dpop_key, scope, \
              resources, claims, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    /// By hash.
    FIND = "SELECT client_id, session_id, grant_id, redirect_uri, challenge, nonce, dpop_key, scope, resources, claims, created_at, expires_at, used_at \
              FROM authorization_codes WHERE code_hash = $1";
    /// Uses a code that nobody has used.
    TAKE = "UPDATE authorization_codes SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2";
    /// Removes every code of a person for a client whose time was not over at `$3`.
    DELETE_OF_CLIENT = "DELETE FROM authorization_codes WHERE client_id = $2 AND expires_at > $3 \
              AND session_id IN (SELECT id FROM sessions WHERE user_id = $1)";
    /// Removes every code for a client.
    DELETE_EVERY_OF_CLIENT = "DELETE FROM authorization_codes WHERE client_id = $1";
    /// Removes a batch of codes past their time.
    DELETE_EXPIRED = "DELETE FROM authorization_codes WHERE code_hash IN (SELECT code_hash FROM authorization_codes \
              WHERE expires_at <= $1 LIMIT $2)";
}

fn read(row: &Row<'_>) -> Result<AuthorizationCode, StoreError> {
    Ok(AuthorizationCode {
        client_id: row.get(0)?,
        session_id: column::id(row, 1)?,
        grant_id: column::id(row, 2)?,
        redirect_uri: row.get(3)?,
        challenge: row.get(4)?,
        nonce: row.get(5)?,
        dpop_key: row.get(6)?,
        scope: row.get(7)?,
        resources: row.get(8)?,
        claims: row.get(9)?,
        created_at: row.get(10)?,
        expires_at: row.get(11)?,
        used_at: row.get(12)?,
    })
}

/// Adds a code that nobody has used.
pub fn insert(tx: &mut Tx<'_>, hash: &TokenHash, code: &AuthorizationCode) -> Result<(), StoreError> {
    tx.execute_expecting(
        &INSERT,
        &[
            hash.as_bytes().as_slice().into(),
            (&code.client_id).into(),
            (&code.session_id.to_string()).into(),
            (&code.grant_id.to_string()).into(),
            (&code.redirect_uri).into(),
            code.challenge.as_ref().into(),
            code.nonce.as_deref().into(),
            code.dpop_key.as_ref().into(),
            (&code.scope).into(),
            (&code.resources).into(),
            (&code.claims).into(),
            code.created_at.into(),
            code.expires_at.into(),
        ],
        1,
    )
}

/// The code with this hash, whatever its state.
pub fn find(tx: &mut Tx<'_>, hash: &TokenHash) -> Result<Option<AuthorizationCode>, StoreError> {
    tx.query_optional(&FIND, &[hash.as_bytes().as_slice().into()], read)
}

/// Uses the code; false when it was used meanwhile or is over.
pub fn take(tx: &mut Tx<'_>, hash: &TokenHash, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&TAKE, &[hash.as_bytes().as_slice().into(), now.into()])? == 1)
}

/// Removes every code that the client got for `user`, used or not, whose time was not over at `since`. Whoever uses one
/// at the same time is waited for.
pub fn delete_of_client(tx: &mut Tx<'_>, user: UserId, client_id: &str, since: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OF_CLIENT, &[(&user.to_string()).into(), client_id.into(), since.into()])
}

/// Removes every code for the client, used or not. Whoever uses one at the same time is waited for.
pub fn delete_every_of_client(tx: &mut Tx<'_>, client_id: &str) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EVERY_OF_CLIENT, &[client_id.into()])
}

/// Removes up to `limit` codes that were over before `before`.
pub fn delete_expired(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EXPIRED, &[before.into(), limit.into()])
}
