//! Which clients want to hear of the end of which sessions. A row outlives its session until they have heard.

use doorward_model::id::{SessionId, UserId};
use doorward_model::time::Timestamp;

use crate::column;
use crate::{Row, StoreError, Tx, statements};

/// A row of `client_sessions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSession {
    /// The session that somebody signed in to the client with.
    pub session_id: SessionId,
    /// The client.
    pub client_id: String,
    /// Whose session it is.
    pub user_id: UserId,
}

statements! {
    /// Notes that a client has a session.
    INSERT = "INSERT INTO client_sessions (session_id, client_id, user_id) VALUES ($1, $2, $3) ON CONFLICT (session_id, client_id) DO NOTHING";
    /// The clients of a session.
    LIST_OF_SESSION = "SELECT session_id, client_id, user_id FROM client_sessions WHERE session_id = $1 ORDER BY client_id LIMIT $2";
    /// Rows of sessions that were ended lately, by themselves or with everything of their user.
    LIST_REVOKED = "SELECT c.session_id, c.client_id, c.user_id FROM revocations r JOIN client_sessions c ON c.session_id = r.subject \
              WHERE r.at >= $1 AND r.kind = 'session' UNION SELECT c.session_id, c.client_id, c.user_id FROM revocations r \
              JOIN client_sessions c ON c.user_id = r.subject LEFT JOIN sessions s ON s.id = c.session_id \
              WHERE r.at >= $1 AND r.kind = 'user' AND (s.id IS NULL OR s.revoked_at IS NOT NULL) LIMIT $2";
    /// Rows of sessions that are over for whatever reason. Looks at all of them.
    LIST_ENDED = "SELECT c.session_id, c.client_id, c.user_id FROM client_sessions c LEFT JOIN sessions s ON s.id = c.session_id \
              WHERE s.id IS NULL OR s.revoked_at IS NOT NULL OR s.expires_at <= $1 OR s.last_seen_at + s.idle_ms <= $2 LIMIT $3";
    /// Forgets that a client has a session.
    DELETE = "DELETE FROM client_sessions WHERE session_id = $1 AND client_id = $2";
}

fn read(row: &Row<'_>) -> Result<ClientSession, StoreError> {
    Ok(ClientSession { session_id: column::id(row, 0)?, client_id: row.get(1)?, user_id: column::id(row, 2)? })
}

/// Notes that a client has a session, once.
pub fn insert(tx: &mut Tx<'_>, row: &ClientSession) -> Result<(), StoreError> {
    let (session, user) = (row.session_id.to_string(), row.user_id.to_string());
    tx.execute(&INSERT, &[(&session).into(), (&row.client_id).into(), (&user).into()])?;
    Ok(())
}

/// Up to `limit` clients of a session.
pub fn list_of_session(tx: &mut Tx<'_>, id: SessionId, limit: i64) -> Result<Vec<ClientSession>, StoreError> {
    tx.query_all(&LIST_OF_SESSION, &[(&id.to_string()).into(), limit.into()], read)
}

/// Up to `limit` rows of sessions that were ended since `since`.
pub fn list_revoked(tx: &mut Tx<'_>, since: Timestamp, limit: i64) -> Result<Vec<ClientSession>, StoreError> {
    tx.query_all(&LIST_REVOKED, &[since.into(), limit.into()], read)
}

/// Up to `limit` rows of sessions that are over at `now`, or were unused too long at `idle_at`.
pub fn list_ended(
    tx: &mut Tx<'_>,
    now: Timestamp,
    idle_at: Timestamp,
    limit: i64,
) -> Result<Vec<ClientSession>, StoreError> {
    tx.query_all(&LIST_ENDED, &[now.into(), idle_at.into(), limit.into()], read)
}

/// Forgets that a client has a session; false when somebody else has.
pub fn delete(tx: &mut Tx<'_>, row: &ClientSession) -> Result<bool, StoreError> {
    let session = row.session_id.to_string();
    Ok(tx.execute(&DELETE, &[(&session).into(), (&row.client_id).into()])? == 1)
}
