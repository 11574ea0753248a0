//! Access tokens of clients, as long as everything they came from lives.

use std::sync::{Arc, OnceLock};

use doorward_model::id::GrantId;
use doorward_model::time::{SECOND_MS, Timestamp};
use doorward_model::token::{FUTURE_LEEWAY_MS, TOKEN_TYPE, parse_object};
use doorward_oidc::client::Client;
use doorward_store::clients::{self, ClientRow};
use doorward_store::grants::{self, HeldGrant};
use doorward_store::revocations::{self, RevokedKind};
use doorward_store::{StoreError, Tx};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{TokenScheme, held};
use crate::App;
use crate::failure::Failure;
use crate::keys::access_tokens::ClaimsMemory;

/// Access tokens of clients that were shown before.
pub(crate) type ClientTokens = ClaimsMemory<Arc<ClientClaims>>;

/// How many of them are remembered: each takes up to two kilobytes.
pub(crate) const MOST_CLIENT_TOKENS: usize = 4 * 1024;

/// What is read of a client's access token at our own endpoints.
#[derive(Clone, Deserialize)]
pub(crate) struct ClientClaims {
    iss: String,
    pub(super) aud: Vec<String>,
    iat: i64,
    pub(super) exp: i64,
    pub(super) sub: String,
    pub(super) client_id: String,
    pub(super) jti: String,
    /// The grant that it came from; none for a client's own token.
    pub(super) grant_id: Option<String>,
    /// What it allows; may be nothing.
    #[serde(default)]
    pub(super) scope: String,
    /// Everything else it says.
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
    /// What is told of it to whoever may ask, once somebody has.
    #[serde(skip)]
    told: OnceLock<String>,
}

impl ClientClaims {
    /// The thumbprint of the key it is bound to (RFC 9449 section 6.1). One that is no text fits no key.
    pub(super) fn bound_to(&self) -> Option<&str> {
        let confirmation = self.rest.get("cnf")?;
        Some(confirmation.get("jkt").and_then(Value::as_str).unwrap_or_default())
    }

    /// What whoever may ask is told of the token while it is good (RFC 7662 section 2.2), as a JSON object.
    pub(super) fn told(&self) -> &str {
        self.told.get_or_init(|| Value::Object(self.describe()).to_string())
    }

    /// The same as members.
    pub(super) fn describe(&self) -> Map<String, Value> {
        let mut answer = self.to_json();
        answer.insert("active".to_owned(), true.into());
        // RFC 9449 section 6.2: whoever takes the token must ask for a proof of the key in `cnf`.
        let scheme = if self.bound_to().is_some() { TokenScheme::Dpop } else { TokenScheme::Bearer };
        answer.insert("token_type".to_owned(), scheme.as_str().into());
        answer
    }

    /// The claims as they stand in the token.
    fn to_json(&self) -> Map<String, Value> {
        let mut claims = self.rest.clone();
        claims.insert("iss".to_owned(), self.iss.clone().into());
        claims.insert("aud".to_owned(), self.aud.clone().into());
        claims.insert("iat".to_owned(), self.iat.into());
        claims.insert("exp".to_owned(), self.exp.into());
        claims.insert("sub".to_owned(), self.sub.clone().into());
        claims.insert("client_id".to_owned(), self.client_id.clone().into());
        claims.insert("jti".to_owned(), self.jti.clone().into());
        if !self.scope.is_empty() {
            claims.insert("scope".to_owned(), self.scope.clone().into());
        }
        claims
    }
}

/// A token that is good now.
pub(super) struct LivingToken {
    pub(super) claims: Arc<ClientClaims>,
    /// Whose it is.
    pub(super) client: Client,
    /// What it came from; none for a client's own token.
    pub(super) held: Option<HeldGrant>,
}

/// What a token came from, as it stands together.
pub(super) struct Origin {
    client: ClientRow,
    /// The client that the person let in, where that is another one.
    let_in: Option<ClientRow>,
    held: Option<HeldGrant>,
}

