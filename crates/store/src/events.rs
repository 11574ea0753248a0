//! The one append-only record: what happened, who did it, from where.

use doorward_model::id::EventId;
use doorward_model::time::Timestamp;

use crate::column;
use crate::{Row, StoreError, Tx, statements};

/// A row of `events`.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id; sorts by time.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// Who acted: a user id, `anonymous`, `operator` or `job:<name>`.
    pub actor: String,
    /// What was done, such as `session.started`.
    pub action: String,
    /// The id of what it was done to.
    pub subject: Option<String>,
    /// `success`, `refused` or `failed`.
    pub outcome: String,
    /// The client's address.
    pub address: Option<String>,
    /// The client's user agent, cut to 256 bytes.
    pub user_agent: Option<String>,
    /// The request it happened in.
    pub request_id: String,
    /// Further facts as a JSON object, without secrets.
    pub data: String,
}

statements! {
    /// Appends an event.
    INSERT = "INSERT INTO events (id, at, actor, action, subject, outcome, address, user_agent, request_id, data) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    /// A page of events, oldest first.
    LIST = "SELECT id, at, actor, action, subject, outcome, address, user_agent, request_id, data FROM events WHERE id > $1 ORDER BY id LIMIT $2";
}

/// Appends `event`.
pub fn append(tx: &mut Tx<'_>, event: &Event) -> Result<(), StoreError> {
    tx.execute_expecting(
        &INSERT,
        &[
            (&event.id.to_string()).into(),
            event.at.into(),
            (&event.actor).into(),
            (&event.action).into(),
            event.subject.as_deref().into(),
            (&event.outcome).into(),
            event.address.as_deref().into(),
            event.user_agent.as_deref().into(),
            (&event.request_id).into(),
            (&event.data).into(),
        ],
        1,
    )
}

fn read(row: &Row<'_>) -> Result<Event, StoreError> {
    Ok(Event {
        id: column::id(row, 0)?,
        at: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        outcome: row.get(5)?,
        address: row.get(6)?,
        user_agent: row.get(7)?,
        request_id: row.get(8)?,
        data: row.get(9)?,
    })
}

/// Up to `limit` events whose id sorts after `after` (empty: from the beginning).
pub fn list(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<Event>, StoreError> {
    tx.query_all(&LIST, &[after.into(), limit.into()], read)
}
