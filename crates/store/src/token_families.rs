//! Families of rotating refresh tokens: one row for a family's whole life, no table of old tokens.

use doorward_model::id::{FamilyId, GrantId, SessionId};
use doorward_model::rotation::{Family, Salt};
use doorward_model::time::Timestamp;

use crate::column;
use crate::grants::{self, Grant, HeldGrant};
use crate::sessions::{self, Session};
use crate::{Row, StoreError, Tx, statements};

/// What a family renews.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// A session of a first-party application.
    Session(SessionId),
    /// What a person let a client do.
    Grant(GrantId),
}

/// A row of `token_families`.
#[derive(Clone)]
pub struct TokenFamily {
    /// Its id.
    pub id: FamilyId,
    /// What it renews.
    pub renews: Renewed,
    /// What its tokens' MACs are salted with.
    pub salt: Vec<u8>,
    /// The newest generation issued.
    pub issued: i64,
    /// The newest generation presented.
    pub presented: i64,
    /// When a generation was last issued.
    pub issued_at: Timestamp,
    /// What a late predecessor means, `recover` or `strict`; `keep` when a renewal gives no other token.
    pub rotation: String,
    /// Keyed hash of the network that last renewed.
    pub network: Option<Vec<u8>>,
    /// The key whose holder alone may renew (RFC 9449 section 5): its thumbprint.
    pub dpop_key: Option<[u8; 32]>,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
}

impl TokenFamily {
    /// The family `state` of what it renews.
    pub fn new(id: FamilyId, renews: Renewed, salt: &Salt, state: &Family) -> Self {
        Self {
            id,
            renews,
            salt: salt.as_bytes().to_vec(),
            issued: state.counters.issued.number(),
            presented: state.counters.presented.number(),
            issued_at: state.issued_at,
            rotation: state.rotation.as_str().to_owned(),
            network: None,
            dpop_key: None,
            expires_at: state.expires_at,
            revoked_at: None,
        }
    }
}

statements! {
    /// Begins a family.
    INSERT = "INSERT INTO token_families (id, session_id, grant_id, salt, issued, presented, issued_at, rotation, network, dpop_key, created_at, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $7, $11)";
    /// By id, with the session it renews.
    FIND_WITH_SESSION = "SELECT f.id, f.session_id, f.salt, f.issued, f.presented, f.issued_at, f.rotation, f.network, f.dpop_key, f.expires_at, f.revoked_at, \
              s.id, s.user_id, s.credential_hash, s.device_label, s.user_agent, s.address, s.amr, s.acr, s.remember, \
              s.authenticated_at, s.created_at, s.last_seen_at, s.idle_ms, s.expires_at, s.revoked_at, s.revoked_reason, u.is_admin, u.disabled_at \
              FROM token_families f JOIN sessions s ON s.id = f.session_id JOIN users u ON u.id = s.user_id WHERE f.id = $1";
    /// By id, with the grant it renews.
    FIND_WITH_GRANT = "SELECT f.id, f.grant_id, f.salt, f.issued, f.presented, f.issued_at, f.rotation, f.network, f.dpop_key, f.expires_at, f.revoked_at, \
              g.id, g.user_id, g.client_id, g.session_id, g.scope, g.resources, g.claims, g.amr, g.acr, g.authenticated_at, g.created_at, \
              g.expires_at, g.revoked_at FROM token_families f JOIN grants g ON g.id = f.grant_id WHERE f.id = $1";
    /// By id, with the grant it renews and what that one's life depends on.
    FIND_WITH_HELD = "SELECT f.id, f.grant_id, f.salt, f.issued, f.presented, f.issued_at, f.rotation, f.network, f.dpop_key, f.expires_at, f.revoked_at, \
              g.id, g.user_id, g.client_id, g.session_id, g.scope, g.resources, g.claims, g.amr, g.acr, g.authenticated_at, g.created_at, \
              g.expires_at, g.revoked_at, u.id, u.email, u.email_canonical, u.email_verified_at, u.name, u.locale, u.is_admin, u.disabled_at, \
              u.last_signed_in_at, u.created_at, u.updated_at, s.expires_at, s.last_seen_at, s.idle_ms, s.revoked_at \
              FROM token_families f JOIN grants g ON g.id = f.grant_id JOIN users u ON u.id = g.user_id LEFT JOIN sessions s ON s.id = g.session_id \
              WHERE f.id = $1";
    /// Moves a living family on, if it still stands where the caller saw it.
    ADVANCE = "UPDATE token_families SET presented = $4, issued = $5, issued_at = $6, network = $7 \
              WHERE id = $1 AND presented = $2 AND issued = $3 AND revoked_at IS NULL";
    /// Ends a family.
    REVOKE = "UPDATE token_families SET revoked_at = $2, revoked_reason = $3 WHERE id = $1 AND revoked_at IS NULL";
}

