//! Clients that register themselves, with a token that an operator made for them (RFC 7591), and manage what they registered
//! (RFC 7592).

use doorward_model::id::{self, InitialAccessId};
use doorward_model::secret::{PlainToken, SecretText, TokenHash, TokenKind};
use doorward_model::time::Timestamp;
use doorward_oidc::client::{Author, Client};
use doorward_store::registrations;
pub use doorward_store::registrations::InitialAccessToken;
use doorward_store::{StoreError, Tx};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use super::{ClientError, ClientProblem, NewClient, PAGE, RegisteredClient, name_client, uses_secret};
use crate::App;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::oauth::paths;
use crate::op::Op;

/// What the server alone says of a registration; a client that sends it back wants what it cannot have (RFC 7592 section 2.2).
const ONLY_TOLD: [&str; 4] =
    ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];

/// What an operator lets clients register themselves with.
#[derive(Clone, Debug)]
pub struct InitialAccess {
    /// Whom it is for, in the operator's words.
    pub note: Option<String>,
    /// How many clients may register with it.
    pub uses: u32,
    /// For how long, in milliseconds.
    pub lifetime_ms: i64,
}

/// A client that has registered itself just now.
pub struct SelfRegistered {
    /// The client, and its secret if it has one.
    pub new: NewClient,
    /// What it manages its registration with: the only time it is in plain.
    pub token: PlainToken,
}

/// Why a client does not register itself, or hears nothing about its registration.
#[derive(Debug, Error)]
pub enum RegistrationError {
    /// The token is none, or not for this.
    #[error("the token is invalid")]
    InvalidToken,
    /// Everything that is wrong with what it asks for.
    #[error("the registration is refused")]
    Refused(Vec<ClientProblem>),
    /// Somebody else changed the client at the same time.
    #[error("the client was changed meanwhile")]
    Changed,
    /// It could not be done.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<ClientError> for RegistrationError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(problems) => Self::Refused(problems),
            ClientError::Changed => Self::Changed,
            ClientError::Failure(failure) => Self::Failure(failure),
        }
    }
}

impl From<StoreError> for RegistrationError {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

/// What a client brings that registers itself.
pub(super) struct Itself {
    initial: TokenHash,
    initial_id: InitialAccessId,
    token: TokenHash,
}

impl Itself {
    /// Uses the operator's token once; false when somebody else was faster.
    pub(super) fn use_once(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
        registrations::use_once(tx, &self.initial, now)
    }

    /// Notes what the client manages its registration with.
    pub(super) fn insert(&self, tx: &mut Tx<'_>, client: &str) -> Result<(), StoreError> {
        registrations::insert_registration(tx, client, &self.token)
    }

    /// With which token.
    pub(super) fn note(&self, event: EventDraft) -> EventDraft {
        event.data([("initial_token", self.initial_id.to_string().into())])
    }
}

impl App {
    /// Whether the operator lets clients register themselves.
    pub fn lets_clients_register(&self) -> bool {
        self.settings.registration
    }

    /// Where a client that registered itself manages its registration.
    pub fn registration_uri(&self, client: &Client) -> String {
        format!("{}{}/{}", self.settings.public_url, paths::REGISTER, client.id())
    }

    /// Makes a token with which clients register themselves, shown this once.
    pub async fn create_initial_token(
        &self,
        op: &Op,
        access: InitialAccess,
    ) -> Result<(InitialAccessToken, PlainToken), Failure> {
        let token = PlainToken::new(TokenKind::InitialAccess, op.random.as_ref());
        let row = InitialAccessToken {
            id: InitialAccessId::new(op.now, op.random.as_ref()),
            note: access.note,
            uses_left: access.uses.into(),
            created_at: op.now,
            expires_at: op.now.plus_ms(access.lifetime_ms),
        };
        let event = EventDraft::new(op, Action::InitialAccessCreated).subject(row.id);
        let event = event.data([("uses", access.uses.into()), ("expires_at", row.expires_at.to_string().into())]);
        let (hash, inserted) = (token.hash(), row.clone());
        self.change(move |change| {
            registrations::insert(change.tx, &hash, &inserted)?;
            change.record(&event)
        })
        .await?;
        Ok((row, token))
    }

    /// The tokens with which clients may register themselves now.
    pub async fn list_initial_tokens(&self, op: &Op) -> Result<Vec<InitialAccessToken>, Failure> {
        let (mut all, mut after, now) = (Vec::new(), String::new(), op.now);
        loop {
            let from = after.clone();
            let page = self.store.read(move |tx| registrations::list(tx, &from, now, PAGE)).await?;
            let Some(last) = page.last() else { return Ok(all) };
            after = last.id.to_string();
            all.extend(page);
        }
    }

