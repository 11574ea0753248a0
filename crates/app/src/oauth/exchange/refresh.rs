//! A refresh token for tokens, and the next refresh token (RFC 6749 section 6).

use doorward_model::secret::SecretText;
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::resource::Resource;
use doorward_oidc::scope::Scope;

use super::{Caller, TokenAnswer, TokenRefusal};
use crate::App;
use crate::oauth::renewals::ClientPresenter;
use crate::oauth::tokens::Basis;
use crate::op::Op;
use crate::renewal::Presentation;

/// What a renewal is asked for; what was granted, when nothing is named.
pub(super) struct Asked {
    pub(super) scope: Option<Scope>,
    pub(super) resources: Vec<Resource>,
}

impl App {
    /// Renews a grant.
    pub(super) async fn renew_grant(
        &self,
        op: &Op,
        caller: &Caller,
        refresh_token: &SecretText,
        asked: Asked,
    ) -> Result<TokenAnswer, TokenRefusal> {
        let refused = |description| TokenRefusal::from(OAuthError::new(ErrorCode::InvalidGrant, description));
        let presenter = ClientPresenter {
            client: caller.client.clone(),
            dpop_key: caller.dpop_key,
            scope: asked.scope,
            resources: asked.resources,
        };
        let shares = presenter.clone();
        let (next, held) = match self.present(op, refresh_token.reveal(), presenter).await? {
            Presentation::Issue { next, held } => (next, held),
            Presentation::Unfit(refusal) => return Err(refusal),
            Presentation::Refused => return Err(refused("the refresh token is not valid")),
            Presentation::Reused => return Err(refused("the refresh token was used before; the grant has ended")),
            Presentation::SlowDown(retry_after_seconds) => {
                return Err(TokenRefusal::SlowDown { retry_after_seconds });
            }
        };
        let share = shares.share(&held.grant)?;
        if let Some(session) = held.grant.session_id {
            self.session_cache.see_later(session, op.now);
        }
        metrics::counter!("token_renewals_total").increment(1);
        let answer = self.sign_tokens(
            op,
            &Basis {
                client: &caller.client,
                grant: &held.grant,
                user: &held.user,
                scope: &share.scope,
                resources: share.resources,
                nonce: None,
                dpop_key: caller.dpop_key,
                session_id: held.grant.session_id,
            },
        )?;
        Ok(TokenAnswer { refresh_token: Some(SecretText::new(next.as_str().to_owned())), ..answer })
    }
}
