//! A registered client: what it is, where it lives, what it may do (RFC 7591, OpenID Connect Dynamic Client
//! Registration 1.0).

mod id;
mod json;
mod read;
mod reader;
mod rules;
mod stranger;
mod words;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;

use doorward_model::name::DisplayName;
use serde_json::{Map, Value};

pub use id::{ClientId, InvalidClientId};
pub use reader::Problem;
pub use words::{Application, AuthenticationMethod, Consent, Grant, Rotation, SubjectType};

use crate::jose::{Algorithm, KeySet};
use crate::prompt::MaxAge;
use crate::redirect_uri::{Kind, RedirectUri};
use crate::resource::Resource;
use crate::scope::Scope;

/// Who wrote the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The operator. Every field counts, and a field that does not exist is a problem.
    Operator,
    /// Somebody who registers a client by RFC 7591. What only an operator may decide keeps its default, and unknown
    /// fields are ignored (RFC 7591 section 2).
    Stranger,
}

/// How long what the client gets is good for, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Access tokens.
    pub access_token_seconds: u32,
    /// ID tokens.
    pub id_token_seconds: u32,
    /// A grant with refresh tokens, from its beginning, however often it is renewed.
    pub refresh_token_seconds: u32,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { access_token_seconds: 600, id_token_seconds: 600, refresh_token_seconds: 30 * 24 * 3_600 }
    }
}

/// Where a client's public keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// In the registration (`jwks`).
    Set(KeySet),
    /// At an address (`jwks_uri`), to be fetched by the server's one outbound client.
    At(String),
}

/// Where a client hears that a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutAddress {
    /// The address.
    pub uri: String,
    /// Whether it must be told which session (`sid`).
    pub session_required: bool,
}

/// The metadata. Plain values: only as part of a [`Client`] are they known to fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the registration")]
pub struct Metadata {
    /// `client_name`: what people read.
    pub name: Option<DisplayName>,
    /// `logo_uri`.
    pub logo_uri: Option<String>,
    /// `client_uri`: its home page.
    pub client_uri: Option<String>,
    /// `policy_uri`: how it uses data.
    pub policy_uri: Option<String>,
    /// `tos_uri`: its terms.
    pub tos_uri: Option<String>,
    /// `contacts`: who is responsible.
    pub contacts: Vec<String>,
    /// `application_type`.
    pub application: Application,
    /// `redirect_uris`.
    pub redirect_uris: Vec<RedirectUri>,
    /// `post_logout_redirect_uris`.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// `grant_types`. `response_types` follows: `code` with the authorization code grant, else none.
    pub grants: Vec<Grant>,
    /// `scope`: the most it may ask for.
    pub scopes: Scope,
    /// `resources`: the services it may ask tokens for.
    pub resources: Vec<Resource>,
    /// `served_resources`: the services that it is, and may ask about tokens for.
    pub served_resources: Vec<Resource>,
    /// How long its tokens live.
    pub lifetimes: Lifetimes,
    /// `token_endpoint_auth_method`.
    pub authentication: AuthenticationMethod,
    /// `token_endpoint_auth_signing_alg`: the one algorithm of its assertions.
    pub authentication_algorithm: Option<Algorithm>,
    /// `jwks` or `jwks_uri`.
    pub keys: Option<Keys>,
    /// `id_token_signed_response_alg`.
    pub id_token_algorithm: Algorithm,
    /// `userinfo_signed_response_alg`: `UserInfo` as a JWT.
    pub userinfo_algorithm: Option<Algorithm>,
    /// `introspection_signed_response_alg`: introspection as a JWT (RFC 9701 section 6).
    pub introspection_algorithm: Option<Algorithm>,
    /// `request_object_signing_alg`: the one algorithm of its request objects.
    pub request_object_algorithm: Option<Algorithm>,
    /// `dpop_bound_access_tokens` (RFC 9449 section 5.2).
    pub dpop_required: bool,
    /// `require_pushed_authorization_requests` (RFC 9126 section 6).
    pub pushed_requests_required: bool,
    /// `require_signed_request_object` (RFC 9101 section 10.5).
    pub signed_requests_required: bool,
    /// `require_pkce`: false is an exception for confidential clients that cannot, and asks for `nonce` instead
    /// (RFC 9700 section 2.1.1).
    pub pkce_required: bool,
    /// `require_nonce`: false is an exception from the exception. Nothing ties a code to a browser then, as OpenID
    /// Connect Core 3.1.2.1 allows and its conformance tests try.
    pub nonce_required: bool,
    /// `consent`.
    pub consent: Consent,
    /// `refresh_token_rotation`.
    pub rotation: Rotation,
    /// `subject_type`.
    pub subject_type: SubjectType,
    /// `sector_identifier_uri`.
    pub sector_identifier_uri: Option<String>,
    /// `default_max_age`.
    pub default_max_age: Option<MaxAge>,
    /// `default_acr_values`.
    pub default_acr_values: Vec<String>,
    /// `backchannel_logout_uri`.
    pub backchannel_logout: Option<LogoutAddress>,
    /// `frontchannel_logout_uri`.
    pub frontchannel_logout: Option<LogoutAddress>,
    /// `self_registered`: nobody here has looked at it (RFC 7591). People are told.
    pub self_registered: bool,
}

/// A client whose metadata fits together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    id: ClientId,
    metadata: Metadata,
}

