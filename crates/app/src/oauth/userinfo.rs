//! The `UserInfo` endpoint (OpenID Connect Core 5.3).

use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::scope::{OPENID, Scope};
use serde_json::{Map, Value};

use super::living::LivingToken;
use super::tokens;
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
        let claims = self.read_client_token(token, op.now);
        let Some(claims) = claims.filter(|claims| claims.aud.contains(&self.userinfo_audience())) else {
            return Ok(invalid());
        };
        let Ok(scope) = Scope::parse(&claims.scope) else { return Ok(invalid()) };
        if !scope.contains(OPENID) {
            let error = OAuthError::new(ErrorCode::InsufficientScope, "the access token is not one of a sign-in");
            return Ok(UserInfo::Refused(error));
        }
        let living = self.living_token(claims, op.now).await?;
        let Some(LivingToken { claims, held: Some(held) }) = living else { return Ok(invalid()) };
        if held.grant.client_id != claims.client_id {
            return Ok(invalid());
        }
        Ok(UserInfo::Claims(tokens::userinfo(&held.user, &scope)))
    }
}
