//! Clients as an operator declares them: what differs is found, shown, and changed.

use std::collections::BTreeSet;

use doorward_model::secret::{PlainToken, SecretText, TokenKind};
use doorward_oidc::client::{Client, ClientId};
use doorward_store::clients;
use serde_json::{Map, Value};

use super::{ClientError, ClientProblem, list_all, read_metadata, uses_secret};
use crate::App;
use crate::failure::Failure;
use crate::op::Op;

/// What the ids begin with that this server draws. A client with such an id was registered by command or by itself.
const DRAWN: &str = "client_";

/// A client as it shall be.
#[derive(Debug)]
pub struct DeclaredClient {
    /// Its id, chosen by the operator.
    pub id: String,
    /// What shall be registered; what is left out has its default.
    pub members: Map<String, Value>,
    /// Its secret, where the operator gives one.
    pub secret: Option<SecretText>,
}

/// What is wrong with one of several clients.
#[derive(Debug)]
pub struct DeclaredProblem {
    /// Which client.
    pub client: String,
    /// What is wrong with it.
    pub problem: ClientProblem,
}

/// Why clients are not as declared.
#[derive(Debug)]
pub enum DeclaredError {
    /// Everything that is wrong with what was declared. Nothing was changed.
    Refused(Vec<DeclaredProblem>),
    /// It could not be found out.
    Failure(Failure),
}

impl<E: Into<Failure>> From<E> for DeclaredError {
    fn from(error: E) -> Self {
        Self::Failure(error.into())
    }
}

/// One field that is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// The field, as in RFC 7591.
    pub field: String,
    /// What is registered.
    pub before: Option<Value>,
    /// What shall be.
    pub after: Option<Value>,
}

/// What makes a client as it was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is registered.
    Create,
    /// These fields change, and its secret if so said.
    Change {
        /// The fields.
        fields: Vec<FieldChange>,
        /// Whether it gets another secret.
        has_new_secret: bool,
    },
    /// It is removed with everything it was granted.
    Remove,
    /// It is as declared.
    Keep,
}

/// A client and what is to be done about it.
pub struct PlannedClient {
    /// Its id.
    pub id: String,
    /// What is to be done.
    pub step: Step,
    members: Map<String, Value>,
    secret: Option<PlainToken>,
}

impl App {
    /// What is to be done so that clients are as `declared`. With `prune`, clients that are not declared go, except those
    /// whose id this server drew. Changes nothing.
    pub async fn plan_clients(
        &self,
        declared: Vec<DeclaredClient>,
        prune: bool,
    ) -> Result<Vec<PlannedClient>, DeclaredError> {
        let mut problems = Vec::new();
        let mut wanted: Vec<(Client, Option<PlainToken>)> = Vec::new();
        let mut named = BTreeSet::new();
        for client in declared {
            let id = client.id.clone();
            let mut found = Vec::new();
            if !named.insert(id.clone()) {
                found.push(ClientProblem::new("client_id", "stands twice"));
            }
            let read = match self.read_declared(client) {
                Ok(read) => self.check_sector(read.0.metadata()).await.map(|()| read),
                refused => refused,
            };
            match read {
                Ok(read) => wanted.push(read),
                Err(ClientError::Refused(more)) => found.extend(more),
                Err(ClientError::Changed) => {}
                Err(ClientError::Failure(failure)) => return Err(failure.into()),
            }
            problems.extend(found.into_iter().map(|problem| DeclaredProblem { client: id.clone(), problem }));
        }
        if !problems.is_empty() {
            return Err(DeclaredError::Refused(problems));
        }
        let mut planned = Vec::new();
        for (client, secret) in wanted {
            planned.push(self.compare(&client, secret).await?);
        }
        if prune {
            let others = self.list_chosen_ids().await?.into_iter().filter(|id| !named.contains(id));
            planned.extend(others.map(|id| PlannedClient {
                id,
                step: Step::Remove,
                members: Map::new(),
                secret: None,
            }));
        }
        Ok(planned)
    }

