//! By which id each client knows a person (OpenID Connect Core 8).

use doorward_model::id::UserId;
use doorward_oidc::client::{Client, SubjectType};
use doorward_oidc::subject::{self, PairwiseKey};

use crate::App;

impl App {
    /// The `sub` of everything that this client learns about a person. A pairwise one follows from the person, the
    /// client's sector and a key of the deployment that never changes: clients of two sectors cannot find out that they
    /// know the same person.
    pub(super) fn subject_for(&self, client: &Client, user_id: UserId) -> String {
        match client.metadata().subject_type {
            SubjectType::Public => user_id.to_string(),
            SubjectType::Pairwise => {
                // A registration without a sector is refused; a client of its own would be the safe reading of one.
                let sector = subject::sector(client.metadata()).unwrap_or_else(|| client.id().to_string());
                PairwiseKey::new(&self.keys.derive("pairwise subjects", &[])).subject(&sector, user_id)
            }
        }
    }
}