impl Client {
    /// A client, or everything that is wrong with it.
    pub fn new(id: ClientId, metadata: Metadata) -> Result<Self, Vec<Problem>> {
        let problems = rules::check(&metadata);
        if problems.is_empty() { Ok(Self { id, metadata }) } else { Err(problems) }
    }

    /// Reads metadata in the form of RFC 7591 section 2, and says everything that is wrong with it at once.
    pub fn from_json(id: ClientId, members: &Map<String, Value>, author: Author) -> Result<Self, Vec<Problem>> {
        Self::judge(id, read::metadata(members, author), None, author)
    }

    /// The client as whoever registered it wants it now (RFC 7592 section 2.2): a field that is left out has its default,
    /// and what only the operator decides stays. What an operator has vouched for is not vouched for any more once it is
    /// something else.
    pub fn rewritten(&self, members: &Map<String, Value>) -> Result<Self, Vec<Problem>> {
        let (mut metadata, problems) = read::metadata(members, Author::Stranger);
        stranger::keep_operators_own(&mut metadata, &self.metadata);
        Self::judge(self.id.clone(), (metadata, problems), Some(&self.metadata), Author::Stranger)
    }

    fn judge(
        id: ClientId,
        (metadata, mut problems): (Metadata, Vec<Problem>),
        registered: Option<&Metadata>,
        author: Author,
    ) -> Result<Self, Vec<Problem>> {
        if author == Author::Stranger {
            stranger::check(&metadata, registered, &mut problems);
        }
        // A field that could not be read has its default, about which nobody wants to hear.
        let unread = problems.clone();
        let is_new = |problem: &Problem| !unread.iter().any(|other| problem.is_about_field_of(other));
        problems.extend(rules::check(&metadata).into_iter().filter(is_new));
        if problems.is_empty() { Ok(Self { id, metadata }) } else { Err(problems) }
    }

    /// The metadata in the form it is read from.
    pub fn to_json(&self) -> Map<String, Value> {
        json::metadata(&self.metadata)
    }

    /// Its id.
    pub const fn id(&self) -> &ClientId {
        &self.id
    }

    /// Its metadata.
    pub const fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Its metadata, to be changed and made a client again.
    pub fn into_metadata(self) -> Metadata {
        self.metadata
    }

    /// Whether it cannot keep a secret (RFC 6749 section 2.1).
    pub fn is_public(&self) -> bool {
        self.metadata.is_public()
    }

    /// Whether it may use a grant.
    pub fn may_use(&self, grant: Grant) -> bool {
        self.metadata.grants.contains(&grant)
    }

    /// Whether an address is one of its redirect URIs.
    pub fn has_redirect_uri(&self, presented: &str) -> bool {
        self.metadata.redirect_uris.iter().any(|uri| uri.matches(presented))
    }

    /// Whether a browser may be sent to an address after sign-out.
    pub fn has_post_logout_redirect_uri(&self, presented: &str) -> bool {
        self.metadata.post_logout_redirect_uris.iter().any(|uri| uri.matches(presented))
    }

    /// What it is called, if it was registered with a name.
    pub fn name(&self) -> Option<&str> {
        self.metadata.name.as_ref().map(DisplayName::as_str)
    }

    /// What people know it by: its name, else its id.
    pub fn shown_name(&self) -> &str {
        self.name().unwrap_or(self.id.as_str())
    }

    /// Whether it is one of the services that these names, an `aud` say, are about.
    pub fn serves(&self, audience: &[String]) -> bool {
        let served = &self.metadata.served_resources;
        audience.iter().any(|name| served.iter().any(|own| own.as_str() == name))
    }

    /// The origins of its own scripts, each once: who may call the endpoints for clients from a page. One with a secret has
    /// a server to call from.
    pub fn script_origins(&self) -> BTreeSet<String> {
        let uris = self.metadata.redirect_uris.iter();
        let pages = uris.filter(|uri| self.is_public() && uri.kind() != Kind::Application);
        pages.filter_map(RedirectUri::origin).collect()
    }
}

impl Metadata {
    /// Whether the client cannot keep a secret (RFC 6749 section 2.1).
    pub fn is_public(&self) -> bool {
        self.authentication == AuthenticationMethod::None
    }
}

impl Default for Metadata {
    /// The defaults of RFC 7591 section 2, where it has any, else the safer choice.
    fn default() -> Self {
        Self {
            name: None,
            logo_uri: None,
            client_uri: None,
            policy_uri: None,
            tos_uri: None,
            contacts: Vec::new(),
            application: Application::Web,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            grants: vec![Grant::AuthorizationCode],
            scopes: Scope::default(),
            resources: Vec::new(),
            served_resources: Vec::new(),
            lifetimes: Lifetimes::default(),
            authentication: AuthenticationMethod::ClientSecretBasic,
            authentication_algorithm: None,
            keys: None,
            id_token_algorithm: Algorithm::Rs256,
            userinfo_algorithm: None,
            introspection_algorithm: None,
            request_object_algorithm: None,
            dpop_required: false,
            pushed_requests_required: false,
            signed_requests_required: false,
            pkce_required: true,
            nonce_required: true,
            consent: Consent::Ask,
            rotation: Rotation::Strict,
            subject_type: SubjectType::Public,
            sector_identifier_uri: None,
            default_max_age: None,
            default_acr_values: Vec::new(),
            backchannel_logout: None,
            frontchannel_logout: None,
            self_registered: false,
        }
    }
}
