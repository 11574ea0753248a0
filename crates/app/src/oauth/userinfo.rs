//! The `UserInfo` endpoint (OpenID Connect Core 5.3).

use doorward_model::secret::SecretText;
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::scope::{OPENID, Scope};
use serde_json::{Map, Value, json};

use super::living::{ClientClaims, LivingToken};
use super::{Proving, TokenScheme, tokens};
use crate::App;
use crate::failure::Failure;
use crate::op::Op;

/// The `typ` of a signed answer: no ID token, so that it is not taken for a hint or a proof of who signed in.
const SIGNED_TYPE: &str = "userinfo+jwt";

/// An access token, as a request presents it.
#[derive(Clone, Copy, Debug)]
pub struct PresentedToken<'a> {
    /// The token.
    pub text: &'a str,
    /// How it came.
    pub scheme: TokenScheme,
    /// The request it came with.
    pub proving: Proving<'a>,
}

/// What the `UserInfo` endpoint answers.
pub enum UserInfo {
    /// Claims about the person.
    Claims(Map<String, Value>),
    /// The same as a signed JWT, for a client that is registered for that (OpenID Connect Core 5.3.2).
    Signed(SecretText),
    /// Why there are none.
    Refused(OAuthError),
}

impl App {
    /// The claims that an access token's scope allows, as long as its grant and session live.
    pub async fn userinfo(&self, op: &Op, token: &PresentedToken<'_>) -> Result<UserInfo, Failure> {
        let invalid = || UserInfo::Refused(OAuthError::new(ErrorCode::InvalidToken, "the access token is not valid"));
        let claims = self.read_client_token(token.text, op.now);
        let Some(claims) = claims.filter(|claims| claims.aud.contains(&self.userinfo_audience())) else {
            return Ok(invalid());
        };
        if let Err(error) = self.check_binding(op, token, &claims).await? {
            return Ok(UserInfo::Refused(error));
        }
        let Ok(scope) = Scope::parse(&claims.scope) else { return Ok(invalid()) };
        if !scope.contains(OPENID) {
            let error = OAuthError::new(ErrorCode::InsufficientScope, "the access token is not one of a sign-in");
            return Ok(UserInfo::Refused(error));
        }
        let living = self.living_token(claims, op.now).await?;
        let Some(LivingToken { claims, client, held: Some(held) }) = living else { return Ok(invalid()) };
        if held.grant.client_id != claims.client_id {
            return Ok(invalid());
        }
        let mut answer = tokens::userinfo(&held.user, &claims.sub, &scope);
        let Some(algorithm) = client.metadata().userinfo_algorithm else { return Ok(UserInfo::Claims(answer)) };
        answer.insert("iss".to_owned(), json!(self.keys.settings().issuer));
        answer.insert("aud".to_owned(), json!(client.id()));
        Ok(UserInfo::Signed(self.sign(algorithm, SIGNED_TYPE, &Value::Object(answer))?))
    }

    /// Whether whoever presents the token may: a bound one comes with a proof of its key, and an unbound one without
    /// (RFC 9449 section 7.1 and 7.2).
    pub(super) async fn check_binding(
        &self,
        op: &Op,
        token: &PresentedToken<'_>,
        claims: &ClientClaims,
    ) -> Result<Result<(), OAuthError>, Failure> {
        let invalid = |description| Ok(Err(OAuthError::new(ErrorCode::InvalidToken, description)));
        let bound_to = match (claims.bound_to(), token.scheme) {
            (None, TokenScheme::Bearer) => return Ok(Ok(())),
            (Some(bound_to), TokenScheme::Dpop) => bound_to,
            (None, TokenScheme::Dpop) => return invalid("the access token is not bound to a key"),
            (Some(_), TokenScheme::Bearer) => return invalid("the access token must come with a proof of its key"),
        };
        match self.proved_key(op, &token.proving, Some(token.text)).await? {
            Ok(Some(key)) if key.to_string() == bound_to => Ok(Ok(())),
            Ok(Some(_)) => invalid("the access token is bound to another key"),
            Ok(None) => Ok(Err(OAuthError::new(ErrorCode::InvalidDpopProof, "there is no DPoP header"))),
            Err(error) => Ok(Err(error)),
        }
    }
}
