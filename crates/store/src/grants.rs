//! Grants: what a person let a client do, and the root of every token that came of it. A grant keeps how the person had
//! proved who they are, because it may outlive the session in which they did.

use doorward_model::id::{GrantId, SessionId, UserId};
use doorward_model::time::{DAY_MS, Timestamp};

use crate::column;
use crate::sessions::{self, Life};
use crate::users::{self, User};
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
    /// The services it was asked for, as a JSON list.
    pub resources: String,
    /// The names of the claims asked for in the ID token, as a JSON list.
    pub claims: String,
    /// How the person proved who they are (RFC 8176), as a JSON list.
    pub amr: String,
    /// How strongly.
    pub acr: String,
    /// When the person proved who they are.
    pub authenticated_at: Timestamp,
    /// When it was given.
    pub created_at: Timestamp,
    /// When the last token that came of it is over.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
}

statements! {
    /// Adds a grant, unless there is one of this id.
    INSERT = "INSERT INTO grants (id, user_id, client_id, session_id, scope, resources, claims, amr, acr, authenticated_at, created_at, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING";
    /// By id.
    FIND = "SELECT id, user_id, client_id, session_id, scope, resources, claims, amr, acr, authenticated_at, created_at, expires_at, revoked_at \
              FROM grants WHERE id = $1";
    /// By id, with what its life depends on.
    FIND_HELD = "SELECT g.id, g.user_id, g.client_id, g.session_id, g.scope, g.resources, g.claims, g.amr, g.acr, g.authenticated_at, g.created_at, \
              g.expires_at, g.revoked_at, u.id, u.email, u.email_canonical, u.email_verified_at, u.name, u.locale, u.is_admin, u.disabled_at, \
              u.last_signed_in_at, u.created_at, u.updated_at, s.expires_at, s.last_seen_at, s.idle_ms, s.revoked_at \
              FROM grants g JOIN users u ON u.id = g.user_id LEFT JOIN sessions s ON s.id = g.session_id WHERE g.id = $1";
    /// Ends a grant.
    REVOKE = "UPDATE grants SET revoked_at = $2, revoked_reason = $3 WHERE id = $1 AND revoked_at IS NULL";
    /// Ends all grants of a person to a client.
    REVOKE_OF_CLIENT = "UPDATE grants SET revoked_at = $3, revoked_reason = $4 WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL \
              RETURNING id";
    /// Ends everything that anybody let a client have.
    REVOKE_EVERY_OF_CLIENT = "UPDATE grants SET revoked_at = $2, revoked_reason = $3 WHERE client_id = $1 AND revoked_at IS NULL";
    /// Ends what came of a session. The row stays for a while, to be found by a second use of its code, and not for as long as
    /// its tokens might have lived.
    REVOKE_OF_SESSION = "UPDATE grants SET revoked_at = $2, revoked_reason = $3, expires_at = CASE WHEN expires_at > $4 THEN $4 ELSE expires_at END WHERE user_id = (SELECT s.user_id FROM sessions s WHERE s.id = $1) \
              AND session_id = $1 AND revoked_at IS NULL";
    /// Those of a session that may have a token: begun since `$3`, or with a refresh token.
    LIST_USED_OF_SESSION = "SELECT id FROM grants WHERE user_id = (SELECT s.user_id FROM sessions s WHERE s.id = $1) \
              AND session_id = $1 AND revoked_at IS NULL AND expires_at > $2 \
              AND (created_at >= $3 OR EXISTS (SELECT 1 FROM token_families f WHERE f.grant_id = grants.id)) ORDER BY id";
    /// The same of a user.
    LIST_USED_OF_USER = "SELECT id FROM grants WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 \
              AND (created_at >= $3 OR EXISTS (SELECT 1 FROM token_families f WHERE f.grant_id = grants.id)) ORDER BY id";
    /// Ends everything a user allowed, in the same way.
    REVOKE_OF_USER = "UPDATE grants SET revoked_at = $2, revoked_reason = $3, expires_at = CASE WHEN expires_at > $4 THEN $4 ELSE expires_at END WHERE user_id = $1 AND revoked_at IS NULL";
    /// Ends what a user allowed that outlives sessions.
    REVOKE_OFFLINE = "UPDATE grants SET revoked_at = $2, revoked_reason = $3 WHERE user_id = $1 AND session_id IS NULL AND revoked_at IS NULL \
              AND expires_at > $2 RETURNING id";
    /// Ends the oldest grants of a user to a client that outlive sessions, beyond the newest `$3`.
    REVOKE_OLDEST_OFFLINE = "UPDATE grants SET revoked_at = $4, revoked_reason = $5 WHERE id IN (SELECT id FROM grants WHERE user_id = $1 \
              AND client_id = $2 AND session_id IS NULL AND revoked_at IS NULL AND expires_at > $4 ORDER BY id DESC LIMIT 1000000 OFFSET $3) RETURNING id";
    /// Removes a batch of grants that ended before the day `$1`, counted from 1970.
    DELETE_ENDED = "DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE expires_at / 86400000 < $1 LIMIT $2)";
}

fn read(row: &Row<'_>) -> Result<Grant, StoreError> {
    read_from(row, 0)
}

