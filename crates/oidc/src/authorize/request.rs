//! Everything about a request except who asks and where the answer goes.

use std::fmt;

use doorward_model::secret::SecretText;

use super::{Route, is_state};
use crate::claims_request::ClaimsRequest;
use crate::client::{Client, Grant};
use crate::error::{ErrorCode, OAuthError};
use crate::id_token;
use crate::jose::Thumbprint;
use crate::parameters::Parameters;
use crate::pkce::Challenge;
use crate::preferences::{self, Display};
use crate::prompt::{MaxAge, Prompt};
use crate::resource::{self, Resource};
use crate::response::{Destination, ResponseMode};
use crate::scope::{OFFLINE_ACCESS, OPENID, REVOCATIONS, Scope};

/// The longest `nonce`: it is carried into the ID token.
const MAX_NONCE_BYTES: usize = 512;
/// The longest `login_hint`.
const MAX_HINT_BYTES: usize = 320;

/// A request in which everything is checked that can be checked without knowing the person.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Where the answer goes.
    pub destination: Destination,
    /// What is asked for, by its own name or by that of a claim, all of it allowed for the client.
    pub scope: Scope,
    /// The services the tokens are to be for, all of them allowed for the client.
    pub resources: Vec<Resource>,
    /// What ties the code to the client's own browser session (RFC 7636). Missing only by the client's exception.
    pub challenge: Option<Challenge>,
    /// What ties the ID token to it.
    pub nonce: Option<String>,
    /// The key the code is bound to (RFC 9449 section 10).
    pub dpop_key: Option<Thumbprint>,
    /// What must or may not be shown.
    pub prompt: Prompt,
    /// How old the last proof of identity may be: what the request says, else what the client registered.
    pub max_age: Option<MaxAge>,
    /// How pages should look.
    pub display: Display,
    /// The languages wanted, the best first.
    pub ui_locales: Vec<String>,
    /// The authentication classes wanted, the best first.
    pub acr_values: Vec<String>,
    /// The claims asked for by name.
    pub claims: ClaimsRequest,
    /// Whom the client thinks it sends.
    pub login_hint: Option<String>,
    /// An earlier ID token of the person who should be signed in.
    pub id_token_hint: Option<HintText>,
}

/// The text of an `id_token_hint`; nobody has looked into it yet.
#[derive(Clone)]
pub struct HintText(SecretText);

impl HintText {
    /// The token.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl PartialEq for HintText {
    fn eq(&self, other: &Self) -> bool {
        self.reveal() == other.reveal()
    }
}

impl Eq for HintText {}

impl AuthorizationRequest {
    pub(super) fn read(
        parameters: &Parameters,
        client: &Client,
        route: &Route,
        destination: &Destination,
    ) -> Result<Self, OAuthError> {
        parameters.refuse_repeated()?;
        check_route(parameters, client, route)?;
        check_flow(parameters, client)?;
        let claims = parameters.find("claims").map(ClaimsRequest::parse).transpose()?.unwrap_or_default();
        let scope = with_claims(allowed_scope(parameters, client)?, &claims, client);
        let nonce = bounded(parameters, "nonce", MAX_NONCE_BYTES)?.map(str::to_owned);
        let challenge = challenge(parameters, client, nonce.is_some())?;
        let metadata = client.metadata();
        let max_age = parameters.find("max_age").map(MaxAge::parse).transpose()?.or(metadata.default_max_age);
        let mut acr_values = parameters.find("acr_values").map(preferences::words).unwrap_or_default();
        if acr_values.is_empty() {
            acr_values.clone_from(&metadata.default_acr_values);
        }
        Ok(Self {
            destination: destination.clone(),
            resources: resource::requested(parameters, &metadata.resources)?,
            scope,
            challenge,
            nonce,
            dpop_key: dpop_key(parameters, route)?,
            prompt: parameters.find("prompt").map(Prompt::parse).transpose()?.unwrap_or_default(),
            max_age,
            display: parameters.find("display").map(Display::parse).unwrap_or_default(),
            ui_locales: parameters.find("ui_locales").map(preferences::words).unwrap_or_default(),
            acr_values,
            claims,
            login_hint: bounded(parameters, "login_hint", MAX_HINT_BYTES)?.map(str::to_owned),
            id_token_hint: parameters.find("id_token_hint").map(|text| HintText(SecretText::new(text.to_owned()))),
        })
    }

    /// Whether this is a sign-in and an ID token is due (OpenID Connect Core 3.1.2.1).
    pub fn is_openid(&self) -> bool {
        self.scope.contains(OPENID)
    }

    /// Whether a grant is asked for that outlives the session (OpenID Connect Core 11).
    pub fn wants_offline_access(&self) -> bool {
        self.scope.contains(OFFLINE_ACCESS)
    }
}

