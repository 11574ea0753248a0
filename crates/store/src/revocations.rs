//! What was revoked lately: looked at by every node, to drop what it has cached and to tell whoever accepts tokens.

use doorward_model::id::RevocationId;
use doorward_model::time::{SECOND_MS, Timestamp};

use crate::column;
use crate::{StoreError, Tx, statements};

/// What kind of thing was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedKind {
    /// A session, by its id.
    Session,
    /// Everything of a user that nodes remember, by the user's id.
    User,
    /// The cookie of a session that goes on with a new one, by the session's id.
    Credential,
    /// What a person let a client have, by the grant's id.
    Grant,
    /// One access token of a client, by its `jti`.
    Token,
    /// Every token of a client so far, by its id.
    Client,
    /// Every token about a person so far, by their `sub`.
    Subject,
    /// Everything that a key has signed, by its `kid`.
    Key,
}

impl RevokedKind {
    const ALL: [Self; 8] =
        [Self::Session, Self::User, Self::Credential, Self::Grant, Self::Token, Self::Client, Self::Subject, Self::Key];

    const fn text(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::User => "user",
            Self::Credential => "credential",
            Self::Grant => "grant",
            Self::Token => "token",
            Self::Client => "client",
            Self::Subject => "subject",
            Self::Key => "key",
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
    /// When.
    pub at: Timestamp,
}

/// Where a page of the list begins: after the entry of this time and id.
#[derive(Clone, Debug)]
pub struct After {
    /// The time.
    pub at: Timestamp,
    /// The id; empty before every entry of that time.
    pub id: String,
}

/// Later than everything.
const END_OF_TIME: Timestamp = Timestamp::from_ms(i64::MAX);
/// Seconds that are told apart in one count.
const MOST_SECONDS: i64 = 10_000;

statements! {
    /// Adds an entry.
    INSERT = "INSERT INTO revocations (id, kind, subject, at) VALUES ($1, $2, $3, $4)";
    /// Adds an entry for each grant of a client that may have a token: begun or renewed since `$4`, or with a refresh token that
    /// does not change. The entry's id is made from the grant's.
    INSERT_GRANTS_OF_CLIENT = "INSERT INTO revocations (id, kind, subject, at) \
              SELECT 'revocation_' || SUBSTR(g.id, 7), 'grant', g.id, $2 FROM grants g WHERE g.client_id = $1 AND g.revoked_at IS NULL \
              AND g.expires_at > $2 AND (g.created_at >= $4 OR EXISTS (SELECT 1 FROM token_families f WHERE f.grant_id = g.id \
              AND (f.issued_at >= $4 OR f.rotation = 'keep' OR $3)))";
    /// How many entries there are of each second since a time. The end of time lets PostgreSQL plan for a short span.
    COUNT_BY_SECOND = "SELECT at - at % 1000, COUNT(*) FROM revocations WHERE at >= $1 AND at < $2 GROUP BY at - at % 1000 ORDER BY 1 LIMIT $3";
    /// Entries of a span, from an entry on.
    LIST_BETWEEN = "SELECT id, kind, subject, at FROM revocations WHERE at >= $1 AND at < $3 AND (at > $1 OR id > $2) ORDER BY at, id LIMIT $4";
    /// Whether something is in the list.
    IS_LISTED = "SELECT count(*) FROM revocations WHERE subject = $1 AND kind = $2";
    /// Whether something is in the list with a time that is not before `$3`.
    IS_LISTED_SINCE = "SELECT count(*) FROM revocations WHERE subject = $1 AND kind = $2 AND at >= $3";
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

/// Adds an entry for each grant of a client that may have given a token since `used_since`; all that have refresh tokens
/// where those do not change. Says how many.
pub fn insert_grants_of_client(
    tx: &mut Tx<'_>,
    client_id: &str,
    keeps_tokens: bool,
    now: Timestamp,
    used_since: Timestamp,
) -> Result<u64, StoreError> {
    tx.execute(&INSERT_GRANTS_OF_CLIENT, &[client_id.into(), now.into(), keeps_tokens.into(), used_since.into()])
}

/// Whether `subject` is in the list. Entries stay in it for longer than any access token lives.
pub fn is_listed(tx: &mut Tx<'_>, kind: RevokedKind, subject: &str) -> Result<bool, StoreError> {
    tx.query_one(&IS_LISTED, &[subject.into(), kind.text().into()], |row| row.get::<i64>(0)).map(|count| count > 0)
}

/// Whether `subject` is in the list with a time that is not before `since`.
pub fn is_listed_since(
    tx: &mut Tx<'_>,
    kind: RevokedKind,
    subject: &str,
    since: Timestamp,
) -> Result<bool, StoreError> {
    let values = [subject.into(), kind.text().into(), since.into()];
    tx.query_one(&IS_LISTED_SINCE, &values, |row| row.get::<i64>(0)).map(|count| count > 0)
}

/// How many entries there are of each second since `since`, a whole second: the second's beginning and the number.
pub fn count_by_second(tx: &mut Tx<'_>, since: Timestamp) -> Result<Vec<(Timestamp, u64)>, StoreError> {
    let since = Timestamp::from_ms(since.as_seconds() * SECOND_MS);
    tx.query_all(&COUNT_BY_SECOND, &[since.into(), END_OF_TIME.into(), MOST_SECONDS.into()], |row| {
        let count = u64::try_from(row.get::<i64>(1)?).unwrap_or_default();
        Ok((row.get(0)?, count))
    })
}

/// Up to `limit` entries after `after` and before `before`, in the order of their times and ids.
pub fn list_between(tx: &mut Tx<'_>, after: &After, before: Timestamp, limit: i64) -> Result<Vec<Revoked>, StoreError> {
    let values = [after.at.into(), (&after.id).into(), before.into(), limit.into()];
    tx.query_all(&LIST_BETWEEN, &values, |row| {
        let text: String = row.get(1)?;
        let kind = RevokedKind::ALL.into_iter().find(|kind| kind.text() == text);
        let kind = kind.ok_or(StoreError::Corrupt("a revocation is of no known kind"))?;
        Ok(Revoked { id: column::id(row, 0)?, kind, subject: row.get(2)?, at: row.get(3)? })
    })
}

/// Removes up to `limit` entries older than `before`.
pub fn delete_before(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_BEFORE, &[before.into(), limit.into()])
}
