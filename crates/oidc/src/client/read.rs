//! A registration's JSON, read into [`Metadata`].

use doorward_model::email::EmailAddress;
use doorward_model::name::DisplayName;
use serde_json::{Map, Value};

use super::reader::{Problem, Reader};
use super::words::{Application, AuthenticationMethod, Consent, Grant, Rotation, SubjectType};
use super::{Author, Keys, Lifetimes, LogoutAddress, Metadata, stranger};
use crate::jose::{Algorithm, KeySet};
use crate::preferences;
use crate::prompt::MaxAge;
use crate::redirect_uri::RedirectUri;
use crate::resource::{MAX_RESOURCES, Resource};
use crate::scope::{OPENID, Scope};

/// Nobody registers more redirect URIs.
pub(super) const MAX_REDIRECT_URIS: usize = 50;
const MAX_CONTACTS: usize = 10;
const MAX_WORDS: usize = 10;

/// The metadata and what is wrong with it; a field that is wrong has its default.
pub(super) fn metadata(members: &Map<String, Value>, author: Author) -> (Metadata, Vec<Problem>) {
    let (mut reader, mut metadata) = (Reader::new(members), Metadata::default());
    read(&mut reader, &mut metadata, author);
    if author == Author::Operator {
        reader.refuse_unknown();
    } else {
        stranger::complete(&reader, &mut metadata);
    }
    (metadata, reader.problems)
}

fn read(reader: &mut Reader<'_>, metadata: &mut Metadata, author: Author) {
    shown(reader, metadata);
    protocol(reader, metadata);
    keys(reader, metadata);
    algorithms(reader, metadata);
    requirements(reader, metadata);
    sessions(reader, metadata);
    if author == Author::Operator {
        operators_own(reader, metadata);
    }
}

/// Every field that is read.
#[cfg(test)]
pub(super) fn fields() -> Vec<&'static str> {
    let nothing = Map::new();
    let (mut reader, mut metadata) = (Reader::new(&nothing), Metadata::default());
    read(&mut reader, &mut metadata, Author::Operator);
    reader.seen
}

fn shown(reader: &mut Reader<'_>, metadata: &mut Metadata) {
    metadata.name = reader.parsed("client_name", DisplayName::parse);
    metadata.logo_uri = reader.address("logo_uri");
    metadata.client_uri = reader.address("client_uri");
    metadata.policy_uri = reader.address("policy_uri");
    metadata.tos_uri = reader.address("tos_uri");
    let contact = |text: &str| EmailAddress::parse(text).map(|_| text.to_owned()).map_err(|_| "is no e-mail address");
    metadata.contacts = reader.list("contacts", MAX_CONTACTS, contact).unwrap_or_default();
}

fn protocol(reader: &mut Reader<'_>, metadata: &mut Metadata) {
    metadata.application = reader.word("application_type", Application::parse).unwrap_or(Application::Web);
    let uris = reader.list("redirect_uris", MAX_REDIRECT_URIS, RedirectUri::parse);
    metadata.redirect_uris = uris.unwrap_or_default();
    let uris = reader.list("post_logout_redirect_uris", MAX_REDIRECT_URIS, RedirectUri::parse);
    metadata.post_logout_redirect_uris = uris.unwrap_or_default();
    let grant = |text: &str| Grant::parse(text).ok_or("is no grant that exists here");
    if let Some(mut grants) = reader.list("grant_types", MAX_WORDS, grant) {
        grants.sort_by_key(|grant| grant.as_str());
        grants.dedup();
        metadata.grants = grants;
    }
    // RFC 7591 section 2.1: response types and grants must agree.
    let response = |text: &str| if text == "code" { Ok(()) } else { Err("is not code, the one that exists") };
    let asked = reader.list("response_types", MAX_WORDS, response);
    let has_code_grant = metadata.grants.contains(&Grant::AuthorizationCode);
    if asked.is_some_and(|asked| asked.is_empty() == has_code_grant) {
        reader.refuse("response_types", "must be code with the grant authorization_code and empty without it");
    }
    metadata.scopes = match reader.parsed("scope", Scope::parse) {
        Some(scopes) => scopes,
        None => Scope::parse(OPENID).unwrap_or_default(),
    };
    let method = reader.word("token_endpoint_auth_method", AuthenticationMethod::parse);
    metadata.authentication = method.unwrap_or(AuthenticationMethod::ClientSecretBasic);
}

