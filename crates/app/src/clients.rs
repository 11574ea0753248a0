//! Registered clients: made, changed, removed, and their secrets.

mod built;
pub mod declared;
mod disabling;
mod read;
pub mod registration;
#[cfg(test)]
mod tests;

use doorward_model::id;
use doorward_model::secret::{PlainToken, TokenKind};
use doorward_model::time::Timestamp;
use doorward_oidc::client::{AuthenticationMethod, Author, Client, ClientId, Keys, Metadata, Problem, SubjectType};
use doorward_oidc::subject;
use doorward_store::Store;
use doorward_store::clients::{self, ClientRow};
use serde_json::{Map, Value};
use thiserror::Error;

pub(crate) use built::{AUTHENTICATION_METHODS, GRANTS};
pub(crate) use read::{ReadClients, read_metadata};

use crate::App;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::op::Op;
use crate::revocations::RevocationBatch;

/// How many clients are read at a time.
const PAGE: i64 = 100;

/// What is wrong with one field of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientProblem {
    /// The field, as in RFC 7591.
    pub field: String,
    /// What, for people.
    pub message: String,
}

impl ClientProblem {
    fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }
}

/// Why a client is not registered or changed.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Everything that is wrong with what was asked for.
    #[error("the registration is refused")]
    Refused(Vec<ClientProblem>),
    /// Somebody else changed the client at the same time.
    #[error("the client was changed meanwhile")]
    Changed,
    /// It could not be done.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl ClientError {
    /// One thing is wrong.
    fn of(field: &str, message: impl Into<String>) -> Self {
        Self::Refused(vec![ClientProblem::new(field, message)])
    }
}

/// A client as it is registered.
#[derive(Clone, Debug)]
pub struct RegisteredClient {
    /// Who it is and what it may do.
    pub client: Client,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Set while it is kept out.
    pub disabled_at: Option<Timestamp>,
}

/// A client that was just registered, with its secret: the only time it is in plain.
pub struct NewClient {
    /// The client.
    pub registered: RegisteredClient,
    /// Its secret, if it proves with one who it is.
    pub secret: Option<PlainToken>,
}

impl App {
    /// Registers a client with the metadata of RFC 7591 section 2 and draws its id and its secret.
    pub async fn create_client(&self, op: &Op, members: Map<String, Value>) -> Result<NewClient, ClientError> {
        let id = id::ClientId::new(op.now, op.random.as_ref()).to_string();
        self.register(op, &id, members, None).await
    }

    /// Registers a client under this id. Its secret is `given`, or drawn where it needs one.
    async fn register(
        &self,
        op: &Op,
        id: &str,
        members: Map<String, Value>,
        given: Option<PlainToken>,
    ) -> Result<NewClient, ClientError> {
        let client = self.read_client(id, &members)?;
        self.insert_client(op, client, given, None).await
    }

    /// Registers a client that fits together, with `itself` if it registers itself.
    async fn insert_client(
        &self,
        op: &Op,
        client: Client,
        given: Option<PlainToken>,
        itself: Option<registration::Itself>,
    ) -> Result<NewClient, ClientError> {
        self.check_sector(client.metadata()).await?;
        let draw = || given.unwrap_or_else(|| PlainToken::new(TokenKind::ClientSecret, op.random.as_ref()));
        let secret = uses_secret(&client).then(draw);
        let row = ClientRow {
            id: client.id().to_string(),
            metadata: Value::Object(client.to_json()).to_string(),
            created_at: op.now,
            updated_at: op.now,
            disabled_at: None,
        };
        let (hash, origins) = (secret.as_ref().map(PlainToken::hash), client.script_origins());
        let mut event = EventDraft::new(op, Action::ClientCreated).subject(&row.id);
        if let Some(itself) = &itself {
            event = itself.note(event);
        }
        let is_new = self
            .change(move |change| {
                let is_let_in =
                    itself.as_ref().map_or(Ok(true), |itself| itself.use_once(change.tx, row.created_at))?;
                if !is_let_in || clients::find(change.tx, &row.id)?.is_some() {
                    change.quietly();
                    return Ok(false);
                }
                clients::insert(change.tx, &row)?;
                if let Some(itself) = &itself {
                    itself.insert(change.tx, &row.id)?;
                }
                clients::replace_origins(change.tx, &row.id, &origins)?;
                if let Some(hash) = &hash {
                    clients::insert_secret(change.tx, &row.id, hash, row.created_at)?;
                }
                change.record(&event)?;
                Ok(true)
            })
            .await?;
        if !is_new {
            return Err(ClientError::Changed);
        }
        let registered = RegisteredClient { client, created_at: op.now, updated_at: op.now, disabled_at: None };
        Ok(NewClient { registered, secret })
    }

