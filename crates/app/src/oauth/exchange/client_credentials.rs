//! A token for the client itself (RFC 6749 section 4.4).

use doorward_oidc::resource::Resource;
use doorward_oidc::scope::{REVOCATIONS, Scope};
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
        let named: &[Resource] = if resources.is_empty() { &client.metadata().resources } else { resources };
        let mut audience: Vec<String> = named.iter().map(|resource| resource.as_str().to_owned()).collect();
        // The feed of revocations is a service that no client needs to be registered for, and one that needs nothing else gets
        // nothing else.
        if resources.is_empty() && scope.contains(REVOCATIONS) {
            if scope.words().eq([REVOCATIONS]) {
                audience.clear();
            }
            audience.push(self.feed_audience());
        }
        let token = AccessToken {
            client,
            subject: client.id().to_string(),
            audience,
            scope,
            latest: None,
            about: Map::new(),
            dpop_key: caller.dpop_key,
        };
        self.sign_access_token(op, token)
    }
}
