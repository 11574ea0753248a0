//! The `UserInfo` endpoint (OpenID Connect Core 5.3).

use doorward_model::id::{GrantId, UserId};
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::scope::{OPENID, Scope};
use doorward_store::users;
use serde_json::{Map, Value};

use super::held::HeldGrant;
use super::tokens::{self, ClientClaims};
use crate::App;
use crate::failure::Failure;
use crate::op::Op;

/// What the `UserInfo` endpoint answers.
pub enum UserInfo {
    /// Claims about the person.
    Claims(Map<String, Value>),
    /// Why there are none.
    Refused(OAuthError),
}

impl App {
    /// The claims that an access token's scope allows, as long as its grant and session live.
    pub async fn userinfo(&self, op: &Op, token: &str) -> Result<UserInfo, Failure> {
        let invalid = || UserInfo::Refused(OAuthError::new(ErrorCode::InvalidToken, "the access token is not valid"));
        let Some(claims) = self.read_client_token(token, op.now) else { return Ok(invalid()) };
        let Ok(scope) = Scope::parse(&claims.scope) else { return Ok(invalid()) };
        if !scope.contains(OPENID) {
            let error = OAuthError::new(ErrorCode::InsufficientScope, "the access token is not one of a sign-in");
            return Ok(UserInfo::Refused(error));
        }
        let Some(user) = self.person_behind(op, &claims).await? else { return Ok(invalid()) };
        Ok(UserInfo::Claims(tokens::userinfo(&user, &scope)))
    }

    /// The person, if grant, client and session all live.
    async fn person_behind(&self, op: &Op, claims: &ClientClaims) -> Result<Option<users::User>, Failure> {
        let (Ok(grant_id), Ok(user_id)) = (GrantId::parse(&claims.grant_id), UserId::parse(&claims.sub)) else {
            return Ok(None);
        };
        if self.active_client(&claims.client_id).await?.is_none() {
            return Ok(None);
        }
        let held = self.store.read(move |tx| HeldGrant::find(tx, grant_id)).await?;
        let found = held.filter(|held| {
            let grant = &held.grant;
            grant.user_id == user_id && grant.client_id == claims.client_id && held.is_alive(op.now, grant.created_at)
        });
        Ok(found.map(|held| held.user))
    }
}
