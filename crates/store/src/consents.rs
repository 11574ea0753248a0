//! What people let clients have: one row a person and client.

use doorward_model::id::UserId;
use doorward_model::time::Timestamp;

use crate::column;
use crate::{Row, StoreError, Tx, statements};

/// A row of `consents`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Whose data it is about.
    pub user_id: UserId,
    /// Who may have them.
    pub client_id: String,
    /// What it may ask for, separated by spaces.
    pub scope: String,
    /// The services it may ask tokens for, as a JSON list.
    pub resources: String,
    /// When the person last said yes; none where the operator vouches for the client and nobody was asked.
    pub granted_at: Option<Timestamp>,
    /// When the client last had an answer that this allowed.
    pub last_used_at: Timestamp,
}

/// Which lives of a consent and of its client something belongs to that is not stored itself, such as a code. A consent that
/// was taken back and given again is another one, and so is what a client may do that was kept out and let in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generations {
    /// Drawn when the consent's row was made.
    pub consent: i64,
    /// How often the client had been kept out and let in again: both count.
    pub client: i64,
}

statements! {
    /// By person and client.
    FIND = "SELECT o.user_id, o.client_id, o.scope, o.resources, o.granted_at, o.last_used_at, o.generation, c.generation FROM consents o \
              JOIN clients c ON c.id = o.client_id WHERE o.user_id = $1 AND o.client_id = $2";
    /// A page of what a person lets clients have, with the clients' metadata, in the order of the clients' ids.
    LIST = "SELECT o.user_id, o.client_id, o.scope, o.resources, o.granted_at, o.last_used_at, c.metadata FROM consents o \
              JOIN clients c ON c.id = o.client_id WHERE o.user_id = $1 AND o.client_id > $2 ORDER BY o.client_id LIMIT $3";
    /// Takes back what a person let a client have.
    DELETE = "DELETE FROM consents WHERE user_id = $1 AND client_id = $2";
    /// Makes sure that there is a row, and holds it until the transaction ends.
    LOCK = "INSERT INTO consents (user_id, client_id, scope, resources, last_used_at, generation) VALUES ($1, $2, '', '[]', $3, $4) \
              ON CONFLICT (user_id, client_id) DO UPDATE SET last_used_at = consents.last_used_at \
              RETURNING user_id, client_id, scope, resources, granted_at, last_used_at";
    /// Replaces what a row allows.
    UPDATE = "UPDATE consents SET scope = $3, resources = $4, granted_at = $5, last_used_at = $6 WHERE user_id = $1 AND client_id = $2";
    /// Notes a use of what a row allows, if it is still the same row.
    USE = "UPDATE consents SET last_used_at = $4 WHERE user_id = $1 AND client_id = $2 AND generation = $3";
}

fn read(row: &Row<'_>) -> Result<Consent, StoreError> {
    Ok(Consent {
        user_id: column::id(row, 0)?,
        client_id: row.get(1)?,
        scope: row.get(2)?,
        resources: row.get(3)?,
        granted_at: row.get(4)?,
        last_used_at: row.get(5)?,
    })
}

/// What `user` lets the client have.
pub fn find(tx: &mut Tx<'_>, user: UserId, client_id: &str) -> Result<Option<(Consent, Generations)>, StoreError> {
    tx.query_optional(&FIND, &[(&user.to_string()).into(), client_id.into()], |row| {
        Ok((read(row)?, Generations { consent: row.get(6)?, client: row.get(7)? }))
    })
}

/// Up to `limit` of what `user` lets clients have, each with its client's metadata, of clients whose ids come after `after`.
pub fn list(tx: &mut Tx<'_>, user: UserId, after: &str, limit: i64) -> Result<Vec<(Consent, String)>, StoreError> {
    let user = user.to_string();
    let values = [(&user).into(), after.into(), limit.into()];
    tx.query_all(&LIST, &values, |row| Ok((read(row)?, row.get(6)?)))
}

/// Takes back what `user` let the client have; false when that is nothing.
pub fn delete(tx: &mut Tx<'_>, user: UserId, client_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, &[(&user.to_string()).into(), client_id.into()])? == 1)
}

/// What `user` lets the client have, or a row of this random generation that allows nothing; nobody else changes it until
/// the transaction ends.
pub fn lock(
    tx: &mut Tx<'_>,
    user: UserId,
    client_id: &str,
    now: Timestamp,
    generation: i64,
) -> Result<Consent, StoreError> {
    tx.query_one(&LOCK, &[(&user.to_string()).into(), client_id.into(), now.into(), generation.into()], read)
}

/// Replaces a row that the caller holds.
pub fn update(tx: &mut Tx<'_>, consent: &Consent) -> Result<(), StoreError> {
    tx.execute_expecting(
        &UPDATE,
        &[
            (&consent.user_id.to_string()).into(),
            (&consent.client_id).into(),
            (&consent.scope).into(),
            (&consent.resources).into(),
            consent.granted_at.into(),
            consent.last_used_at.into(),
        ],
        1,
    )
}

/// Notes that what `user` lets the client have is used at `now`; false when it was taken back since its row had this
/// generation. Whoever takes it back waits until the transaction ends.
pub fn note_use(
    tx: &mut Tx<'_>,
    user: UserId,
    client_id: &str,
    generation: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let noted = tx.execute(&USE, &[(&user.to_string()).into(), client_id.into(), generation.into(), now.into()])?;
    Ok(noted == 1)
}