    /// Takes such a token back; false when there is none. What has registered with it stays.
    pub async fn delete_initial_token(&self, op: &Op, id: InitialAccessId) -> Result<bool, Failure> {
        let event = EventDraft::new(op, Action::InitialAccessDeleted).subject(id);
        self.change(move |change| {
            if !registrations::delete(change.tx, id)? {
                change.quietly();
                return Ok(false);
            }
            change.record(&event)?;
            Ok(true)
        })
        .await
    }

    /// Registers the client that asks (RFC 7591 section 3). The token is looked at first: nobody else makes this server
    /// read the addresses in a registration.
    pub async fn register_itself(
        &self,
        op: &Op,
        presented: &str,
        members: &Map<String, Value>,
    ) -> Result<SelfRegistered, RegistrationError> {
        let presented =
            PlainToken::parse(TokenKind::InitialAccess, presented).ok_or(RegistrationError::InvalidToken)?;
        let (initial, now) = (presented.hash(), op.now);
        let hash = initial;
        let found = self.store.read(move |tx| registrations::find(tx, &hash, now)).await?;
        let initial_id = found.ok_or(RegistrationError::InvalidToken)?.id;
        let id = name_client(&id::ClientId::new(op.now, op.random.as_ref()).to_string())?;
        let client = self.check_client(Client::from_json(id, members, Author::Stranger))?;
        let token = PlainToken::new(TokenKind::RegistrationAccess, op.random.as_ref());
        let itself = Itself { initial, initial_id, token: token.hash() };
        match self.insert_client(op, client, None, Some(itself)).await {
            Ok(new) => Ok(SelfRegistered { new, token }),
            // Its id was drawn just now: what has changed is that the token was used up or taken back.
            Err(ClientError::Changed) => Err(RegistrationError::InvalidToken),
            Err(error) => Err(error.into()),
        }
    }

    /// What is registered of the client that asks (RFC 7592 section 2.1).
    pub async fn find_self_registered(&self, id: &str, token: &str) -> Result<RegisteredClient, RegistrationError> {
        let invalid = || RegistrationError::InvalidToken;
        let presented = PlainToken::parse(TokenKind::RegistrationAccess, token).ok_or_else(invalid)?;
        let client = self.find_client(id).await?.filter(|client| client.disabled_at.is_none()).ok_or_else(invalid)?;
        let id = id.to_owned();
        let hash = self.store.read(move |tx| registrations::find_registration(tx, &id)).await?.ok_or_else(invalid)?;
        let is_its_own: bool = hash.as_bytes().ct_eq(presented.hash().as_bytes()).into();
        if is_its_own { Ok(client) } else { Err(invalid()) }
    }

    /// Makes the client that asks what it wants to be (RFC 7592 section 2.2).
    pub async fn rewrite_itself(
        &self,
        op: &Op,
        id: &str,
        token: &str,
        members: &Map<String, Value>,
    ) -> Result<RegisteredClient, RegistrationError> {
        let current = self.find_self_registered(id, token).await?;
        let mut problems = Vec::new();
        for field in ONLY_TOLD.into_iter().filter(|field| members.contains_key(*field)) {
            problems.push(ClientProblem::new(field, "cannot be changed, and must be left out"));
        }
        if members.get("client_id").and_then(Value::as_str) != Some(id) {
            problems.push(ClientProblem::new("client_id", "must be there and cannot be changed"));
        }
        if let Some(sent) = members.get("client_secret")
            && !self
                .is_secret_of(op, &current.client, &SecretText::new(sent.as_str().unwrap_or_default().to_owned()))
                .await?
        {
            problems.push(ClientProblem::new("client_secret", "cannot be changed, and is not the client's"));
        }
        let client = match self.check_client(current.client.rewritten(members)) {
            Ok(client) => Some(client),
            Err(ClientError::Refused(more)) => {
                problems.extend(more);
                None
            }
            Err(error) => return Err(error.into()),
        };
        // There would be no secret that it knows.
        if client.as_ref().is_some_and(uses_secret) && !uses_secret(&current.client) {
            let message = "cannot become one that uses a secret; register another client";
            problems.push(ClientProblem::new("token_endpoint_auth_method", message));
        }
        let Some(client) = client.filter(|_| problems.is_empty()) else {
            return Err(RegistrationError::Refused(problems));
        };
        let event = by_itself(EventDraft::new(op, Action::ClientChanged).subject(id));
        Ok(self.replace_client(op, current, client, event).await?)
    }

    /// Removes the client that asks, with everything it was granted (RFC 7592 section 2.3).
    pub async fn delete_itself(&self, op: &Op, id: &str, token: &str) -> Result<(), RegistrationError> {
        self.find_self_registered(id, token).await?;
        let event = by_itself(EventDraft::new(op, Action::ClientDeleted).subject(id));
        let deleted = self.remove_client(op, id, event).await?;
        if deleted { Ok(()) } else { Err(RegistrationError::InvalidToken) }
    }
}

fn by_itself(event: EventDraft) -> EventDraft {
    event.data([("by_itself", true.into())])
}