impl Origin {
    /// None when a part of it is gone, or the token itself was withdrawn.
    pub(super) fn of(tx: &mut Tx<'_>, claims: &ClientClaims) -> Result<Option<Self>, StoreError> {
        let grant_id = match claims.grant_id.as_deref().map(GrantId::parse) {
            None => None,
            Some(Ok(id)) => Some(id),
            Some(Err(_)) => return Ok(None),
        };
        let client_id = claims.client_id.as_str();
        let Some(client) = clients::find(tx, client_id)? else { return Ok(None) };
        if revocations::is_listed(tx, RevokedKind::Token, &claims.jti)? {
            return Ok(None);
        }
        let Some(grant_id) = grant_id else {
            // A client that was kept out gets nothing back by being let in again.
            let issued_at = Timestamp::from_ms(claims.iat.saturating_mul(SECOND_MS));
            let is_over = revocations::is_listed_since(tx, RevokedKind::Client, client_id, issued_at)?;
            return Ok((!is_over).then_some(Self { client, let_in: None, held: None }));
        };
        let Some(held) = grants::find_held(tx, grant_id)? else { return Ok(None) };
        if held.grant.client_id == client_id {
            return Ok(Some(Self { client, let_in: None, held: Some(held) }));
        }
        let let_in = clients::find(tx, &held.grant.client_id)?;
        Ok(let_in.map(|let_in| Self { client, let_in: Some(let_in), held: Some(held) }))
    }
}

impl App {
    /// The claims of an access token that we gave to a client and whose time is not over.
    pub(super) fn read_client_token(&self, text: &str, now: Timestamp) -> Option<Arc<ClientClaims>> {
        let read = |payload: &[u8]| {
            let claims: ClientClaims = parse_object(payload)?;
            (claims.iss == self.keys.settings().issuer).then(|| Arc::new(claims))
        };
        let claims = self.keys.remembered_claims(&self.client_tokens, text, TOKEN_TYPE, now, read)?;
        is_in_time(&claims, now).then_some(claims)
    }

    /// The same of one that was shown before; no signature is checked.
    pub(super) fn known_client_token(&self, text: &str, now: Timestamp) -> Option<Arc<ClientClaims>> {
        let claims = self.keys.known_claims(&self.client_tokens, text, now)?;
        is_in_time(&claims, now).then_some(claims)
    }

    /// The token, if it has not been withdrawn, and client, grant, session and person behind it live.
    pub(super) async fn living_token(
        &self,
        claims: Arc<ClientClaims>,
        now: Timestamp,
    ) -> Result<Option<LivingToken>, Failure> {
        let asked = Arc::clone(&claims);
        let found = self.store.read(move |tx| Origin::of(tx, &asked)).await?;
        self.judge_token(claims, found, now)
    }

    /// The same of what was found behind it.
    pub(super) fn judge_token(
        &self,
        claims: Arc<ClientClaims>,
        found: Option<Origin>,
        now: Timestamp,
    ) -> Result<Option<LivingToken>, Failure> {
        let Some(Origin { client, let_in, held }) = found else { return Ok(None) };
        let Some(client) = self.active(&client)? else { return Ok(None) };
        // A token that was exchanged is as good as the client that the person let in.
        if let Some(let_in) = &let_in
            && self.active(let_in)?.is_none()
        {
            return Ok(None);
        }
        let is_alive = match &held {
            // Only a client's own token is about the client.
            None => claims.sub == claims.client_id,
            Some(held) => {
                self.subject_for(&client, held.grant.user_id) == claims.sub
                    && held::is_alive(held, now, held.grant.created_at)
            }
        };
        Ok(is_alive.then_some(LivingToken { claims, client, held }))
    }
}

fn is_in_time(claims: &ClientClaims, now: Timestamp) -> bool {
    now.as_seconds() < claims.exp && claims.iat <= now.plus_ms(FUTURE_LEEWAY_MS).as_seconds()
}
