//! The authorization endpoint: who is here, may the client have an answer, and which (RFC 6749 section 4.1, OpenID Connect
//! Core 3.1.2).

use doorward_model::id::GrantId;
use doorward_model::secret::{PlainToken, TokenKind};
use doorward_model::time::{MINUTE_MS, Timestamp};
use doorward_oidc::authorize::{self, AuthorizationRequest, AuthorizeError, Envelope, Route};
use doorward_oidc::client::Client;
use doorward_oidc::code;
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::parameters::Parameters;
use doorward_oidc::redirect_uri::{Kind, RedirectUri};
use doorward_oidc::response::AuthorizationResponse;
use doorward_store::authorization_codes::{self, AuthorizationCode};
use doorward_store::sessions;

use crate::App;
use crate::authentication::Principal;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::op::Op;

const MUST_SIGN_IN: &str = "the person must sign in, and may not be asked to";
/// How long a sign-in answers a request that asked for one. The way back to the request can be walked again for longer.
const FRESH_MS: i64 = 5 * MINUTE_MS;

/// Who looks at the authorization endpoint.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// Whoever is signed in.
    pub principal: Option<Principal>,
    /// When this visitor was sent to sign in for this very request; a later sign-in answers it.
    pub sent_to_sign_in_at: Option<Timestamp>,
}

/// What the authorization endpoint answers.
#[derive(Debug)]
pub enum Authorization {
    /// On its way back to the client.
    Answer {
        /// A code or an error.
        response: AuthorizationResponse,
        /// The origin or scheme that it goes to.
        origin: Option<String>,
    },
    /// The visitor signs in first, and comes back with the same request.
    SignIn {
        /// The origin or scheme that the answer will go to.
        origin: Option<String>,
    },
    /// On a page of ours: it is not proved where an answer would go.
    Page(OAuthError),
}

impl App {
    /// Decides about an authorization request.
    pub async fn authorize(
        &self,
        op: &Op,
        parameters: &Parameters,
        visitor: &Visitor,
    ) -> Result<Authorization, Failure> {
        let client_id = match authorize::client_id(parameters) {
            Ok(client_id) => client_id,
            Err(error) => return Ok(Authorization::Page(error)),
        };
        let Some(client) = self.active_client(client_id).await? else {
            let error = OAuthError::new(ErrorCode::UnauthorizedClient, "there is no such client");
            return Ok(Authorization::Page(error));
        };
        let request = match read(parameters, &client) {
            Ok(request) => request,
            Err(AuthorizeError::Page(error)) => return Ok(Authorization::Page(error)),
            Err(AuthorizeError::Redirect(error, destination)) => {
                return Ok(Authorization::Answer {
                    response: destination.error(error, self.issuer()),
                    origin: origin_of(&destination.redirect_uri),
                });
            }
        };
        let origin = origin_of(&request.destination.redirect_uri);
        // Before anybody types a password: the first RSA key is made beside the running server.
        if request.is_openid() && !self.keys.signs_with(client.metadata().id_token_algorithm) {
            let error = OAuthError::new(ErrorCode::TemporarilyUnavailable, "the key for ID tokens is being made");
            return Ok(Authorization::Answer { response: request.destination.error(error, self.issuer()), origin });
        }
        match self.decide(op, &request, visitor).await? {
            Decision::SignIn => Ok(Authorization::SignIn { origin }),
            Decision::Refuse(error) => {
                Ok(Authorization::Answer { response: request.destination.error(error, self.issuer()), origin })
            }
            Decision::Grant(principal) => {
                let response = self.issue_code(op, &client, &request, &principal).await?;
                Ok(Authorization::Answer { response, origin })
            }
        }
    }

    fn issuer(&self) -> &str {
        &self.keys.settings().issuer
    }

