//! Asking about a token (RFC 7662), answered as JSON or signed (RFC 9701).

use doorward_model::rotation::{Decision, PresentedToken};
use doorward_model::secret::SecretText;
use doorward_model::time::Timestamp;
use doorward_oidc::client::Client;
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::jose::Algorithm;
use doorward_oidc::token_query::{INTROSPECTION_TYPE, TokenQuery};
use doorward_store::{StoreError, token_families};
use serde_json::{Map, Value, json};

use super::held::HeldGrant;
use super::living::LivingToken;
use super::renewals::as_registered;
use super::{ClientRequest, TokenRefusal, TokenScheme};
use crate::App;
use crate::failure::Failure;
use crate::op::Op;
use crate::renewal::{read_family, read_salt};

/// What is said about a token.
pub enum Introspection {
    /// As JSON.
    Plain(Map<String, Value>),
    /// As a JWT for whoever asked.
    Signed(SecretText),
}

impl App {
    /// Tells a client what a token is: one issued to it, or one made out to a service that it is. Of every other token it
    /// learns nothing, not even that it exists (RFC 7662 section 4).
    pub async fn introspect(
        &self,
        op: &Op,
        request: &ClientRequest,
        signed: bool,
    ) -> Result<Introspection, TokenRefusal> {
        let client = self.authenticate_client(op, request).await?;
        if client.is_public() {
            let description = "only a client that proves who it is may ask about tokens";
            return Err(OAuthError::new(ErrorCode::InvalidClient, description).into());
        }
        let query = TokenQuery::read(&request.parameters)?;
        let text = query.token.reveal();
        let known = match PresentedToken::parse(text) {
            Some(token) => self.introspect_refresh(op, &client, token).await?,
            None => self.introspect_access(op, &client, text).await?,
        };
        let answer = known.unwrap_or_else(inactive);
        if !signed {
            return Ok(Introspection::Plain(answer));
        }
        // RFC 9701 section 5: nobody can take it for an access token or an ID token.
        let claims = json!({
            "iss": self.keys.settings().issuer,
            "aud": client.id(),
            "iat": op.now.as_seconds(),
            "token_introspection": answer,
        });
        // RFC 9701 section 6.
        let algorithm = client.metadata().introspection_algorithm.unwrap_or(Algorithm::Rs256);
        if !self.keys.signs_with(algorithm) {
            let source = "the key for signed answers is being made".into();
            return Err(Failure::Unavailable { retry_after_seconds: 1, source }.into());
        }
        Ok(Introspection::Signed(self.sign(algorithm, INTROSPECTION_TYPE, &claims)?))
    }

    async fn introspect_access(
        &self,
        op: &Op,
        client: &Client,
        text: &str,
    ) -> Result<Option<Map<String, Value>>, Failure> {
        let Some(claims) = self.read_client_token(text, op.now) else { return Ok(None) };
        let is_theirs = claims.client_id == client.id().as_str();
        if !is_theirs && !client.serves(&claims.aud) {
            return Ok(None);
        }
        let living = self.living_token(claims, op.now).await?;
        Ok(living.map(|LivingToken { claims, .. }| {
            let mut answer = claims.to_json();
            answer.insert("active".to_owned(), true.into());
            // RFC 9449 section 6.2: whoever takes the token must ask for a proof of the key in `cnf`.
            let scheme = if claims.bound_to().is_some() { TokenScheme::Dpop } else { TokenScheme::Bearer };
            answer.insert("token_type".to_owned(), scheme.as_str().into());
            answer
        }))
    }

    /// A refresh token is the business of the client that holds it, and of nobody else. Asking uses nothing up.
    async fn introspect_refresh(
        &self,
        op: &Op,
        client: &Client,
        token: PresentedToken,
    ) -> Result<Option<Map<String, Value>>, Failure> {
        let id = token.family_id();
        let found = self.store.read(move |tx| {
            let Some((family, grant)) = token_families::find_with_grant(tx, id)? else { return Ok(None) };
            Ok::<_, StoreError>(HeldGrant::of(tx, grant)?.map(|held| (family, held)))
        });
        let Some((family, held)) = found.await? else { return Ok(None) };
        let family = as_registered(family, client);
        if held.grant.client_id != client.id().as_str()
            || !self.keys.refresh_mac().verifies(&token, &read_salt(&family)?)
            || !held.is_alive(op.now, family.issued_at)
        {
            return Ok(None);
        }
        let overlap_ms = self.settings.sessions.overlap_ms;
        let decision = read_family(&family)?.decide(token.generation(), op.now, overlap_ms);
        let is_good = matches!(decision, Decision::Rotate(_) | Decision::Repeat(_) | Decision::Recover(_));
        Ok(is_good.then(|| self.describe_refresh(client, &held, family.expires_at)))
    }

    fn describe_refresh(&self, client: &Client, held: &HeldGrant, expires_at: Timestamp) -> Map<String, Value> {
        let fields = [
            ("active", json!(true)),
            ("iss", json!(self.keys.settings().issuer)),
            ("client_id", json!(client.id())),
            ("sub", json!(self.subject_for(client, held.user.id))),
            ("scope", json!(held.grant.scope)),
            ("iat", json!(held.grant.created_at.as_seconds())),
            ("exp", json!(expires_at.as_seconds())),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// All that is said about a token that is not good, not known, or not for whoever asks (RFC 7662 section 2.2).
fn inactive() -> Map<String, Value> {
    [("active".to_owned(), Value::Bool(false))].into_iter().collect()
}