fn keys(reader: &mut Reader<'_>, metadata: &mut Metadata) {
    let set = reader.member("jwks");
    let address = reader.address("jwks_uri");
    // RFC 7591 section 2: not both.
    if set.is_some() && address.is_some() {
        return reader.refuse("jwks_uri", "cannot be given together with jwks");
    }
    metadata.keys = match set {
        None => address.map(Keys::At),
        Some(set) => {
            let set = set.as_object().map(KeySet::from_members);
            match set {
                Some(Ok(set)) => Some(Keys::Set(set)),
                Some(Err(error)) => {
                    reader.refuse("jwks", error);
                    None
                }
                None => {
                    reader.refuse("jwks", "is no JSON Web Key Set");
                    None
                }
            }
        }
    };
}

fn algorithms(reader: &mut Reader<'_>, metadata: &mut Metadata) {
    metadata.authentication_algorithm = reader.word("token_endpoint_auth_signing_alg", Algorithm::parse);
    metadata.request_object_algorithm = reader.word("request_object_signing_alg", Algorithm::parse);
    let signing = |text: &str| Algorithm::parse(text).filter(|algorithm| Algorithm::SIGNING.contains(algorithm));
    // OpenID Connect Registration 2: the default is RS256.
    metadata.id_token_algorithm = reader.word("id_token_signed_response_alg", signing).unwrap_or(Algorithm::Rs256);
    metadata.userinfo_algorithm = reader.word("userinfo_signed_response_alg", signing);
    metadata.introspection_algorithm = reader.word("introspection_signed_response_alg", signing);
}

fn requirements(reader: &mut Reader<'_>, metadata: &mut Metadata) {
    metadata.dpop_required = reader.flag("dpop_bound_access_tokens").unwrap_or(false);
    metadata.pushed_requests_required = reader.flag("require_pushed_authorization_requests").unwrap_or(false);
    metadata.signed_requests_required = reader.flag("require_signed_request_object").unwrap_or(false);
    // auth_time is in every ID token, so that asking for it changes nothing.
    let _ = reader.flag("require_auth_time");
    metadata.default_max_age = reader.number("default_max_age").map(MaxAge::from_seconds);
    let word = |text: &str| preferences::words(text).pop().filter(|word| word == text).ok_or("is no word");
    metadata.default_acr_values = reader.list("default_acr_values", MAX_WORDS, word).unwrap_or_default();
}

fn sessions(reader: &mut Reader<'_>, metadata: &mut Metadata) {
    metadata.subject_type = reader.word("subject_type", SubjectType::parse).unwrap_or(SubjectType::Public);
    metadata.sector_identifier_uri = reader.address("sector_identifier_uri");
    let session_required = reader.flag("backchannel_logout_session_required").unwrap_or(false);
    let uri = reader.address("backchannel_logout_uri");
    metadata.backchannel_logout = uri.map(|uri| LogoutAddress { uri, session_required });
    let session_required = reader.flag("frontchannel_logout_session_required").unwrap_or(false);
    let uri = reader.address("frontchannel_logout_uri");
    metadata.frontchannel_logout = uri.map(|uri| LogoutAddress { uri, session_required });
}

/// What RFC 7591 does not know and a stranger may not decide.
fn operators_own(reader: &mut Reader<'_>, metadata: &mut Metadata) {
    metadata.resources = reader.list("resources", MAX_RESOURCES, Resource::parse).unwrap_or_default();
    let served = reader.list("served_resources", MAX_RESOURCES, Resource::parse);
    metadata.served_resources = served.unwrap_or_default();
    let defaults = Lifetimes::default();
    metadata.lifetimes = Lifetimes {
        access_token_seconds: reader.number("access_token_seconds").unwrap_or(defaults.access_token_seconds),
        id_token_seconds: reader.number("id_token_seconds").unwrap_or(defaults.id_token_seconds),
        refresh_token_seconds: reader.number("refresh_token_seconds").unwrap_or(defaults.refresh_token_seconds),
    };
    metadata.pkce_required = reader.flag("require_pkce").unwrap_or(true);
    metadata.nonce_required = reader.flag("require_nonce").unwrap_or(true);
    metadata.consent = reader.word("consent", Consent::parse).unwrap_or(Consent::Ask);
    metadata.rotation = reader.word("refresh_token_rotation", Rotation::parse).unwrap_or(Rotation::Strict);
    metadata.self_registered = reader.flag("self_registered").unwrap_or(false);
}
