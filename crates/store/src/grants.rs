//! Grants: what a person let a client do, and the root of every token that came of it.

use doorward_model::id::{GrantId, SessionId, UserId};
use doorward_model::time::Timestamp;

use crate::column;
use crate::{Row, StoreError, Tx, statements};

/// A row of `grants`.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// Who gave it.
    pub user_id: UserId,
    /// Who got it.
    pub client_id: String,
    /// The session it ends with; none when it outlives sessions.
    pub session_id: Option<SessionId>,
    /// What it allows, separated by spaces.
    pub scope: String,
    /// When it was given.
    pub created_at: Timestamp,
    /// When the last token that came of it is over.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
}

statements! {
    /// Adds a grant.
    INSERT = "INSERT INTO grants (id, user_id, client_id, session_id, scope, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    /// By id.
    FIND = "SELECT id, user_id, client_id, session_id, scope, created_at, expires_at, revoked_at FROM grants WHERE id = $1";
    /// Ends a grant.
    REVOKE = "UPDATE grants SET revoked_at = $2, revoked_reason = $3 WHERE id = $1 AND revoked_at IS NULL";
    /// Ends all grants of a person to a client.
    REVOKE_OF_CLIENT = "UPDATE grants SET revoked_at = $3, revoked_reason = $4 WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL \
              RETURNING id";
    /// Removes a batch of grants that ended before `$1`.
    DELETE_ENDED = "DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE expires_at <= $1 LIMIT $2)";
}

fn read(row: &Row<'_>) -> Result<Grant, StoreError> {
    let session: Option<String> = row.get(3)?;
    let session_id = session
        .map(|text| SessionId::parse(&text).map_err(|_| StoreError::Corrupt("a grant names no session")))
        .transpose()?;
    Ok(Grant {
        id: column::id(row, 0)?,
        user_id: column::id(row, 1)?,
        client_id: row.get(2)?,
        session_id,
        scope: row.get(4)?,
        created_at: row.get(5)?,
        expires_at: row.get(6)?,
        revoked_at: row.get(7)?,
    })
}

/// Adds `grant`.
pub fn insert(tx: &mut Tx<'_>, grant: &Grant) -> Result<(), StoreError> {
    tx.execute_expecting(
        &INSERT,
        &[
            (&grant.id.to_string()).into(),
            (&grant.user_id.to_string()).into(),
            (&grant.client_id).into(),
            grant.session_id.map(|id| id.to_string()).as_deref().into(),
            (&grant.scope).into(),
            grant.created_at.into(),
            grant.expires_at.into(),
        ],
        1,
    )
}

/// The grant with this id, whatever its state.
pub fn find(tx: &mut Tx<'_>, id: GrantId) -> Result<Option<Grant>, StoreError> {
    tx.query_optional(&FIND, &[(&id.to_string()).into()], read)
}

/// Ends the grant; false when it has ended or is gone.
pub fn revoke(tx: &mut Tx<'_>, id: GrantId, now: Timestamp, reason: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&REVOKE, &[(&id.to_string()).into(), now.into(), reason.into()])? == 1)
}

/// Ends all grants of `user` to the client and returns their ids.
pub fn revoke_of_client(
    tx: &mut Tx<'_>,
    user: UserId,
    client_id: &str,
    now: Timestamp,
    reason: &str,
) -> Result<Vec<GrantId>, StoreError> {
    let user = user.to_string();
    let values = [(&user).into(), client_id.into(), now.into(), reason.into()];
    tx.query_all(&REVOKE_OF_CLIENT, &values, |row| column::id(row, 0))
}

/// Removes up to `limit` grants whose last token was over before `before`.
pub fn delete_ended(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_ENDED, &[before.into(), limit.into()])
}