    /// The client with this id.
    pub async fn find_client(&self, id: &str) -> Result<Option<RegisteredClient>, Failure> {
        // Nothing else can be an id, and strangers choose this text.
        if ClientId::parse(id).is_err() {
            return Ok(None);
        }
        let id = id.to_owned();
        let row = self.store.read(move |tx| clients::find(tx, &id)).await?;
        row.as_ref().map(|row| self.read_clients.read(row)).transpose()
    }

    /// Whether scripts of this origin call for a client that keeps no secret and lives there.
    pub async fn is_client_origin(&self, origin: &str) -> Result<bool, Failure> {
        let origin = origin.to_owned();
        Ok(self.store.read(move |tx| clients::has_origin(tx, &origin)).await?)
    }

    /// A page of all clients, in the order of their ids. Those that were drawn sort by when they were registered.
    pub async fn list_clients(&self, after: &str, limit: u8) -> Result<Vec<RegisteredClient>, Failure> {
        let after = after.to_owned();
        let rows = self.store.read(move |tx| clients::list(tx, &after, i64::from(limit))).await?;
        rows.iter().map(|row| self.read_clients.read(row)).collect()
    }

    /// Replaces the fields in `changes`; one that is `null` gets its default. None when there is no such client.
    pub async fn update_client(
        &self,
        op: &Op,
        id: &str,
        changes: Map<String, Value>,
    ) -> Result<Option<RegisteredClient>, ClientError> {
        let Some(current) = self.find_client(id).await? else { return Ok(None) };
        let mut members = current.client.to_json();
        for (field, value) in changes {
            match value {
                Value::Null => members.remove(&field),
                value => members.insert(field, value),
            };
        }
        let client = self.read_client(id, &members)?;
        let event = EventDraft::new(op, Action::ClientChanged).subject(id);
        self.replace_client(op, current, client, event).await.map(Some)
    }

    /// Makes a client that is `current` what it shall be.
    async fn replace_client(
        &self,
        op: &Op,
        current: RegisteredClient,
        client: Client,
        event: EventDraft,
    ) -> Result<RegisteredClient, ClientError> {
        self.check_sector(client.metadata()).await?;
        let seen = Value::Object(current.client.to_json()).to_string();
        let metadata = Value::Object(client.to_json()).to_string();
        let id = client.id().to_string();
        let (loses_secret, origins, now) = (!uses_secret(&client), client.script_origins(), op.now);
        let renames_people = names_people_otherwise(&current.client, &client);
        let revocations = RevocationBatch::new(op);
        let updated = self
            .change(move |change| {
                if !clients::update(change.tx, &id, &seen, &metadata, now)? {
                    change.quietly();
                    return Ok(false);
                }
                clients::replace_origins(change.tx, &id, &origins)?;
                if loses_secret {
                    clients::delete_secrets(change.tx, &id)?;
                }
                if renames_people {
                    revocations.insert_client(change, &id, now)?;
                }
                change.record(&event)?;
                Ok(true)
            })
            .await?;
        if !updated {
            return Err(ClientError::Changed);
        }
        Ok(RegisteredClient { client, updated_at: op.now, ..current })
    }

    /// A new secret; the one before stays good for `overlap_ms`, an older one ends. None when there is no such client.
    pub async fn rotate_client_secret(
        &self,
        op: &Op,
        id: &str,
        overlap_ms: i64,
    ) -> Result<Option<PlainToken>, ClientError> {
        let Some(registered) = self.find_client(id).await? else { return Ok(None) };
        if !uses_secret(&registered.client) {
            return Err(ClientError::of("token_endpoint_auth_method", "is not one that uses a secret"));
        }
        let secret = PlainToken::new(TokenKind::ClientSecret, op.random.as_ref());
        let rotated = self.replace_secret(op, id, &secret, overlap_ms).await?;
        Ok(rotated.then_some(secret))
    }

    /// Makes `secret` the client's; false when there is no such client.
    async fn replace_secret(&self, op: &Op, id: &str, secret: &PlainToken, overlap_ms: i64) -> Result<bool, Failure> {
        let (hash, id, now) = (secret.hash(), id.to_owned(), op.now);
        let event = EventDraft::new(op, Action::ClientSecretRotated)
            .subject(&id)
            .data([("overlap_seconds", (overlap_ms / 1_000).into())]);
        self.change(move |change| {
            if !clients::touch(change.tx, &id, now)? {
                change.quietly();
                return Ok(false);
            }
            clients::rotate_secret(change.tx, &id, &hash, now.plus_ms(overlap_ms), now)?;
            change.record(&event)?;
            Ok(true)
        })
        .await
    }

    /// Removes a client with everything it was granted; false when there is none.
    pub async fn delete_client(&self, op: &Op, id: &str) -> Result<bool, Failure> {
        self.remove_client(op, id, EventDraft::new(op, Action::ClientDeleted).subject(id)).await
    }

