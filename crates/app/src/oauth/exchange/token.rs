//! A token for a token (RFC 8693): with less in it for its own client, or for the service that it was presented to, which
//! then acts for the person.

use doorward_model::time::{SECOND_MS, Timestamp};
use doorward_oidc::client::Client;
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::scope::{OFFLINE_ACCESS, OPENID, Scope};
use doorward_oidc::token_exchange::{ACCESS_TOKEN_TYPE, Actors, ExchangeRequest};
use serde_json::{Map, Value};

use super::{Caller, TokenAnswer, TokenRefusal, narrowed};
use crate::App;
use crate::oauth::living::{ClientClaims, LivingToken};
use crate::oauth::tokens::AccessToken;
use crate::op::Op;

/// What a token says of the person and the sign-in, which its successor says too.
const KEPT: [&str; 4] = ["sid", "auth_time", "acr", "amr"];

const REFUSED: OAuthError = OAuthError::invalid_request("the subject token is not one that the client may exchange");

impl App {
    /// Gives a token that allows no more, lives no longer and comes from the same grant. Nothing is written.
    pub(super) async fn exchange_token(
        &self,
        op: &Op,
        caller: &Caller,
        request: ExchangeRequest,
    ) -> Result<TokenAnswer, TokenRefusal> {
        let client = &caller.client;
        let LivingToken { claims: subject, held, .. } =
            self.exchangeable(op, caller, request.subject_token.reveal()).await?;
        let held = held.ok_or(REFUSED)?;
        // RFC 8693 section 1.1: whoever is not the token's own client acts for the person under its own name.
        let delegates = subject.client_id != client.id().as_str() || request.actor_token.is_some();
        if let Some(actor) = &request.actor_token {
            self.check_actor(op, caller, actor.reveal()).await?;
        }
        let audience = self.audience(client, &subject, &request)?;
        let actors = Actors::parse(subject.rest.get("act"))
            .ok_or(OAuthError::invalid_request("the subject token says in no known way who acts"))?;
        let actors = if delegates { actors.delegate(client.id().as_str())? } else { actors };
        let allowed = Scope::parse(&subject.scope).unwrap_or_default().without(OPENID).without(OFFLINE_ACCESS);
        let scope = request.narrowed(&allowed, &client.metadata().scopes)?;
        let token = AccessToken {
            client,
            // Each sector knows the person by a name of its own (OpenID Connect Core 8).
            subject: self.subject_for(client, held.user.id),
            audience,
            scope: &scope,
            latest: Some(Timestamp::from_ms(subject.exp.saturating_mul(SECOND_MS))),
            about: about(&subject, &actors),
            dpop_key: caller.dpop_key,
        };
        let answer = self.sign_access_token(op, token)?;
        Ok(TokenAnswer { issued_token_type: Some(ACCESS_TOKEN_TYPE), ..answer })
    }

    /// A token about a person that is good now, and that this client may exchange: its own, with the key it is bound to, or
    /// one made out to a service that it is. Everything else is refused alike (RFC 8693 section 2.2.2).
    async fn exchangeable(&self, op: &Op, caller: &Caller, text: &str) -> Result<LivingToken, TokenRefusal> {
        let claims = self.read_client_token(text, op.now).ok_or(REFUSED)?;
        let is_own = claims.client_id == caller.client.id().as_str();
        let may = if is_own { has_key(caller, &claims) } else { caller.client.serves(&claims.aud) };
        if !may {
            return Err(REFUSED.into());
        }
        let living = self.living_token(claims, op.now).await?;
        living.filter(|living| living.held.is_some()).ok_or_else(|| REFUSED.into())
    }

    /// Nobody acts under another one's name: the token of the actor is the client's own.
    async fn check_actor(&self, op: &Op, caller: &Caller, text: &str) -> Result<(), TokenRefusal> {
        let refused = OAuthError::invalid_request("the actor token is not one of the client for itself");
        let claims = self.read_client_token(text, op.now).ok_or(refused)?;
        if claims.sub != caller.client.id().as_str() || !has_key(caller, &claims) {
            return Err(refused.into());
        }
        self.living_token(claims, op.now).await?.map(|_| ()).ok_or_else(|| refused.into())
    }

    /// Where the new token is good. The token's own client gets no service that it does not have already; a service gets
    /// those that it is registered for, and must name them. `UserInfo` is never among them.
    fn audience(
        &self,
        client: &Client,
        subject: &ClientClaims,
        request: &ExchangeRequest,
    ) -> Result<Vec<String>, TokenRefusal> {
        let missing = OAuthError::new(ErrorCode::InvalidTarget, "a resource or audience must be named");
        if subject.client_id != client.id().as_str() {
            if request.resources.is_empty() {
                return Err(missing.into());
            }
            return Ok(request.resources.iter().map(|resource| resource.as_str().to_owned()).collect());
        }
        let mut held = subject.aud.clone();
        held.retain(|name| *name != self.userinfo_audience());
        let audience = narrowed(held, &request.resources)?;
        if audience.is_empty() { Err(missing.into()) } else { Ok(audience) }
    }
}

/// Whether the caller has proved to hold the key that its own token is bound to, if it is.
fn has_key(caller: &Caller, claims: &ClientClaims) -> bool {
    let key = caller.dpop_key.map(|key| key.to_string());
    claims.bound_to().is_none_or(|bound| key.as_deref() == Some(bound))
}

/// What is kept of the subject token, and who acts.
fn about(subject: &ClientClaims, actors: &Actors) -> Map<String, Value> {
    let kept = KEPT.iter().filter_map(|name| Some(((*name).to_owned(), subject.rest.get(*name)?.clone())));
    let mut about: Map<String, Value> = kept.collect();
    about.extend(subject.grant_id.clone().map(|id| ("grant_id".to_owned(), id.into())));
    about.extend(actors.to_claim().map(|act| ("act".to_owned(), act)));
    about
}