/// A grant whose columns begin at `first`.
pub(crate) fn read_from(row: &Row<'_>, first: usize) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: column::id(row, first)?,
        user_id: column::id(row, first + 1)?,
        client_id: row.get(first + 2)?,
        session_id: column::optional_id(row, first + 3)?,
        scope: row.get(first + 4)?,
        resources: row.get(first + 5)?,
        claims: row.get(first + 6)?,
        amr: row.get(first + 7)?,
        acr: row.get(first + 8)?,
        authenticated_at: row.get(first + 9)?,
        created_at: row.get(first + 10)?,
        expires_at: row.get(first + 11)?,
        revoked_at: row.get(first + 12)?,
    })
}

/// A grant with what its life depends on.
#[derive(Clone, Debug)]
pub struct HeldGrant {
    /// The grant.
    pub grant: Grant,
    /// Who gave it.
    pub user: User,
    /// How long the session lives that it ends with, if it ends with one.
    pub session: Option<Life>,
}

/// A grant with what follows it, from the column `first` on; none when it ends with a session that is gone.
pub(crate) fn read_held(row: &Row<'_>, first: usize) -> Result<Option<HeldGrant>, StoreError> {
    let (grant, user) = (read_from(row, first)?, users::read_from(row, first + 13)?);
    let session = sessions::read_life(row, first + 24, user.disabled_at.is_some())?;
    let is_gone = grant.session_id.is_some() && session.is_none();
    Ok((!is_gone).then_some(HeldGrant { grant, user, session }))
}

/// Adds `grant`; false when there is one of its id. Of several that would add it at once, one does.
pub fn insert(tx: &mut Tx<'_>, grant: &Grant) -> Result<bool, StoreError> {
    let added = tx.execute(
        &INSERT,
        &[
            (&grant.id.to_string()).into(),
            (&grant.user_id.to_string()).into(),
            (&grant.client_id).into(),
            grant.session_id.map(|id| id.to_string()).as_deref().into(),
            (&grant.scope).into(),
            (&grant.resources).into(),
            (&grant.claims).into(),
            (&grant.amr).into(),
            (&grant.acr).into(),
            grant.authenticated_at.into(),
            grant.created_at.into(),
            grant.expires_at.into(),
        ],
    )?;
    Ok(added == 1)
}

/// The grant with this id, whatever its state.
pub fn find(tx: &mut Tx<'_>, id: GrantId) -> Result<Option<Grant>, StoreError> {
    tx.query_optional(&FIND, &[(&id.to_string()).into()], read)
}

/// The grant with this id, whatever its state, with what its life depends on.
pub fn find_held(tx: &mut Tx<'_>, id: GrantId) -> Result<Option<HeldGrant>, StoreError> {
    Ok(tx.query_optional(&FIND_HELD, &[(&id.to_string()).into()], |row| read_held(row, 0))?.flatten())
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

/// Ends everything that anybody let the client have, and says how many grants that were.
pub fn revoke_every_of_client(
    tx: &mut Tx<'_>,
    client_id: &str,
    now: Timestamp,
    reason: &str,
) -> Result<u64, StoreError> {
    tx.execute(&REVOKE_EVERY_OF_CLIENT, &[client_id.into(), now.into(), reason.into()])
}

/// Ends what came of a session, whose row must be there, and returns the ids of what may have given a token since `used_since`.
pub fn revoke_of_session(
    tx: &mut Tx<'_>,
    id: SessionId,
    now: Timestamp,
    reason: &str,
    used_since: Timestamp,
) -> Result<Vec<GrantId>, StoreError> {
    let id = id.to_string();
    let values = [(&id).into(), now.into(), used_since.into()];
    let listed = tx.query_all(&LIST_USED_OF_SESSION, &values, |row| column::id(row, 0))?;
    tx.execute(&REVOKE_OF_SESSION, &[(&id).into(), now.into(), reason.into(), now.plus_ms(DAY_MS).into()])?;
    Ok(listed)
}

/// Ends everything that `user` allowed, and returns the ids of what may have given a token since `used_since`.
pub fn revoke_of_user(
    tx: &mut Tx<'_>,
    user: UserId,
    now: Timestamp,
    reason: &str,
    used_since: Timestamp,
) -> Result<Vec<GrantId>, StoreError> {
    let user = user.to_string();
    let values = [(&user).into(), now.into(), used_since.into()];
    let listed = tx.query_all(&LIST_USED_OF_USER, &values, |row| column::id(row, 0))?;
    tx.execute(&REVOKE_OF_USER, &[(&user).into(), now.into(), reason.into(), now.plus_ms(DAY_MS).into()])?;
    Ok(listed)
}

/// Ends what `user` allowed that outlives sessions, and returns the ids of what lived.
pub fn revoke_offline(tx: &mut Tx<'_>, user: UserId, now: Timestamp, reason: &str) -> Result<Vec<GrantId>, StoreError> {
    tx.query_all(&REVOKE_OFFLINE, &[(&user.to_string()).into(), now.into(), reason.into()], |row| column::id(row, 0))
}

/// Ends the oldest of the grants of `user` to `client` that outlive sessions, beyond the newest `keep`, and returns their
/// ids.
pub fn revoke_oldest_offline(
    tx: &mut Tx<'_>,
    user: UserId,
    client: &str,
    keep: i64,
    now: Timestamp,
    reason: &str,
) -> Result<Vec<GrantId>, StoreError> {
    let user = user.to_string();
    tx.query_all(
        &REVOKE_OLDEST_OFFLINE,
        &[(&user).into(), client.into(), keep.into(), now.into(), reason.into()],
        |row| column::id(row, 0),
    )
}

/// Removes up to `limit` grants whose last token was over before the day of `before`.
pub fn delete_ended(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_ENDED, &[(before.as_ms() / DAY_MS).into(), limit.into()])
}
