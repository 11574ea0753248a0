//! Telling clients that a session is over (OpenID Connect Back-Channel Logout 1.0).
//!
//! A client that wants to hear of it gets a row beside its grant. Whatever ends a session leaves a trace (a revocation, or
//! a time that has passed), and a job turns rows of ended sessions into deliveries: one place for every way a session can
//! end, and nothing is lost when the process dies in between.

use doorward_model::id::{DeliveryId, SessionId, UserId};
use doorward_model::time::{MINUTE_MS, Timestamp};
use doorward_oidc::client::Client;
use doorward_oidc::logout::{LogoutToken, TOKEN_TYPE, frontchannel_address};
use doorward_store::client_sessions::{self, ClientSession};
use serde::{Deserialize, Serialize};

use crate::App;
use crate::authentication::Principal;
use crate::delivery::LogoutMessage;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::op::Op;
use crate::post::Parcel;

/// Rows that one look takes.
const BATCH: i64 = 100;
/// So many applications are told in frames.
const MOST_FRAMES: i64 = 20;
/// How far a look at what was ended lately goes back: longer than a request takes until its commit.
const LOOK_BACK_MS: i64 = 2 * MINUTE_MS;
/// How long after its time a session counts as unused: noted uses are written later than they happen.
const IDLE_SLACK_MS: i64 = 2 * MINUTE_MS;

/// What waits to be told to a client.
#[derive(Deserialize, Serialize)]
struct Ended {
    client_id: String,
    session_id: String,
    subject: String,
}

impl App {
    /// The addresses that tell clients in the browser, in frames, that this session is over (Front-Channel Logout 1.0
    /// section 3): best effort, for whoever cannot be called. Asked before it ends.
    pub async fn frames_at_sign_out(&self, person: &Principal) -> Result<Vec<String>, Failure> {
        let id = person.session_id;
        let rows = self.store.read(move |tx| client_sessions::list_of_session(tx, id, MOST_FRAMES)).await?;
        let mut frames = Vec::new();
        for row in rows {
            let Some(client) = self.listener(&row.client_id).await? else { continue };
            if let Some(address) = &client.metadata().frontchannel_logout {
                let session = self.session_for(&client, row.session_id);
                frames.push(frontchannel_address(address, &self.keys.settings().issuer, &session));
            }
        }
        Ok(frames)
    }

    /// Queues the messages about sessions that were ended lately; says how many rows it took.
    pub async fn announce_revoked_sessions(&self, op: &Op) -> Result<usize, Failure> {
        let since = op.now.plus_ms(-LOOK_BACK_MS);
        let rows = self.store.read(move |tx| client_sessions::list_revoked(tx, since, BATCH)).await?;
        self.announce(op, rows).await
    }

    /// The same for every session that is over, however long ago and for whatever reason.
    pub async fn announce_ended_sessions(&self, op: &Op) -> Result<usize, Failure> {
        let (now, idle_at) = (op.now, op.now.plus_ms(-IDLE_SLACK_MS));
        let rows = self.store.read(move |tx| client_sessions::list_ended(tx, now, idle_at, BATCH)).await?;
        self.announce(op, rows).await
    }

    async fn announce(&self, op: &Op, rows: Vec<ClientSession>) -> Result<usize, Failure> {
        let taken = rows.len();
        for row in rows {
            let client = self.listener(&row.client_id).await?;
            let wants_to_hear = client.is_some_and(|client| client.metadata().backchannel_logout.is_some());
            let parcel = wants_to_hear.then(|| self.pack_logout(op, &row)).transpose()?;
            let event = EventDraft::new(op, Action::LogoutAnnounced)
                .subject(row.session_id)
                .data([("client", row.client_id.clone().into())]);
            self.change(move |change| {
                // Of several nodes one takes it.
                let is_taken = client_sessions::delete(change.tx, &row)?;
                match &parcel {
                    Some(parcel) if is_taken => {
                        change.record(&event)?;
                        change.post_logout(&event, parcel)
                    }
                    _ => {
                        change.quietly();
                        Ok(())
                    }
                }
            })
            .await?;
        }
        Ok(taken)
    }

    /// The client with this id, also while it is kept out: whoever signs out is to be signed out there too.
    async fn listener(&self, id: &str) -> Result<Option<Client>, Failure> {
        Ok(self.find_client(id).await?.map(|found| found.client))
    }

    fn pack_logout(&self, op: &Op, row: &ClientSession) -> Result<Parcel, Failure> {
        let ended = Ended {
            client_id: row.client_id.clone(),
            session_id: row.session_id.to_string(),
            subject: row.user_id.to_string(),
        };
        let plain = serde_json::to_vec(&ended).map_err(|error| Failure::internal("packing a message", error))?;
        self.seal_parcel(op, DeliveryId::new(op.now, op.random.as_ref()), &plain)
    }

    /// A queued message as it is sent now; none when the client does not want it any more.
    pub(crate) async fn write_logout(
        &self,
        id: DeliveryId,
        plain: &[u8],
        now: Timestamp,
    ) -> Result<Option<LogoutMessage>, Failure> {
        let Ended { client_id, session_id, subject } =
            serde_json::from_slice(plain).map_err(|error| Failure::internal("reading a queued message", error))?;
        let Some(client) = self.listener(&client_id).await? else { return Ok(None) };
        let metadata = client.metadata();
        let Some(address) = &metadata.backchannel_logout else { return Ok(None) };
        let unreadable = |error| Failure::internal("reading a queued message", error);
        // As the client knows them.
        let subject = self.subject_for(&client, UserId::parse(&subject).map_err(unreadable)?);
        let session_id = self.session_for(&client, SessionId::parse(&session_id).map_err(unreadable)?);
        let id = id.to_string();
        let token = LogoutToken {
            issuer: &self.keys.settings().issuer,
            client_id: &client_id,
            subject: &subject,
            session_id: &session_id,
            id: &id,
            issued_at: now,
        };
        let token = self.sign(metadata.id_token_algorithm, TOKEN_TYPE, &token.claims())?;
        Ok(Some(LogoutMessage { address: address.uri.clone(), token }))
    }
}
