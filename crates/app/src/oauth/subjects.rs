//! By which id each client knows a person (OpenID Connect Core 8).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::id::{SessionId, UserId};
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
                PairwiseKey::new(&self.keys.derive("pairwise subjects", &[])).subject(&sector(client), user_id)
            }
        }
    }

    /// The `sid` by which this client knows a session: a pairwise one where people are, for a session belongs to one of
    /// them.
    pub(super) fn session_for(&self, client: &Client, session_id: SessionId) -> String {
        match client.metadata().subject_type {
            SubjectType::Public => session_id.to_string(),
            SubjectType::Pairwise => {
                let parts = [sector(client), session_id.to_string()];
                let derived = self.keys.derive("pairwise sessions", &[parts[0].as_bytes(), parts[1].as_bytes()]);
                URL_SAFE_NO_PAD.encode(&derived[..16])
            }
        }
    }
}

/// A registration without a sector is refused; a client of its own would be the safe reading of one.
fn sector(client: &Client) -> String {
    subject::sector(client.metadata()).unwrap_or_else(|| client.id().to_string())
}
