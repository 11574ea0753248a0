//! Sessions: what exists after sign-in.

use doorward_model::id::{SessionId, UserId};
use doorward_model::secret::TokenHash;
use doorward_model::time::Timestamp;

use crate::column;
use crate::users::{self, User};
use crate::{Row, StoreError, Tx, statements};

/// A row of `sessions`, with what its user's row says about being allowed to use it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id, the `sid` of tokens.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// Hash of the cookie; none for a session held by a refresh token.
    pub credential_hash: Option<TokenHash>,
    /// "Firefox, Linux".
    pub device_label: String,
    /// The user agent as sent, cut to 256 bytes.
    pub user_agent: Option<String>,
    /// The address at sign-in.
    pub address: Option<String>,
    /// How the person proved who they are (RFC 8176), as a JSON list.
    pub amr: String,
    /// How strongly.
    pub acr: String,
    /// Whether the cookie outlives the browser.
    pub remember: bool,
    /// When the person proved who they are.
    pub authenticated_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// How long it may lie unused, in milliseconds.
    pub idle_ms: i64,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
    /// Why it was ended.
    pub revoked_reason: Option<String>,
    /// Whether the user administers the deployment.
    pub user_is_admin: bool,
    /// Whether the user is kept out.
    pub user_disabled: bool,
}

impl Session {
    /// A session that begins at `now` with a password (`pwd` of RFC 8176), of a program that says nothing of itself.
    pub fn by_password(id: SessionId, user_id: UserId, now: Timestamp, idle_ms: i64, expires_at: Timestamp) -> Self {
        Self {
            id,
            user_id,
            credential_hash: None,
            device_label: String::new(),
            user_agent: None,
            address: None,
            amr: r#"["pwd"]"#.to_owned(),
            acr: "aal1".to_owned(),
            remember: false,
            authenticated_at: now,
            created_at: now,
            last_seen_at: now,
            idle_ms,
            expires_at,
            revoked_at: None,
            revoked_reason: None,
            user_is_admin: false,
            user_disabled: false,
        }
    }
}

/// What of a session says how long it lives.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// When it was last used, as far as the row knows.
    pub last_seen_at: Timestamp,
    /// How long it lives without being used.
    pub idle_ms: i64,
    /// Whether it was ended.
    pub is_revoked: bool,
    /// Whether its user is kept out.
    pub user_disabled: bool,
}

impl Session {
    /// How long it lives.
    pub const fn life(&self) -> Life {
        Life {
            expires_at: self.expires_at,
            last_seen_at: self.last_seen_at,
            idle_ms: self.idle_ms,
            is_revoked: self.revoked_at.is_some(),
            user_disabled: self.user_disabled,
        }
    }
}