    async fn remove_client(&self, op: &Op, id: &str, event: EventDraft) -> Result<bool, Failure> {
        let Some(keeps_tokens) = self.may_keep_tokens(id).await else { return Ok(false) };
        let (id, revocations, now) = (id.to_owned(), RevocationBatch::new(op), op.now);
        self.change(move |change| {
            // Its grants go with it.
            revocations.insert_removed_client(change, &id, keeps_tokens, now)?;
            if !clients::delete(change.tx, &id)? {
                change.quietly();
                return Ok(false);
            }
            change.record(&event)?;
            Ok(true)
        })
        .await
    }

    /// What speaks against the addresses that the server itself would call.
    fn address_problems(&self, metadata: &Metadata) -> Vec<ClientProblem> {
        let keys = match &metadata.keys {
            Some(Keys::At(address)) => Some(("jwks_uri", address)),
            Some(Keys::Set(_)) | None => None,
        };
        let sector = metadata.sector_identifier_uri.as_ref().map(|address| ("sector_identifier_uri", address));
        let objection = |(field, address): (&str, &String)| {
            Some(ClientProblem::new(field, self.outbound.documents.objection(address)?))
        };
        let logout = metadata.backchannel_logout.as_ref().map(|logout| ("backchannel_logout_uri", &logout.uri));
        keys.into_iter().chain(sector).chain(logout).filter_map(objection).collect()
    }

    /// The document at a sector identifier names every redirect URI: else a client could learn the ids by which the
    /// clients of another's sector know people (OpenID Connect Core 8.1, Registration 5).
    pub(super) async fn check_sector(&self, metadata: &Metadata) -> Result<(), ClientError> {
        let Some(address) = &metadata.sector_identifier_uri else { return Ok(()) };
        let refuse = |message: String| ClientError::of("sector_identifier_uri", message);
        let document = self.outbound.documents.fetch(address).await;
        let document = document.map_err(|error| refuse(format!("cannot be read: {error}")))?;
        subject::check_sector_document(&document, &metadata.redirect_uris)
            .map_err(|error| refuse(format!("does not vouch for the client: {error}")))
    }

    /// The metadata as a client, if it fits together and is about what exists.
    fn read_client(&self, id: &str, members: &Map<String, Value>) -> Result<Client, ClientError> {
        self.check_client(Client::from_json(name_client(id)?, members, Author::Operator))
    }

    /// The client, if it is about what exists.
    fn check_client(&self, read: Result<Client, Vec<Problem>>) -> Result<Client, ClientError> {
        let client = read.map_err(|problems| {
            let told = problems.iter().map(|problem| ClientProblem::new(&problem.field, problem.message.as_str()));
            ClientError::Refused(told.collect())
        })?;
        let longest_seconds = self.keys.settings().access_token_ms / 1_000;
        let mut problems = built::problems(client.metadata(), longest_seconds);
        problems.extend(self.address_problems(client.metadata()));
        if problems.is_empty() { Ok(client) } else { Err(ClientError::Refused(problems)) }
    }
}

fn name_client(id: &str) -> Result<ClientId, Failure> {
    ClientId::parse(id).map_err(|error| Failure::internal("naming a client", error))
}

/// A client that needs no PKCE: an exception that an operator made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithoutPkce {
    /// Which client.
    pub id: String,
    /// Whether its requests must have a nonce instead.
    pub nonce_required: bool,
}

/// The clients that need no PKCE.
pub async fn list_without_pkce(store: &Store) -> Result<Vec<WithoutPkce>, Failure> {
    let rows = list_all(store).await?;
    let mut found = Vec::new();
    for row in &rows {
        let client = read_metadata(&row.id, &row.metadata)?;
        let (id, nonce_required) = (client.id().to_string(), client.metadata().nonce_required);
        if !client.metadata().pkce_required {
            found.push(WithoutPkce { id, nonce_required });
        }
    }
    Ok(found)
}

/// Every client, in the order of their ids.
async fn list_all(store: &Store) -> Result<Vec<ClientRow>, Failure> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let from = after.clone();
        let rows = store.read(move |tx| clients::list(tx, &from, PAGE)).await?;
        let Some(last) = rows.last() else { return Ok(all) };
        after.clone_from(&last.id);
        all.extend(rows);
    }
}

/// Whether people have other names with the client than they had: its tokens so far are about nobody.
fn names_people_otherwise(before: &Client, after: &Client) -> bool {
    let naming = |client: &Client| match client.metadata().subject_type {
        SubjectType::Public => None,
        SubjectType::Pairwise => Some(subject::sector(client.metadata())),
    };
    naming(before) != naming(after)
}

fn uses_secret(client: &Client) -> bool {
    use AuthenticationMethod::{ClientSecretBasic, ClientSecretPost};
    matches!(client.metadata().authentication, ClientSecretBasic | ClientSecretPost)
}