/// How many columns a family takes before those of what it renews.
const FAMILY_COLUMNS: usize = 11;

fn read(row: &Row<'_>, renews: Renewed) -> Result<TokenFamily, StoreError> {
    Ok(TokenFamily {
        id: column::id(row, 0)?,
        renews,
        salt: row.get(2)?,
        issued: row.get(3)?,
        presented: row.get(4)?,
        issued_at: row.get(5)?,
        rotation: row.get(6)?,
        network: row.get(7)?,
        dpop_key: row.get(8)?,
        expires_at: row.get(9)?,
        revoked_at: row.get(10)?,
    })
}

/// Begins `family`; its `issued_at` is also when it was created.
pub fn insert(tx: &mut Tx<'_>, family: &TokenFamily) -> Result<(), StoreError> {
    let (session, grant) = match family.renews {
        Renewed::Session(id) => (Some(id.to_string()), None),
        Renewed::Grant(id) => (None, Some(id.to_string())),
    };
    tx.execute_expecting(
        &INSERT,
        &[
            (&family.id.to_string()).into(),
            session.as_deref().into(),
            grant.as_deref().into(),
            family.salt.as_slice().into(),
            family.issued.into(),
            family.presented.into(),
            family.issued_at.into(),
            (&family.rotation).into(),
            family.network.as_deref().into(),
            family.dpop_key.as_ref().into(),
            family.expires_at.into(),
        ],
        1,
    )
}

/// The family with this id and the session it renews, whatever their state; none for one that renews a grant.
pub fn find_with_session(tx: &mut Tx<'_>, id: FamilyId) -> Result<Option<(TokenFamily, Session)>, StoreError> {
    tx.query_optional(&FIND_WITH_SESSION, &[(&id.to_string()).into()], |row| {
        let session = sessions::read_from(row, FAMILY_COLUMNS)?;
        Ok((read(row, Renewed::Session(session.id))?, session))
    })
}

/// The family with this id and the grant it renews, whatever their state; none for one that renews a session.
pub fn find_with_grant(tx: &mut Tx<'_>, id: FamilyId) -> Result<Option<(TokenFamily, Grant)>, StoreError> {
    tx.query_optional(&FIND_WITH_GRANT, &[(&id.to_string()).into()], |row| {
        let grant = grants::read_from(row, FAMILY_COLUMNS)?;
        Ok((read(row, Renewed::Grant(grant.id))?, grant))
    })
}

/// The same, with what the life of the grant depends on.
pub fn find_with_held(tx: &mut Tx<'_>, id: FamilyId) -> Result<Option<(TokenFamily, HeldGrant)>, StoreError> {
    let found = tx.query_optional(&FIND_WITH_HELD, &[(&id.to_string()).into()], |row| {
        let Some(held) = grants::read_held(row, FAMILY_COLUMNS)? else { return Ok(None) };
        Ok(Some((read(row, Renewed::Grant(held.grant.id))?, held)))
    })?;
    Ok(found.flatten())
}

/// Where a family stands after an answer.
#[derive(Clone, Copy, Debug)]
pub struct Advance {
    /// The newest generation presented, from now on.
    pub presented: i64,
    /// The newest generation issued, from now on.
    pub issued: i64,
    /// When that was.
    pub at: Timestamp,
}

/// Moves the family on from where the caller saw it; false when it moved or ended meanwhile.
pub fn advance(tx: &mut Tx<'_>, seen: &TokenFamily, to: Advance, network: Option<&[u8]>) -> Result<bool, StoreError> {
    let moved = tx.execute(
        &ADVANCE,
        &[
            (&seen.id.to_string()).into(),
            seen.presented.into(),
            seen.issued.into(),
            to.presented.into(),
            to.issued.into(),
            to.at.into(),
            network.into(),
        ],
    )?;
    Ok(moved == 1)
}

/// Ends the family; false when it had ended.
pub fn revoke(tx: &mut Tx<'_>, id: FamilyId, now: Timestamp, reason: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&REVOKE, &[(&id.to_string()).into(), now.into(), reason.into()])? == 1)
}