statements! {
    /// Begins a session. Its ordinal says in which order a user's sessions began, also within one millisecond and when a
    /// clock is set back; the caller holds the lock of the user's row, so no two sessions get the same.
    INSERT = "INSERT INTO sessions (id, user_id, ordinal, credential_hash, device_label, user_agent, address, amr, acr, remember, authenticated_at, \
              created_at, last_seen_at, idle_ms, expires_at) VALUES ($1, $2, (SELECT COALESCE(MAX(ordinal), 0) + 1 FROM sessions \
              WHERE user_id = $2), $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13)";
    /// By cookie.
    FIND_BY_CREDENTIAL = "SELECT s.id, s.user_id, s.credential_hash, s.device_label, s.user_agent, s.address, s.amr, s.acr, s.remember, \
              s.authenticated_at, s.created_at, s.last_seen_at, s.idle_ms, s.expires_at, s.revoked_at, s.revoked_reason, u.is_admin, u.disabled_at \
              FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.credential_hash = $1";
    /// By id.
    FIND = "SELECT s.id, s.user_id, s.credential_hash, s.device_label, s.user_agent, s.address, s.amr, s.acr, s.remember, \
              s.authenticated_at, s.created_at, s.last_seen_at, s.idle_ms, s.expires_at, s.revoked_at, s.revoked_reason, u.is_admin, u.disabled_at \
              FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1";
    /// A page of a user's living sessions, newest first.
    LIST_LIVING = "SELECT s.id, s.user_id, s.credential_hash, s.device_label, s.user_agent, s.address, s.amr, s.acr, s.remember, \
              s.authenticated_at, s.created_at, s.last_seen_at, s.idle_ms, s.expires_at, s.revoked_at, s.revoked_reason, u.is_admin, u.disabled_at \
              FROM sessions s JOIN users u ON u.id = s.user_id \
              WHERE s.user_id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 AND s.last_seen_at + s.idle_ms > $2 \
              AND s.ordinal < COALESCE((SELECT ordinal FROM sessions WHERE id = $3 AND user_id = $1), 9223372036854775807) \
              ORDER BY s.ordinal DESC LIMIT $4";
    /// A session that nobody has ended, with its user. It stays so until the transaction ends.
    HOLD = {
        sqlite: "SELECT s.id, s.user_id, s.credential_hash, s.device_label, s.user_agent, s.address, s.amr, s.acr, s.remember, \
              s.authenticated_at, s.created_at, s.last_seen_at, s.idle_ms, s.expires_at, s.revoked_at, s.revoked_reason, u.is_admin, u.disabled_at, \
              u.id, u.email, u.email_canonical, u.email_verified_at, u.name, u.locale, u.is_admin, u.disabled_at, u.last_signed_in_at, u.created_at, \
              u.updated_at FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND s.revoked_at IS NULL",
        postgres: "SELECT s.id, s.user_id, s.credential_hash, s.device_label, s.user_agent, s.address, s.amr, s.acr, s.remember, \
              s.authenticated_at, s.created_at, s.last_seen_at, s.idle_ms, s.expires_at, s.revoked_at, s.revoked_reason, u.is_admin, u.disabled_at, \
              u.id, u.email, u.email_canonical, u.email_verified_at, u.name, u.locale, u.is_admin, u.disabled_at, u.last_signed_in_at, u.created_at, \
              u.updated_at FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND s.revoked_at IS NULL \
              FOR NO KEY UPDATE OF s",
    };
    /// Ends one session of a user.
    REVOKE = "UPDATE sessions SET revoked_at = $3, revoked_reason = $4 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3";
    /// Ends all sessions of a user but one.
    REVOKE_OTHERS = "UPDATE sessions SET revoked_at = $3, revoked_reason = $4 WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL \
              AND expires_at > $3 RETURNING id";
    /// Ends the oldest sessions of a user beyond `$5` and the newest `$2` others.
    REVOKE_OLDEST = "UPDATE sessions SET revoked_at = $3, revoked_reason = $4 WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 \
              AND id <> $5 AND revoked_at IS NULL AND expires_at > $3 AND last_seen_at + idle_ms > $3 ORDER BY ordinal DESC LIMIT 1000000 OFFSET $2) RETURNING id";
    /// Replaces the cookie of a session.
    REPLACE_CREDENTIAL = "UPDATE sessions SET credential_hash = $3 WHERE id = $1 AND credential_hash = $2 AND revoked_at IS NULL";
    /// Moves `last_seen_at` forward.
    SEE = "UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2 AND revoked_at IS NULL";
    /// Removes a batch of sessions that ended before `$1`.
    DELETE_ENDED = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= $1 LIMIT $2)";
    /// Removes a batch of sessions that were ended at `$1` or before.
    DELETE_REVOKED = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE revoked_at IS NOT NULL AND revoked_at <= $1 LIMIT $2)";
}

/// How many columns a session takes before those of its user.
const COLUMNS: usize = 18;

fn read(row: &Row<'_>) -> Result<Session, StoreError> {
    read_from(row, 0)
}

/// A session whose columns begin at `first`.
pub(crate) fn read_from(row: &Row<'_>, first: usize) -> Result<Session, StoreError> {
    let credential: Option<[u8; 32]> = row.get(first + 2)?;
    let disabled_at: Option<Timestamp> = row.get(first + 17)?;
    Ok(Session {
        id: column::id(row, first)?,
        user_id: column::id(row, first + 1)?,
        credential_hash: credential.map(TokenHash::from_bytes),
        device_label: row.get(first + 3)?,
        user_agent: row.get(first + 4)?,
        address: row.get(first + 5)?,
        amr: row.get(first + 6)?,
        acr: row.get(first + 7)?,
        remember: row.get(first + 8)?,
        authenticated_at: row.get(first + 9)?,
        created_at: row.get(first + 10)?,
        last_seen_at: row.get(first + 11)?,
        idle_ms: row.get(first + 12)?,
        expires_at: row.get(first + 13)?,
        revoked_at: row.get(first + 14)?,
        revoked_reason: row.get(first + 15)?,
        user_is_admin: row.get(first + 16)?,
        user_disabled: disabled_at.is_some(),
    })
}

/// How long a session whose columns begin at `first` lives; none where a join has found none.
pub(crate) fn read_life(row: &Row<'_>, first: usize, user_disabled: bool) -> Result<Option<Life>, StoreError> {
    let Some(expires_at) = row.get(first)? else { return Ok(None) };
    let (last_seen_at, idle_ms) = (row.get(first + 1)?, row.get(first + 2)?);
    let revoked_at: Option<Timestamp> = row.get(first + 3)?;
    Ok(Some(Life { expires_at, last_seen_at, idle_ms, is_revoked: revoked_at.is_some(), user_disabled }))
}