    /// Does what is planned about one client; the secret, where one was drawn. A secret that is replaced stays good for
    /// `overlap_ms`.
    pub async fn carry_out(
        &self,
        op: &Op,
        planned: PlannedClient,
        overlap_ms: i64,
    ) -> Result<Option<PlainToken>, ClientError> {
        let PlannedClient { id, step, members, secret } = planned;
        match step {
            Step::Keep => Ok(None),
            Step::Create => {
                let is_given = secret.is_some();
                let new = self.register(op, &id, members, secret).await?;
                Ok(new.secret.filter(|_| !is_given))
            }
            Step::Remove => {
                self.delete_client(op, &id).await?;
                Ok(None)
            }
            Step::Change { fields, has_new_secret } => {
                if !fields.is_empty() {
                    let changes = fields.into_iter().map(|it| (it.field, it.after.unwrap_or(Value::Null)));
                    self.update_client(op, &id, changes.collect()).await?.ok_or(ClientError::Changed)?;
                }
                self.give_secret(op, &id, secret, has_new_secret, overlap_ms).await
            }
        }
    }

    /// The given secret, or one that is drawn because the client needs one now.
    async fn give_secret(
        &self,
        op: &Op,
        id: &str,
        given: Option<PlainToken>,
        is_wanted: bool,
        overlap_ms: i64,
    ) -> Result<Option<PlainToken>, ClientError> {
        if !is_wanted {
            return Ok(None);
        }
        let is_given = given.is_some();
        let secret = given.unwrap_or_else(|| PlainToken::new(TokenKind::ClientSecret, op.random.as_ref()));
        if !self.replace_secret(op, id, &secret, overlap_ms).await? {
            return Err(ClientError::Changed);
        }
        Ok((!is_given).then_some(secret))
    }

    fn read_declared(&self, declared: DeclaredClient) -> Result<(Client, Option<PlainToken>), ClientError> {
        let DeclaredClient { id, members, secret } = declared;
        if let Err(error) = ClientId::parse(&id) {
            return Err(ClientError::of("client_id", error.to_string()));
        }
        let client = self.read_client(&id, &members)?;
        let Some(text) = secret else { return Ok((client, None)) };
        if !uses_secret(&client) {
            return Err(ClientError::of("client_secret_file", "is for a client that uses no secret"));
        }
        let malformed = "holds no secret of the form that is drawn here; doorward client generate-secret makes one";
        let secret = PlainToken::parse(TokenKind::ClientSecret, text.reveal())
            .ok_or_else(|| ClientError::of("client_secret_file", malformed))?;
        Ok((client, Some(secret)))
    }

    async fn compare(&self, wanted: &Client, secret: Option<PlainToken>) -> Result<PlannedClient, Failure> {
        let id = wanted.id().to_string();
        let members = wanted.to_json();
        let (key, hash) = (id.clone(), secret.as_ref().map(PlainToken::hash));
        let found = self
            .store
            .read(move |tx| {
                let Some(row) = clients::find(tx, &key)? else { return Ok(None) };
                let current = clients::find_current_secret(tx, &key)?;
                Ok::<_, doorward_store::StoreError>(Some((row, current)))
            })
            .await?;
        let Some((row, current)) = found else {
            return Ok(PlannedClient { id, step: Step::Create, members, secret });
        };
        let fields = differences(&read_metadata(&row.id, &row.metadata)?.to_json(), &members);
        let has_new_secret = match hash {
            Some(hash) => current != Some(hash),
            None => uses_secret(wanted) && current.is_none(),
        };
        let is_same = fields.is_empty() && !has_new_secret;
        let step = if is_same { Step::Keep } else { Step::Change { fields, has_new_secret } };
        Ok(PlannedClient { id, step, members, secret })
    }

    async fn list_chosen_ids(&self) -> Result<Vec<String>, Failure> {
        let ids = list_all(&self.store).await?.into_iter().map(|row| row.id);
        Ok(ids.filter(|id| !id.starts_with(DRAWN)).collect())
    }
}

/// The fields in which two registrations differ, by name.
fn differences(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<FieldChange> {
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    all.into_iter()
        .filter(|field| before.get(*field) != after.get(*field))
        .map(|field| FieldChange {
            field: field.clone(),
            before: before.get(field).cloned(),
            after: after.get(field).cloned(),
        })
        .collect()
}