/// The way the request must take (RFC 9126 section 5 and 6, RFC 9101 section 10.5), and ways that do not exist.
fn check_route(parameters: &Parameters, client: &Client, route: &Route) -> Result<(), OAuthError> {
    let metadata = client.metadata();
    if (metadata.pushed_requests_required || route.pushed_only) && !route.pushed {
        return Err(OAuthError::invalid_request("the request must be pushed first"));
    }
    if metadata.signed_requests_required && !route.signed {
        return Err(OAuthError::invalid_request("the request must be a signed request object"));
    }
    if parameters.contains("registration") {
        let description = "clients are not registered inside a request";
        return Err(OAuthError::new(ErrorCode::RegistrationNotSupported, description));
    }
    // Whoever calls has unpacked these. What is left is one inside the other (RFC 9101 section 4, RFC 9126 section 2.1).
    if parameters.contains("request") || parameters.contains("request_uri") {
        return Err(OAuthError::invalid_request("a request inside the request"));
    }
    Ok(())
}

/// The one flow there is (RFC 9700 section 2.1.2), and whether the client may use it.
fn check_flow(parameters: &Parameters, client: &Client) -> Result<(), OAuthError> {
    let response_type = parameters.find("response_type");
    if response_type.ok_or(OAuthError::invalid_request("response_type is missing"))? != "code" {
        return Err(OAuthError::new(ErrorCode::UnsupportedResponseType, "response_type must be code"));
    }
    if !client.may_use(Grant::AuthorizationCode) {
        let description = "the client is not registered for the authorization code grant";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, description));
    }
    if parameters.find("response_mode").is_some_and(|mode| ResponseMode::parse(mode).is_none()) {
        return Err(OAuthError::invalid_request("response_mode must be query or form_post"));
    }
    if parameters.find("state").is_some_and(|state| !is_state(state)) {
        return Err(OAuthError::invalid_request("state is too long or holds control characters"));
    }
    Ok(())
}

/// Every word must be registered for the client (RFC 6749 section 3.3). `offline_access` is dropped when the client has
/// no use for it (OpenID Connect Core 11).
pub(crate) fn allowed_scope(parameters: &Parameters, client: &Client) -> Result<Scope, OAuthError> {
    let invalid = |description| OAuthError::new(ErrorCode::InvalidScope, description);
    let text = parameters.find("scope").ok_or(invalid("scope is missing"))?;
    let mut scope = Scope::parse(text).map_err(|_| invalid("scope is malformed"))?;
    if !client.may_use(Grant::RefreshToken) {
        scope = scope.without(OFFLINE_ACCESS);
    }
    if scope.is_empty() {
        return Err(invalid("the scope asks for nothing that this client could use"));
    }
    // The feed of revocations is nothing that a person could let a client have.
    if !scope.is_within(&client.metadata().scopes.without(REVOCATIONS)) {
        return Err(invalid("the scope is not allowed for this client"));
    }
    Ok(scope)
}

/// A claim that is asked for by name asks for its scope, which is what people are asked about and what tokens carry
/// (OpenID Connect Core 5.5). What the client is not registered for it does not get: a claim need never be there.
fn with_claims(scope: Scope, claims: &ClaimsRequest, client: &Client) -> Scope {
    if !scope.contains(OPENID) {
        return scope;
    }
    let allowed = &client.metadata().scopes;
    id_token::scopes_of(claims.userinfo.keys().chain(claims.id_token.keys()))
        .filter(|word| allowed.contains(word))
        .fold(scope, Scope::with)
}

fn challenge(parameters: &Parameters, client: &Client, has_nonce: bool) -> Result<Option<Challenge>, OAuthError> {
    let challenge = Challenge::requested(parameters)?;
    if challenge.is_none() && client.metadata().pkce_required {
        return Err(OAuthError::invalid_request("code_challenge is missing"));
    }
    // RFC 9700 section 2.1.1: without PKCE the nonce must do its work, so there must be one.
    if challenge.is_none() && !has_nonce && client.metadata().nonce_required {
        return Err(OAuthError::invalid_request("nonce is missing, which is needed without code_challenge"));
    }
    Ok(challenge)
}

/// RFC 9449 section 10.1: when the pushed request came with a proof, both name the same key.
fn dpop_key(parameters: &Parameters, route: &Route) -> Result<Option<Thumbprint>, OAuthError> {
    let invalid = OAuthError::invalid_request("dpop_jkt is no thumbprint, or another one than the proof's");
    let named = parameters.find("dpop_jkt").map(|text| Thumbprint::parse(text).ok_or(invalid)).transpose()?;
    if named.is_some() && route.proved_key.is_some() && named != route.proved_key {
        return Err(invalid);
    }
    Ok(named.or(route.proved_key))
}

fn bounded<'a>(parameters: &'a Parameters, name: &str, longest: usize) -> Result<Option<&'a str>, OAuthError> {
    match parameters.find(name) {
        Some(text) if text.len() > longest || text.chars().any(char::is_control) => {
            Err(OAuthError::invalid_request("nonce or login_hint is too long or holds control characters"))
        }
        found => Ok(found),
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("redirect_uri", &self.destination.redirect_uri)
            .field("scope", &self.scope.to_string())
            .finish_non_exhaustive()
    }
}
