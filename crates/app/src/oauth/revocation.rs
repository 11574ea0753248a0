//! Withdrawing a token (RFC 7009).

use std::sync::Arc;

use doorward_model::id::EventId;
use doorward_model::rotation::PresentedToken;
use doorward_oidc::client::Client;
use doorward_oidc::token_query::TokenQuery;
use doorward_store::revocations::{self, RevokedKind};
use doorward_store::{grants, token_families};

use super::living::ClientClaims;
use super::{ClientRequest, TokenRefusal};
use crate::App;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::op::Op;
use crate::renewal::read_salt;
use crate::revocations::RevocationBatch;

impl App {
    /// Withdraws a token of the client that asks. Whatever is not a living token of its own stays as it is, and the
    /// answer does not tell (RFC 7009 section 2.2).
    pub async fn revoke_token(&self, op: &Op, request: &ClientRequest) -> Result<(), TokenRefusal> {
        let client = self.authenticate_client(op, request).await?;
        let query = TokenQuery::read(&request.parameters)?;
        let text = query.token.reveal();
        // The two kinds are told apart by how they look, so the hint is not needed.
        if let Some(token) = PresentedToken::parse(text) {
            return Ok(self.revoke_grant(op, &client, token).await?);
        }
        match self.read_client_token(text, op.now) {
            Some(claims) if claims.client_id == client.id().as_str() => Ok(self.revoke_access(op, claims).await?),
            Some(_) | None => Ok(()),
        }
    }

    /// Ends the grant behind a refresh token, and with it every token that came of it (RFC 7009 section 2.1).
    async fn revoke_grant(&self, op: &Op, client: &Client, token: PresentedToken) -> Result<(), Failure> {
        let (mac, client_id, now) = (self.keys.refresh_mac().clone(), client.id().to_string(), op.now);
        let (event, list) = (EventDraft::new(op, Action::GrantRevoked), RevocationBatch::new(op));
        self.change(move |change| {
            let found = token_families::find_with_grant(change.tx, token.family_id())?;
            let theirs = match found {
                Some((family, grant)) if grant.client_id == client_id => {
                    mac.verifies(&token, &read_salt(&family)?).then_some(grant)
                }
                Some(_) | None => None,
            };
            let Some(grant) = theirs else {
                change.quietly();
                return Ok(());
            };
            if !grants::revoke(change.tx, grant.id, now, "revoked_by_client")? {
                change.quietly();
                return Ok(());
            }
            list.insert_grants(change, &[grant.id], now)?;
            change.record(&event.clone().subject(grant.id).data([("client", grant.client_id.into())]))
        })
        .await
    }

    /// Withdraws one access token; what it came from lives on.
    async fn revoke_access(&self, op: &Op, claims: Arc<ClientClaims>) -> Result<(), Failure> {
        let event = EventDraft::with_id(EventId::new(op.now, op.random.as_ref()), op, Action::AccessTokenRevoked)
            .subject(&claims.jti)
            .data([("client", claims.client_id.clone().into())]);
        let (list, now) = (RevocationBatch::new(op), op.now);
        self.change(move |change| {
            if revocations::is_listed(change.tx, RevokedKind::Token, &claims.jti)? {
                change.quietly();
                return Ok(());
            }
            list.insert_token(change, &claims.jti, now)?;
            change.record(&event)
        })
        .await
    }
}