/// Begins `session`. The caller has written to its user's row in this transaction.
pub fn insert(tx: &mut Tx<'_>, session: &Session) -> Result<(), StoreError> {
    tx.execute_expecting(
        &INSERT,
        &[
            (&session.id.to_string()).into(),
            (&session.user_id.to_string()).into(),
            session.credential_hash.as_ref().map(|hash| hash.as_bytes().as_slice()).into(),
            (&session.device_label).into(),
            session.user_agent.as_deref().into(),
            session.address.as_deref().into(),
            (&session.amr).into(),
            (&session.acr).into(),
            session.remember.into(),
            session.authenticated_at.into(),
            session.created_at.into(),
            session.idle_ms.into(),
            session.expires_at.into(),
        ],
        1,
    )
}

/// The session whose cookie hashes to `credential`, whatever its state.
pub fn find_by_credential(tx: &mut Tx<'_>, credential: &TokenHash) -> Result<Option<Session>, StoreError> {
    tx.query_optional(&FIND_BY_CREDENTIAL, &[credential.as_bytes().as_slice().into()], read)
}

/// The session with this id, whatever its state.
pub fn find(tx: &mut Tx<'_>, id: SessionId) -> Result<Option<Session>, StoreError> {
    tx.query_optional(&FIND, &[(&id.to_string()).into()], read)
}

/// Up to `limit` living sessions of `user` that began before `before` (none, or one that is gone: all), newest first.
pub fn list_living(
    tx: &mut Tx<'_>,
    user: UserId,
    now: Timestamp,
    before: Option<SessionId>,
    limit: i64,
) -> Result<Vec<Session>, StoreError> {
    let before = before.map(|id| id.to_string()).unwrap_or_default();
    tx.query_all(&LIST_LIVING, &[(&user.to_string()).into(), now.into(), (&before).into(), limit.into()], read)
}

/// The session with its user, unless somebody has ended it; whoever would waits until the transaction ends.
pub fn hold(tx: &mut Tx<'_>, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
    // SQLite's one writer holds everything already: nothing is written only to be locked.
    tx.query_optional(&HOLD, &[(&id.to_string()).into()], |row| Ok((read(row)?, users::read_from(row, COLUMNS)?)))
}

/// Ends one session of `user`; false when it is not theirs or has ended.
pub fn revoke(tx: &mut Tx<'_>, id: SessionId, user: UserId, now: Timestamp, reason: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&REVOKE, &[(&id.to_string()).into(), (&user.to_string()).into(), now.into(), reason.into()])? == 1)
}

/// Ends all sessions of `user` but `keep` (none: all) and returns their ids.
pub fn revoke_others(
    tx: &mut Tx<'_>,
    user: UserId,
    keep: Option<SessionId>,
    now: Timestamp,
    reason: &str,
) -> Result<Vec<SessionId>, StoreError> {
    let keep = keep.map(|id| id.to_string()).unwrap_or_default();
    tx.query_all(&REVOKE_OTHERS, &[(&user.to_string()).into(), (&keep).into(), now.into(), reason.into()], |row| {
        column::id(row, 0)
    })
}

/// Ends the oldest living sessions of `user` beyond `begun` and the newest `others`, and returns their ids.
pub fn revoke_oldest(
    tx: &mut Tx<'_>,
    user: UserId,
    begun: SessionId,
    others: i64,
    now: Timestamp,
    reason: &str,
) -> Result<Vec<SessionId>, StoreError> {
    let (user, begun) = (user.to_string(), begun.to_string());
    tx.query_all(&REVOKE_OLDEST, &[(&user).into(), others.into(), now.into(), reason.into(), (&begun).into()], |row| {
        column::id(row, 0)
    })
}

/// Replaces the cookie of a living session; false when it changed meanwhile.
pub fn replace_credential(
    tx: &mut Tx<'_>,
    id: SessionId,
    old: &TokenHash,
    new: &TokenHash,
) -> Result<bool, StoreError> {
    let replaced = tx.execute(
        &REPLACE_CREDENTIAL,
        &[(&id.to_string()).into(), old.as_bytes().as_slice().into(), new.as_bytes().as_slice().into()],
    )?;
    Ok(replaced == 1)
}

/// Notes that the session was used at `at`; false when a later use is noted or it has ended.
pub fn see(tx: &mut Tx<'_>, id: SessionId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&SEE, &[(&id.to_string()).into(), at.into()])? == 1)
}

/// Removes up to `limit` sessions whose absolute end lies before `before`.
pub fn delete_ended(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_ENDED, &[before.into(), limit.into()])
}

/// Removes up to `limit` sessions that somebody ended at `before` or earlier.
pub fn delete_revoked(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_REVOKED, &[before.into(), limit.into()])
}
