//! Asking about a token (RFC 7662), answered as JSON or signed (RFC 9701).

use std::sync::Arc;

use doorward_model::id::FamilyId;
use doorward_model::rotation::{Decision, PresentedToken};
use doorward_model::secret::SecretText;
use doorward_model::time::Timestamp;
use doorward_oidc::client::Client;
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::jose::Algorithm;
use doorward_oidc::token_query::{INTROSPECTION_TYPE, TokenQuery};
use doorward_store::grants::HeldGrant;
use doorward_store::token_families::{self, TokenFamily};
use doorward_store::{StoreError, Tx};
use serde_json::{Map, Value, json};

use super::living::{ClientClaims, Origin};
use super::renewals::as_registered;
use super::{ClientRequest, TokenRefusal, held};
use crate::App;
use crate::failure::Failure;
use crate::op::Op;
use crate::renewal::{read_family, read_salt};

/// What is said about a token.
pub enum Introspection {
    /// As the text of a JSON object.
    Plain(String),
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
        let query = TokenQuery::read(&request.parameters);
        let text = query.as_ref().map(|query| query.token.reveal()).unwrap_or_default();
        // Nothing is verified for whoever has not proved who they are, so a token that was never shown costs a visit more.
        let asked = match PresentedToken::parse(text) {
            Some(token) => Asked::Refresh(token.family_id()),
            None => self.known_client_token(text, op.now).map_or(Asked::Unknown, Asked::Known),
        };
        let (client, found) = self.authenticate_client_and(op, request, move |tx| asked.find(tx)).await?;
        if client.is_public() {
            let description = "only a client that proves who it is may ask about tokens";
            return Err(OAuthError::new(ErrorCode::InvalidClient, description).into());
        }
        let query = query?;
        let text = query.token.reveal();
        let known = match found {
            Found::Refresh(found) => self.describe_refresh(op, &client, text, found.map(|found| *found))?,
            Found::Known(claims, origin) => self.described(&client, claims, origin.map(|origin| *origin), op.now)?,
            Found::Nothing => match self.read_client_token(text, op.now) {
                Some(claims) if may_ask(&client, &claims) => {
                    self.living_token(claims, op.now).await?.map(|living| Described::Token(living.claims))
                }
                Some(_) | None => None,
            },
        };
        let known = known.unwrap_or(Described::Nothing);
        if !signed {
            return Ok(Introspection::Plain(known.text()));
        }
        // RFC 9701 section 5: nobody can take it for an access token or an ID token.
        let claims = json!({
            "iss": self.keys.settings().issuer,
            "aud": client.id(),
            "iat": op.now.as_seconds(),
            "token_introspection": known.members(),
        });
        // RFC 9701 section 6.
        let algorithm = client.metadata().introspection_algorithm.unwrap_or(Algorithm::Rs256);
        if !self.keys.signs_with(algorithm) {
            let source = "the key for signed answers is being made".into();
            return Err(Failure::Unavailable { retry_after_seconds: 1, source }.into());
        }
        Ok(Introspection::Signed(self.sign(algorithm, INTROSPECTION_TYPE, &claims)?))
    }

    /// Of every token that was not issued to the client or made out to it, it learns nothing.
    fn described(
        &self,
        client: &Client,
        claims: Arc<ClientClaims>,
        origin: Option<Origin>,
        now: Timestamp,
    ) -> Result<Option<Described>, Failure> {
        if !may_ask(client, &claims) {
            return Ok(None);
        }
        let living = self.judge_token(claims, origin, now)?;
        Ok(living.map(|living| Described::Token(living.claims)))
    }

    /// A refresh token is the business of the client that holds it, and of nobody else. Asking uses nothing up.
    fn describe_refresh(
        &self,
        op: &Op,
        client: &Client,
        text: &str,
        found: Option<(TokenFamily, HeldGrant)>,
    ) -> Result<Option<Described>, Failure> {
        let Some((token, (family, held))) = PresentedToken::parse(text).zip(found) else { return Ok(None) };
        let family = as_registered(family, client);
        if held.grant.client_id != client.id().as_str()
            || !self.keys.refresh_mac().verifies(&token, &read_salt(&family)?)
            || !held::is_alive(&held, op.now, family.issued_at)
        {
            return Ok(None);
        }
        let overlap_ms = self.settings.sessions.overlap_ms;
        let decision = read_family(&family)?.decide(token.generation(), op.now, overlap_ms);
        let is_good = matches!(decision, Decision::Rotate(_) | Decision::Repeat(_) | Decision::Recover(_));
        Ok(is_good.then(|| Described::Members(self.members_of_refresh(client, &held, family.expires_at))))
    }

    fn members_of_refresh(&self, client: &Client, held: &HeldGrant, expires_at: Timestamp) -> Map<String, Value> {
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

/// What is asked about, as far as it is known before anybody has proved who they are.
enum Asked {
    Refresh(FamilyId),
    /// An access token that was shown before.
    Known(Arc<ClientClaims>),
    Unknown,
}

/// What the database knows of it.
enum Found {
    Refresh(Option<Box<(TokenFamily, HeldGrant)>>),
    Known(Arc<ClientClaims>, Option<Box<Origin>>),
    Nothing,
}

impl Asked {
    fn find(&self, tx: &mut Tx<'_>) -> Result<Found, StoreError> {
        Ok(match self {
            Self::Refresh(id) => Found::Refresh(token_families::find_with_held(tx, *id)?.map(Box::new)),
            Self::Known(claims) => Found::Known(Arc::clone(claims), Origin::of(tx, claims)?.map(Box::new)),
            Self::Unknown => Found::Nothing,
        })
    }
}

/// What is said about a token.
enum Described {
    /// It is good, and says this.
    Token(Arc<ClientClaims>),
    Members(Map<String, Value>),
    /// It is not good, not known, or not for whoever asks: no more is said (RFC 7662 section 2.2).
    Nothing,
}

impl Described {
    fn text(&self) -> String {
        match self {
            Self::Token(claims) => claims.told().to_owned(),
            Self::Members(_) | Self::Nothing => self.members().to_string(),
        }
    }

    fn members(&self) -> Value {
        match self {
            Self::Token(claims) => claims.describe().into(),
            Self::Members(members) => members.clone().into(),
            Self::Nothing => json!({ "active": false }),
        }
    }
}

/// Whether the token was issued to the client, or made out to a service that it is.
fn may_ask(client: &Client, claims: &ClientClaims) -> bool {
    claims.client_id == client.id().as_str() || client.serves(&claims.aud)
}
