//! The applications a person has signed in to: what each may have, and taking it back.

use doorward_model::time::Timestamp;
use doorward_oidc::client::Client;
use doorward_oidc::scope::Scope;
use doorward_store::consents::{self, Consent};
use doorward_store::{device_requests, grants};

use crate::App;
use crate::authentication::Principal;
use crate::clients::read_metadata;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::oauth::consent::{read_resources, read_scope};
use crate::op::Op;
use crate::revocations::RevocationBatch;

/// An application as its user sees it.
#[derive(Clone, Debug)]
pub struct Application {
    /// Who it is.
    pub client: Client,
    /// What it may ask for.
    pub scope: Scope,
    /// The services it may use in the person's name.
    pub services: Vec<String>,
    /// When the person last allowed it; none where the operator vouches for it and nobody was asked.
    pub granted_at: Option<Timestamp>,
    /// When the person last signed in to it.
    pub last_used_at: Timestamp,
}

impl App {
    /// A page of the caller's applications, in the order of their ids, with the id to continue from.
    pub async fn list_applications(
        &self,
        person: &Principal,
        after: &str,
        limit: u8,
    ) -> Result<(Vec<Application>, Option<String>), Failure> {
        let (user, after, limit) = (person.user_id, after.to_owned(), usize::from(limit));
        let most = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut rows = self.store.read(move |tx| consents::list(tx, user, &after, most)).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more).map(|(consent, _)| consent.client_id.clone());
        let page: Result<_, Failure> = rows.iter().map(|(consent, metadata)| read(consent, metadata)).collect();
        Ok((page?, next))
    }

    /// Takes back what the caller let a client have: every grant ends, and codes that are on their way are good for
    /// nothing. False when there is nothing to take back.
    pub async fn revoke_application(&self, op: &Op, person: &Principal, client_id: &str) -> Result<bool, Failure> {
        let (user, client_id, now) = (person.user_id, client_id.to_owned(), op.now);
        let event = EventDraft::new(op, Action::ConsentRevoked).subject(&client_id);
        let entries = RevocationBatch::new(op);
        self.change(move |change| {
            // In this order each step waits for whoever is at the one before: a grant that is being made of a code holds the
            // consent that the code belongs to.
            let was_allowed = consents::delete(change.tx, user, &client_id)?;
            device_requests::withdraw(change.tx, user, &client_id)?;
            let ended = grants::revoke_of_client(change.tx, user, &client_id, now, "consent_revoked")?;
            if !was_allowed && ended.is_empty() {
                change.quietly();
                return Ok(false);
            }
            entries.insert_grants(change, &ended, now)?;
            change.record(&event.clone().data([("grants", ended.len().into())]))?;
            Ok(true)
        })
        .await
    }
}

fn read(consent: &Consent, metadata: &str) -> Result<Application, Failure> {
    Ok(Application {
        client: read_metadata(&consent.client_id, metadata)?,
        scope: read_scope(consent),
        services: read_resources(consent)?,
        granted_at: consent.granted_at,
        last_used_at: consent.last_used_at,
    })
}
