//! The token endpoint (RFC 6749 section 3.2): a code for tokens, once.

use std::collections::BTreeMap;

use doorward_model::id::EventId;
use doorward_model::secret::{PlainToken, SecretText, TokenHash, TokenKind};
use doorward_oidc::claims_request::Wish;
use doorward_oidc::client::Client;
use doorward_oidc::code::{CodeBinding, Redeemer, Redemption};
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::parameters::Parameters;
use doorward_oidc::pkce::{Challenge, Verifier};
use doorward_oidc::resource::Resource;
use doorward_oidc::scope::Scope;
use doorward_oidc::token_request::TokenRequest;
use doorward_store::authorization_codes::{self, AuthorizationCode};
use doorward_store::grants::{self, Grant};
use doorward_store::sessions::{self, Session};
use doorward_store::users::{self, User};

use crate::App;
use crate::change::Change;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::op::Op;
use crate::sessions::usable;

/// What the token endpoint gives.
pub struct TokenAnswer {
    /// The access token.
    pub access_token: SecretText,
    /// How long it lives, in seconds.
    pub expires_in: i64,
    /// What it allows.
    pub scope: String,
    /// Who signed in, where that was asked for.
    pub id_token: Option<SecretText>,
}

/// Why the token endpoint gives nothing.
#[derive(Debug)]
pub enum TokenRefusal {
    /// As the standards say.
    OAuth {
        /// What is wrong.
        error: OAuthError,
        /// Whether a 401 must ask for the client's name and secret (RFC 6749 section 5.2).
        asks_for_basic: bool,
    },
    /// Through no fault of the client.
    Failure(Failure),
}

impl From<OAuthError> for TokenRefusal {
    fn from(error: OAuthError) -> Self {
        Self::OAuth { error, asks_for_basic: false }
    }
}

impl From<Failure> for TokenRefusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// A code as somebody presents it, with everything the transaction needs, drawn before it.
struct Presented {
    op: Op,
    client_id: String,
    hash: TokenHash,
    redirect_uri: Option<String>,
    verifier: Option<Verifier>,
    /// The services asked for; all that were granted when it names none.
    resources: Vec<Resource>,
    access_token_seconds: u32,
    event: EventId,
}

/// What a code was good for.
pub(super) struct Redeemed {
    pub(super) code: AuthorizationCode,
    pub(super) session: Session,
    pub(super) user: User,
    /// The services the access token is for.
    pub(super) resources: Vec<String>,
}

enum Outcome {
    Granted(Box<Redeemed>),
    Refused(&'static str),
    /// A service that was not granted.
    WrongTarget,
}

impl App {
    /// Answers a token request. `authorization` are the values of that header.
    pub async fn exchange(
        &self,
        op: &Op,
        authorization: &[String],
        body: &Parameters,
    ) -> Result<TokenAnswer, TokenRefusal> {
        let client = self.authenticate_client(op, authorization, body).await?;
        let TokenRequest::AuthorizationCode { code, redirect_uri, verifier, resources } =
            TokenRequest::read(body, &client)?
        else {
            // No client can be registered for another grant.
            let error = OAuthError::new(ErrorCode::UnsupportedGrantType, "this grant is not available");
            return Err(error.into());
        };
        let wrong = OAuthError::new(ErrorCode::InvalidGrant, "the code is unknown");
        let code = PlainToken::parse(TokenKind::AuthorizationCode, code.reveal()).ok_or(wrong)?;
        let presented = Presented {
            op: op.clone(),
            client_id: client.id().to_string(),
            hash: code.hash(),
            redirect_uri,
            verifier,
            resources,
            access_token_seconds: client.metadata().lifetimes.access_token_seconds,
            event: EventId::new(op.now, op.random.as_ref()),
        };
        match self.change(move |change| redeem(change, &presented)).await? {
            Outcome::Granted(redeemed) => self.give(op, &client, &redeemed),
            Outcome::Refused(description) => Err(OAuthError::new(ErrorCode::InvalidGrant, description).into()),
            Outcome::WrongTarget => {
                Err(OAuthError::new(ErrorCode::InvalidTarget, "the resource was not granted").into())
            }
        }
    }

