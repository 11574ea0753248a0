//! A token for the client itself (RFC 6749 section 4.4).

use doorward_oidc::resource::Resource;
use doorward_oidc::scope::Scope;
use serde_json::Map;

use super::{Caller, TokenAnswer, TokenRefusal};
use crate::App;
use crate::oauth::tokens::AccessToken;
use crate::op::Op;

impl App {
    /// Gives a client a token that is about nobody but the client. Nothing is written: it can be had again at any time.
    pub(super) fn grant_client(
        &self,
        op: &Op,
        caller: &Caller,
        scope: &Scope,
        resources: &[Resource],
    ) -> Result<TokenAnswer, TokenRefusal> {
        let client = &caller.client;
        // RFC 9068 section 3: without a resource, the default; which is everything the client was registered for.
        let resources = if resources.is_empty() { &client.metadata().resources } else { resources };
        let token = AccessToken {
            client,
            subject: client.id().as_str(),
            audience: resources.iter().map(|resource| resource.as_str().to_owned()).collect(),
            scope,
            latest: None,
            about: Map::new(),
        };
        let (access_token, expires_in) = self.sign_access_token(op, token)?;
        Ok(TokenAnswer {
            access_token,
            issued_token_type: None,
            expires_in,
            scope: scope.to_string(),
            refresh_token: None,
            id_token: None,
        })
    }
}