    async fn decide(&self, op: &Op, request: &AuthorizationRequest, visitor: &Visitor) -> Result<Decision, Failure> {
        let refuse = |code, description| Ok(Decision::Refuse(OAuthError::new(code, description)));
        let prompt = request.prompt;
        if prompt.create {
            return Ok(Decision::Refuse(OAuthError::invalid_request("prompt=create is not available")));
        }
        // OpenID Connect Core 3.1.2.1: what cannot be asked is an error.
        if prompt.consent {
            return refuse(ErrorCode::ConsentRequired, "this client never asks for consent");
        }
        let sign_in = |otherwise| {
            if prompt.none { refuse(ErrorCode::LoginRequired, otherwise) } else { Ok(Decision::SignIn) }
        };
        let Some(principal) = &visitor.principal else { return sign_in(MUST_SIGN_IN) };
        let is_fresh = visitor.sent_to_sign_in_at.is_some_and(|sent| principal.authenticated_at >= sent)
            && op.now.since_ms(principal.authenticated_at) < FRESH_MS;
        let is_too_old = request.max_age.is_some_and(|age| age.is_exceeded(principal.authenticated_at, op.now));
        if (prompt.login || prompt.select_account || is_too_old) && !is_fresh {
            return sign_in(MUST_SIGN_IN);
        }
        if let Some(wanted) = self.wanted_person(request, op)
            && wanted != principal.user_id.to_string()
        {
            let otherwise = "somebody else is signed in";
            // Signing in as somebody else would help, once.
            return if is_fresh { refuse(ErrorCode::LoginRequired, otherwise) } else { sign_in(otherwise) };
        }
        let essential = request.claims.essential_acr_values();
        if !essential.is_empty() {
            let id = principal.session_id;
            let session = self.store.read(move |tx| sessions::find(tx, id)).await?;
            if session.is_none_or(|session| !essential.contains(&session.acr)) {
                let code = ErrorCode::UnmetAuthenticationRequirements;
                return refuse(code, "the authentication asked for cannot be had");
            }
        }
        Ok(Decision::Grant(principal.clone()))
    }

    /// The person who must be signed in, if the request names one. A hint that we have not signed names nobody we know.
    fn wanted_person(&self, request: &AuthorizationRequest, op: &Op) -> Option<String> {
        if let Some(hint) = &request.id_token_hint {
            return Some(self.subject_of_hint(hint.reveal(), op.now).unwrap_or_default());
        }
        request.claims.subject().map(str::to_owned)
    }

    async fn issue_code(
        &self,
        op: &Op,
        client: &Client,
        request: &AuthorizationRequest,
        principal: &Principal,
    ) -> Result<AuthorizationResponse, Failure> {
        let code = PlainToken::new(TokenKind::AuthorizationCode, op.random.as_ref());
        let resources: Vec<&str> = request.resources.iter().map(doorward_oidc::resource::Resource::as_str).collect();
        let claims: Vec<&str> = request.claims.id_token.keys().map(String::as_str).collect();
        let row = AuthorizationCode {
            client_id: client.id().to_string(),
            session_id: principal.session_id,
            grant_id: GrantId::new(op.now, op.random.as_ref()),
            redirect_uri: request.destination.redirect_uri.clone(),
            challenge: request.challenge.map(|challenge| *challenge.as_bytes()),
            nonce: request.nonce.clone(),
            scope: request.scope.to_string(),
            resources: serde_json::json!(resources).to_string(),
            claims: serde_json::json!(claims).to_string(),
            created_at: op.now,
            expires_at: op.now.plus_ms(code::LIFETIME_MS),
            used_at: None,
        };
        let event = EventDraft::new(op, Action::ClientAuthorized)
            .subject(client.id())
            .data([("grant", row.grant_id.to_string().into()), ("scope", row.scope.clone().into())]);
        let hash = code.hash();
        self.change(move |change| {
            authorization_codes::insert(change.tx, &hash, &row)?;
            change.record(&event)
        })
        .await?;
        Ok(request.destination.code(&code.reveal(), self.issuer()))
    }
}

/// What comes of a request that is right in itself.
enum Decision {
    SignIn,
    Refuse(OAuthError),
    Grant(Principal),
}

fn read(parameters: &Parameters, client: &Client) -> Result<AuthorizationRequest, AuthorizeError> {
    let destination = authorize::destination(parameters, client).map_err(AuthorizeError::Page)?;
    let refused = match Envelope::of(parameters) {
        Ok(Envelope::Plain) => return authorize::read(parameters, client, &Route::default()),
        Ok(Envelope::Signed(_)) => OAuthError::new(ErrorCode::RequestNotSupported, "request objects are not taken"),
        Ok(Envelope::Pushed(_)) => OAuthError::new(ErrorCode::RequestUriNotSupported, "requests cannot be pushed"),
        Err(error) => error,
    };
    Err(AuthorizeError::Redirect(refused, destination))
}

/// The origin of a redirect URI, or its scheme and a colon where an application on a device owns that: either may stand in
/// a Content-Security-Policy.
fn origin_of(redirect_uri: &str) -> Option<String> {
    let uri = RedirectUri::parse(redirect_uri).ok()?;
    match uri.kind() {
        Kind::Web | Kind::Loopback { .. } => uri.origin(),
        Kind::Application => Some(format!("{}:", uri.shown_host())),
    }
}
