//! Requests of devices without a browser (RFC 8628): decided by a person on another device.

use doorward_model::id::{SessionId, UserId};
use doorward_model::secret::TokenHash;
use doorward_model::time::Timestamp;

use crate::column;
use crate::{Row, StoreError, Tx, statements};

/// What the person has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceDecision {
    /// Nothing yet.
    Pending,
    /// Yes.
    Approved,
    /// No.
    Denied,
    /// Yes, and the tokens are given.
    Redeemed,
}

impl DeviceDecision {
    /// The word in the row.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Redeemed => "redeemed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Approved, Self::Denied, Self::Redeemed].into_iter().find(|one| one.as_str() == text)
    }
}

/// A row of `device_requests`.
#[derive(Clone, Debug)]
pub struct DeviceRequest {
    /// The hash of the code that the device asks with.
    pub code_hash: TokenHash,
    /// The client.
    pub client_id: String,
    /// What it asks for.
    pub scope: String,
    /// The services, as a JSON list.
    pub resources: String,
    /// Where the device is.
    pub address: Option<String>,
    /// What it says it is.
    pub user_agent: Option<String>,
    /// What the person has said.
    pub decision: DeviceDecision,
    /// The session of whoever said yes.
    pub session_id: Option<SessionId>,
    /// How long the device must wait between two questions.
    pub interval_seconds: i64,
    /// When it last asked.
    pub polled_at: Option<Timestamp>,
    /// When it began.
    pub created_at: Timestamp,
    /// From when on it is over.
    pub expires_at: Timestamp,
}

statements! {
    /// Adds a request, unless its code for people is taken.
    INSERT = "INSERT INTO device_requests (code_hash, user_code_hash, client_id, scope, resources, address, user_agent, decision, \
              interval_seconds, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
    /// By the code of the device.
    FIND = "SELECT code_hash, client_id, scope, resources, address, user_agent, decision, session_id, interval_seconds, polled_at, \
              created_at, expires_at FROM device_requests WHERE code_hash = $1";
    /// By the code for people.
    FIND_BY_USER_CODE = "SELECT code_hash, client_id, scope, resources, address, user_agent, decision, session_id, interval_seconds, \
              polled_at, created_at, expires_at FROM device_requests WHERE user_code_hash = $1";
    /// Notes that the device asked.
    NOTE_POLL = "UPDATE device_requests SET polled_at = $2, interval_seconds = $3 WHERE code_hash = $1";
    /// Moves a request on with what it is about, if it still stands where the caller saw it.
    DECIDE = "UPDATE device_requests SET decision = $3, session_id = $4, scope = $5, resources = $6 \
              WHERE code_hash = $1 AND decision = $2";
    /// Takes back what a person has said yes to for a client and no device has fetched yet.
    WITHDRAW = "UPDATE device_requests SET decision = $3 WHERE client_id = $2 AND decision = $4 \
              AND session_id IN (SELECT id FROM sessions WHERE user_id = $1)";
    /// Removes every request of a client.
    DELETE_EVERY_OF_CLIENT = "DELETE FROM device_requests WHERE client_id = $1";
    /// Removes a batch of requests past their time.
    DELETE_EXPIRED = "DELETE FROM device_requests WHERE code_hash IN (SELECT code_hash FROM device_requests \
              WHERE expires_at <= $1 LIMIT $2)";
}

fn read(row: &Row<'_>) -> Result<DeviceRequest, StoreError> {
    let decision = DeviceDecision::parse(&row.get::<String>(6)?);
    Ok(DeviceRequest {
        code_hash: TokenHash::from_bytes(row.get(0)?),
        client_id: row.get(1)?,
        scope: row.get(2)?,
        resources: row.get(3)?,
        address: row.get(4)?,
        user_agent: row.get(5)?,
        decision: decision.ok_or(StoreError::Corrupt("a device request is in no known state"))?,
        session_id: column::optional_id(row, 7)?,
        interval_seconds: row.get(8)?,
        polled_at: row.get(9)?,
        created_at: row.get(10)?,
        expires_at: row.get(11)?,
    })
}

/// Adds a request that nobody has decided about; false when the code for people is taken.
pub fn insert(tx: &mut Tx<'_>, user_code_hash: &[u8; 32], request: &DeviceRequest) -> Result<bool, StoreError> {
    Ok(tx.execute(
        &INSERT,
        &[
            request.code_hash.as_bytes().as_slice().into(),
            user_code_hash.as_slice().into(),
            (&request.client_id).into(),
            (&request.scope).into(),
            (&request.resources).into(),
            request.address.as_ref().into(),
            request.user_agent.as_ref().into(),
            DeviceDecision::Pending.as_str().into(),
            request.interval_seconds.into(),
            request.created_at.into(),
            request.expires_at.into(),
        ],
    )? == 1)
}

/// The request with this code of the device, whatever its state.
pub fn find(tx: &mut Tx<'_>, code: &TokenHash) -> Result<Option<DeviceRequest>, StoreError> {
    tx.query_optional(&FIND, &[code.as_bytes().as_slice().into()], read)
}

/// The request with this code for people, whatever its state.
pub fn find_by_user_code(tx: &mut Tx<'_>, user_code_hash: &[u8; 32]) -> Result<Option<DeviceRequest>, StoreError> {
    tx.query_optional(&FIND_BY_USER_CODE, &[user_code_hash.as_slice().into()], read)
}

/// Notes that the device asked, and how long it must wait from now on.
pub fn note_poll(
    tx: &mut Tx<'_>,
    seen: &DeviceRequest,
    interval_seconds: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&NOTE_POLL, &[seen.code_hash.as_bytes().as_slice().into(), now.into(), interval_seconds.into()])?;
    Ok(())
}

/// Moves the request from where the caller saw it to `decision`, which is about the scope and the services of `seen`; false
/// when somebody else has moved it.
pub fn decide(
    tx: &mut Tx<'_>,
    seen: &DeviceRequest,
    decision: DeviceDecision,
    session: Option<SessionId>,
) -> Result<bool, StoreError> {
    let session = session.map(|id| id.to_string());
    let values = [
        seen.code_hash.as_bytes().as_slice().into(),
        seen.decision.as_str().into(),
        decision.as_str().into(),
        session.as_ref().into(),
        (&seen.scope).into(),
        (&seen.resources).into(),
    ];
    Ok(tx.execute(&DECIDE, &values)? == 1)
}

/// Takes back what `user` has let devices of the client have that have not fetched it yet. Whoever does so at the same time
/// is waited for.
pub fn withdraw(tx: &mut Tx<'_>, user: UserId, client_id: &str) -> Result<u64, StoreError> {
    let (denied, approved) = (DeviceDecision::Denied.as_str(), DeviceDecision::Approved.as_str());
    tx.execute(&WITHDRAW, &[(&user.to_string()).into(), client_id.into(), denied.into(), approved.into()])
}

/// Removes every request of the client, in whatever state. Whoever decides about one at the same time is waited for.
pub fn delete_every_of_client(tx: &mut Tx<'_>, client_id: &str) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EVERY_OF_CLIENT, &[client_id.into()])
}

/// Removes up to `limit` requests that are over.
pub fn delete_expired(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EXPIRED, &[now.into(), limit.into()])
}