    fn give(&self, op: &Op, client: &Client, redeemed: &Redeemed) -> Result<TokenAnswer, TokenRefusal> {
        let code = &redeemed.code;
        let scope =
            Scope::parse(&code.scope).map_err(|_| Failure::internal("reading a code", "its scope is malformed"))?;
        let names = read_list(&code.claims)?;
        let wishes: BTreeMap<String, Wish> = names.into_iter().map(|name| (name, Wish::default())).collect();
        let (access_token, expires_in) = self.sign_client_token(op, client, redeemed)?;
        let id_token = self.sign_id_token(op, client, redeemed, &scope, &wishes, access_token.reveal())?;
        Ok(TokenAnswer { access_token, expires_in, scope: code.scope.clone(), id_token })
    }
}

fn redeem(change: &mut Change<'_, '_>, presented: &Presented) -> Result<Outcome, Failure> {
    let (now, op) = (presented.op.now, &presented.op);
    let Some(code) = authorization_codes::find(change.tx, &presented.hash)? else {
        change.quietly();
        return Ok(Outcome::Refused("the code is unknown"));
    };
    let redeemer = Redeemer {
        client_id: &presented.client_id,
        redirect_uri: presented.redirect_uri.as_deref(),
        verifier: presented.verifier.as_ref(),
        dpop_key: None,
    };
    match binding(&code).redeem(&redeemer, now) {
        Redemption::Refused(description) => {
            change.quietly();
            return Ok(Outcome::Refused(description));
        }
        Redemption::Replay => return replayed(change, presented, &code),
        Redemption::Grant => {}
    }
    // RFC 8707 section 2.2. Asked before the code is used up: whoever asks for the wrong one may ask again.
    let Some(resources) = narrowed(read_list(&code.resources)?, &presented.resources) else {
        change.quietly();
        return Ok(Outcome::WrongTarget);
    };
    let session = sessions::find(change.tx, code.session_id)?;
    let session = session.filter(|session| usable(session, session.last_seen_at, now).is_ok());
    let Some(session) = session else {
        change.quietly();
        return Ok(Outcome::Refused("the session is over"));
    };
    let Some(user) = users::find(change.tx, session.user_id)? else {
        change.quietly();
        return Ok(Outcome::Refused("the session is over"));
    };
    // Of several at once one takes it; for the others it is a second use.
    if !authorization_codes::take(change.tx, &presented.hash, now)? {
        return replayed(change, presented, &code);
    }
    let lifetime_ms = i64::from(presented.access_token_seconds) * 1_000;
    let grant = Grant {
        id: code.grant_id,
        user_id: user.id,
        client_id: code.client_id.clone(),
        session_id: Some(session.id),
        scope: code.scope.clone(),
        created_at: now,
        expires_at: now.plus_ms(lifetime_ms).min(session.expires_at),
        revoked_at: None,
    };
    grants::insert(change.tx, &grant)?;
    let event = EventDraft::with_id(presented.event, op, Action::CodeRedeemed);
    change.record(&event.subject(grant.id).data([("client", code.client_id.clone().into())]))?;
    Ok(Outcome::Granted(Box::new(Redeemed { code, session, user, resources })))
}

/// Two parties hold code and verifier: what the first one got ends (RFC 6749 section 4.1.2).
fn replayed(change: &mut Change<'_, '_>, presented: &Presented, code: &AuthorizationCode) -> Result<Outcome, Failure> {
    if grants::revoke(change.tx, code.grant_id, presented.op.now, "code_reused")? {
        let event = EventDraft::with_id(presented.event, &presented.op, Action::CodeReused).refused();
        change.record(&event.subject(code.grant_id).data([("client", code.client_id.clone().into())]))?;
    } else {
        change.quietly();
    }
    Ok(Outcome::Refused("the code was used before"))
}

/// The services of the token: what is asked for, within what was granted; none when it is not.
fn narrowed(granted: Vec<String>, asked: &[Resource]) -> Option<Vec<String>> {
    if asked.is_empty() {
        return Some(granted);
    }
    let is_granted = |resource: &Resource| granted.iter().any(|one| one == resource.as_str());
    let names = || asked.iter().map(|one| one.as_str().to_owned()).collect();
    asked.iter().all(is_granted).then(names)
}

fn read_list(text: &str) -> Result<Vec<String>, Failure> {
    serde_json::from_str(text).map_err(|_| Failure::internal("reading a code", "its row is malformed"))
}

fn binding(code: &AuthorizationCode) -> CodeBinding {
    CodeBinding {
        client_id: code.client_id.clone(),
        redirect_uri: code.redirect_uri.clone(),
        challenge: code.challenge.map(Challenge::from_bytes),
        dpop_key: None,
        expires_at: code.expires_at,
        used: code.used_at.is_some(),
    }
}
