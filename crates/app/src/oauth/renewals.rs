//! Refresh tokens of clients: whom one is bound to and what it renews.

use doorward_model::id::{FamilyId, UserId};
use doorward_model::rotation::Rotation;
use doorward_oidc::client::{self, Client};
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::jose::Thumbprint;
use doorward_oidc::resource::Resource;
use doorward_oidc::scope::Scope;
use doorward_oidc::token_request::renewed_scope;
use doorward_store::grants::{self, Grant, HeldGrant};
use doorward_store::token_families::{self, TokenFamily};
use doorward_store::{StoreError, Tx};
use serde_json::Value;

use super::TokenRefusal;
use super::exchange::narrowed;
use super::held;
use super::tokens::{read_list, read_scope};
use crate::App;
use crate::change::Change;
use crate::op::Op;
use crate::renewal::Presenter;
use crate::revocations::RevocationBatch;

/// A client that presents a refresh token.
#[derive(Clone)]
pub(super) struct ClientPresenter {
    pub(super) client: Client,
    /// The key it has proved to hold.
    pub(super) dpop_key: Option<Thumbprint>,
    /// What it asks for; what was granted, when it names nothing.
    pub(super) scope: Option<Scope>,
    pub(super) resources: Vec<Resource>,
}

/// What of a grant goes into the tokens.
pub(super) struct Share {
    pub(super) scope: Scope,
    pub(super) resources: Vec<String>,
}

impl ClientPresenter {
    /// What it may have of `grant`: what was granted, what it is still registered for, what it asks for.
    pub(super) fn share(&self, grant: &Grant) -> Result<Share, TokenRefusal> {
        let metadata = self.client.metadata();
        let granted = read_scope(&grant.scope)?.intersection(&metadata.scopes);
        if granted.is_empty() {
            let description = "the client is registered for nothing of what was granted";
            return Err(OAuthError::new(ErrorCode::InvalidScope, description).into());
        }
        let scope = renewed_scope(self.scope.as_ref(), &granted)?;
        let mut resources = read_list(&grant.resources)?;
        resources.retain(|granted| metadata.resources.iter().any(|own| own.as_str() == granted));
        Ok(Share { scope, resources: narrowed(resources, &self.resources)? })
    }
}

impl Presenter for ClientPresenter {
    type Held = HeldGrant;
    type Unfit = TokenRefusal;

    fn find(&self, tx: &mut Tx<'_>, id: FamilyId) -> Result<Option<(TokenFamily, HeldGrant)>, StoreError> {
        let found = token_families::find_with_held(tx, id)?;
        Ok(found.map(|(family, held)| (as_registered(family, &self.client), held)))
    }

    fn is_bound(&self, family: &TokenFamily, held: &HeldGrant) -> bool {
        let has_key = family.dpop_key.is_none_or(|key| self.dpop_key == Some(Thumbprint::from_bytes(key)));
        held.grant.client_id == self.client.id().as_str() && has_key
    }

    fn is_alive(&self, op: &Op, family: &TokenFamily, held: &HeldGrant) -> bool {
        held::is_alive(held, op.now, family.issued_at)
    }

    fn check(&self, held: &HeldGrant) -> Result<(), TokenRefusal> {
        self.share(&held.grant).map(|_| ())
    }

    fn end(
        change: &mut Change<'_, '_>,
        held: &HeldGrant,
        op: &Op,
        list: RevocationBatch,
        why: &str,
    ) -> Result<(), StoreError> {
        grants::revoke(change.tx, held.grant.id, op.now, why)?;
        list.insert_grants(change, &[held.grant.id], op.now)
    }

    // Each use of a grant asks the database.
    fn forget(_: &App, _: &HeldGrant) {}

    fn user(held: &HeldGrant) -> UserId {
        held.grant.user_id
    }

    fn label(&self, _: &HeldGrant) -> String {
        self.client.shown_name().to_owned()
    }

    fn fact(held: &HeldGrant) -> (&'static str, Value) {
        ("grant", held.grant.id.to_string().into())
    }
}

/// The family under the rules of today's registration: a token that was kept is not kept any more once the client does
/// not prove for it what it had to.
pub(super) fn as_registered(family: TokenFamily, client: &Client) -> TokenFamily {
    TokenFamily { rotation: rotation(client).as_str().to_owned(), ..family }
}

/// What a refresh token does when it is used.
pub(super) fn rotation(client: &Client) -> Rotation {
    match client.metadata().rotation {
        client::Rotation::Strict => Rotation::Strict,
        client::Rotation::Recover => Rotation::Recover,
        client::Rotation::Keep => Rotation::Keep,
    }
}
