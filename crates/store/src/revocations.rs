//! What was revoked lately: polled by every node to drop what it has cached.

use doorward_model::id::RevocationId;
use doorward_model::time::Timestamp;

use crate::column;
use crate::{StoreError, Tx, statements};

/// What kind of thing was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedKind {
    /// A session, by its id.
    Session,
    /// Everything of a user, by their id.
    User,
    /// The cookie of a session that goes on with a new one, by the session's id.
    Credential,
    /// What a person let a client have, by the grant's id.
    Grant,
    /// One access token of a client, by its `jti`.
    Token,
}

impl RevokedKind {
    const fn text(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::User => "user",
            Self::Credential => "credential",
            Self::Grant => "grant",
            Self::Token => "token",
        }
    }
}

/// An entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The entry's own id.
    pub id: RevocationId,
    /// What kind of thing `subject` names.
    pub kind: RevokedKind,
    /// The id of what was revoked.
    pub subject: String,
}

statements! {
    /// Adds an entry.
    INSERT = "INSERT INTO revocations (id, kind, subject, at) VALUES ($1, $2, $3, $4)";
    /// Entries since a time about what nodes remember: each use of a grant or of a client's token asks the database.
    LIST_SINCE = "SELECT id, kind, subject FROM revocations WHERE at >= $1 AND kind NOT IN ('grant', 'token') ORDER BY at LIMIT $2";
    /// Whether something is in the list.
    IS_LISTED = "SELECT count(*) FROM revocations WHERE subject = $1 AND kind = $2";
    /// Removes a batch of old entries.
    DELETE_BEFORE = "DELETE FROM revocations WHERE id IN (SELECT id FROM revocations WHERE at < $1 LIMIT $2)";
}

/// Adds an entry.
pub fn insert(
    tx: &mut Tx<'_>,
    id: RevocationId,
    kind: RevokedKind,
    subject: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute_expecting(&INSERT, &[(&id.to_string()).into(), kind.text().into(), subject.into(), now.into()], 1)
}

/// Whether `subject` is in the list. Entries stay in it for longer than any access token lives.
pub fn is_listed(tx: &mut Tx<'_>, kind: RevokedKind, subject: &str) -> Result<bool, StoreError> {
    tx.query_one(&IS_LISTED, &[subject.into(), kind.text().into()], |row| row.get::<i64>(0)).map(|count| count > 0)
}

/// Up to `limit` entries since `since` about sessions, users and cookies, oldest first.
pub fn list_since(tx: &mut Tx<'_>, since: Timestamp, limit: i64) -> Result<Vec<Revoked>, StoreError> {
    tx.query_all(&LIST_SINCE, &[since.into(), limit.into()], |row| {
        let kind = match row.get::<String>(1)?.as_str() {
            "session" => RevokedKind::Session,
            "user" => RevokedKind::User,
            "credential" => RevokedKind::Credential,
            "grant" => RevokedKind::Grant,
            "token" => RevokedKind::Token,
            _ => return Err(StoreError::Corrupt("a revocation is of no known kind")),
        };
        Ok(Revoked { id: column::id(row, 0)?, kind, subject: row.get(2)? })
    })
}

/// Removes up to `limit` entries older than `before`.
pub fn delete_before(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_BEFORE, &[before.into(), limit.into()])
}
