//! The document that describes the provider (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2).
//!
//! It says what is there and nothing else: an endpoint that is not built has no address, and what is not named is not
//! offered.

use serde::Serialize;

use crate::client::{AuthenticationMethod, Grant, SubjectType};
use crate::dpop;
use crate::id_token::PERSONAL_CLAIMS;
use crate::jose::Algorithm;
use crate::pkce;
use crate::prompt;
use crate::response::ResponseMode;

/// The claims of an ID token besides those about the person.
const TOKEN_CLAIMS: [&str; 12] =
    ["iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"];

/// The addresses of what is built.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// RFC 6749 section 3.1.
    pub authorization: String,
    /// RFC 6749 section 3.2.
    pub token: String,
    /// RFC 7517 section 5.
    pub keys: String,
    /// OpenID Connect Core 5.3.
    pub userinfo: Option<String>,
    /// RFC 9126 section 2.
    pub pushed_requests: Option<String>,
    /// RFC 7662 section 2.
    pub introspection: Option<String>,
    /// RFC 7009 section 2.
    pub revocation: Option<String>,
    /// RFC 8628 section 3.1.
    pub device_authorization: Option<String>,
    /// RFC 7591 section 3; left out while it is switched off.
    pub registration: Option<String>,
    /// OpenID Connect RP-Initiated Logout 1.0 section 2.
    pub end_session: Option<String>,
    /// The feed of what was revoked, which is no standard's.
    pub revocation_feed: Option<String>,
    /// For developers.
    pub documentation: Option<String>,
}

/// What is built and switched on.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is something that is there or not")]
pub struct Offer {
    /// The grants.
    pub grants: Vec<Grant>,
    /// How clients authenticate.
    pub authentication: Vec<AuthenticationMethod>,
    /// What ID tokens are signed with; `RS256` among them (OpenID Connect Discovery 1.0 section 3).
    pub id_token_algorithms: Vec<Algorithm>,
    /// What `UserInfo` is signed with on request.
    pub userinfo_algorithms: Vec<Algorithm>,
    /// What introspection is signed with on request.
    pub introspection_algorithms: Vec<Algorithm>,
    /// The scopes that anybody may know of.
    pub scopes: Vec<String>,
    /// The authentication classes.
    pub acr_values: Vec<String>,
    /// The languages of the pages.
    pub ui_locales: Vec<String>,
    /// How people are named to clients.
    pub subject_types: Vec<SubjectType>,
    /// Signed request objects (RFC 9101).
    pub request_objects: bool,
    /// Requests must be pushed (RFC 9126 section 5).
    pub pushed_only: bool,
    /// Proof of possession (RFC 9449).
    pub dpop: bool,
    /// Signing up inside a request (`prompt=create`).
    pub sign_up: bool,
    /// A page on which people allow what a client asks for (`prompt=consent`).
    pub consent: bool,
    /// Back-Channel Logout 1.0.
    pub backchannel_logout: bool,
    /// Front-Channel Logout 1.0.
    pub frontchannel_logout: bool,
}

/// The document. What is missing is left out, never `null` (RFC 8414 section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the standards and have their names")]
#[expect(clippy::struct_excessive_bools, reason = "the fields are those of the standards")]
pub struct Document {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_endpoint: Option<String>,
    pub require_pushed_authorization_requests: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_authorization_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_session_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doorward_revocation_feed_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_documentation: Option<String>,
    pub scopes_supported: Vec<String>,
    pub response_types_supported: Vec<&'static str>,
    pub response_modes_supported: Vec<&'static str>,
    pub grant_types_supported: Vec<&'static str>,
    pub prompt_values_supported: Vec<&'static str>,
    pub code_challenge_methods_supported: Vec<&'static str>,
    pub authorization_response_iss_parameter_supported: bool,
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    pub subject_types_supported: Vec<&'static str>,
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub userinfo_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspection_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dpop_signing_alg_values_supported: Vec<&'static str>,
    pub request_parameter_supported: bool,
    /// Nothing is ever fetched; pushed requests are no `request_uri` of a client's own (RFC 9126 section 5).
    pub request_uri_parameter_supported: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_object_signing_alg_values_supported: Vec<&'static str>,
    pub claims_parameter_supported: bool,
    pub claim_types_supported: Vec<&'static str>,
    pub claims_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acr_values_supported: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ui_locales_supported: Vec<String>,
    pub backchannel_logout_supported: bool,
    pub backchannel_logout_session_supported: bool,
    pub frontchannel_logout_supported: bool,
    pub frontchannel_logout_session_supported: bool,
}

impl Document {
    /// The document of a provider.
    pub fn new(issuer: &str, endpoints: Endpoints, offer: Offer) -> Self {
        let methods: Vec<&'static str> = offer.authentication.iter().map(|method| method.as_str()).collect();
        let proving: Vec<&'static str> = methods.iter().copied().filter(|method| *method != "none").collect();
        let with = |is_there: bool, list: &[&'static str]| if is_there { list.to_vec() } else { Vec::new() };
        let all = names(&Algorithm::ALL);
        Self {
            issuer: issuer.to_owned(),
            response_types_supported: with(offer.grants.contains(&Grant::AuthorizationCode), &["code"]),
            response_modes_supported: ResponseMode::VALUES.to_vec(),
            grant_types_supported: offer.grants.iter().map(|grant| grant.as_str()).collect(),
            prompt_values_supported: prompts(&offer),
            code_challenge_methods_supported: vec![pkce::METHOD],
            authorization_response_iss_parameter_supported: true,
            token_endpoint_auth_signing_alg_values_supported: with(methods.contains(&"private_key_jwt"), &all),
            introspection_endpoint_auth_methods_supported: with(endpoints.introspection.is_some(), &proving),
            revocation_endpoint_auth_methods_supported: with(endpoints.revocation.is_some(), &methods),
            token_endpoint_auth_methods_supported: methods,
            subject_types_supported: offer.subject_types.iter().map(|kind| kind.as_str()).collect(),
            id_token_signing_alg_values_supported: names(&offer.id_token_algorithms),
            userinfo_signing_alg_values_supported: names(&offer.userinfo_algorithms),
            introspection_signing_alg_values_supported: names(&offer.introspection_algorithms),
            dpop_signing_alg_values_supported: with(offer.dpop, &names(&dpop::ALGORITHMS)),
            request_parameter_supported: offer.request_objects,
            request_uri_parameter_supported: false,
            request_object_signing_alg_values_supported: with(offer.request_objects, &all),
            claims_parameter_supported: true,
            claim_types_supported: vec!["normal"],
            claims_supported: [&TOKEN_CLAIMS[..], &PERSONAL_CLAIMS].concat(),
            scopes_supported: offer.scopes,
            acr_values_supported: offer.acr_values,
            ui_locales_supported: offer.ui_locales,
            require_pushed_authorization_requests: offer.pushed_only,
            backchannel_logout_supported: offer.backchannel_logout,
            backchannel_logout_session_supported: offer.backchannel_logout,
            frontchannel_logout_supported: offer.frontchannel_logout,
            frontchannel_logout_session_supported: offer.frontchannel_logout,
            authorization_endpoint: endpoints.authorization,
            token_endpoint: endpoints.token,
            jwks_uri: endpoints.keys,
            userinfo_endpoint: endpoints.userinfo,
            pushed_authorization_request_endpoint: endpoints.pushed_requests,
            introspection_endpoint: endpoints.introspection,
            revocation_endpoint: endpoints.revocation,
            device_authorization_endpoint: endpoints.device_authorization,
            registration_endpoint: endpoints.registration,
            end_session_endpoint: endpoints.end_session,
            doorward_revocation_feed_endpoint: endpoints.revocation_feed,
            service_documentation: endpoints.documentation,
        }
    }
}

fn names(algorithms: &[Algorithm]) -> Vec<&'static str> {
    algorithms.iter().map(|algorithm| algorithm.as_str()).collect()
}

fn prompts(offer: &Offer) -> Vec<&'static str> {
    let is_there = |value: &&'static str| match *value {
        "create" => offer.sign_up,
        "consent" => offer.consent,
        _ => true,
    };
    prompt::VALUES.into_iter().filter(is_there).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document(offer: Offer, endpoints: Endpoints) -> Value {
        serde_json::to_value(Document::new("https://id.example", endpoints, offer)).unwrap()
    }

    /// Proves, V10.6.1
    #[test]
    fn only_what_is_safe_and_there_is_offered() {
        let offer = Offer {
            grants: vec![Grant::AuthorizationCode, Grant::RefreshToken],
            authentication: vec![AuthenticationMethod::ClientSecretBasic, AuthenticationMethod::None],
            id_token_algorithms: Algorithm::SIGNING.to_vec(),
            ..Offer::default()
        };
        let endpoints = Endpoints {
            authorization: "https://id.example/authorize".to_owned(),
            revocation: Some("https://id.example/revoke".to_owned()),
            introspection: Some("https://id.example/introspect".to_owned()),
            ..Endpoints::default()
        };
        let document = document(offer, endpoints);
        assert_eq!(document["issuer"], "https://id.example");
        assert_eq!(document["response_types_supported"], json!(["code"]));
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
        assert_eq!(document["request_uri_parameter_supported"], false);
        assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256", "ES256", "EdDSA"]));
        assert_eq!(document["introspection_endpoint_auth_methods_supported"], json!(["client_secret_basic"]));
        assert_eq!(document["prompt_values_supported"], json!(["none", "login", "select_account"]));
        for absent in [
            "userinfo_endpoint",
            "registration_endpoint",
            "device_authorization_endpoint",
            "pushed_authorization_request_endpoint",
            "dpop_signing_alg_values_supported",
            "request_object_signing_alg_values_supported",
            "token_endpoint_auth_signing_alg_values_supported",
        ] {
            assert_eq!(document.get(absent), None, "{absent}");
        }
        let text = document.to_string();
        for never in ["\"plain\"", "HS256", "\"token\"", "fragment", "null", "implicit", "\"password\""] {
            assert!(!text.contains(never), "{never}");
        }
    }

    #[test]
    fn what_is_built_is_named() {
        let offer = Offer {
            authentication: vec![AuthenticationMethod::PrivateKeyJwt],
            dpop: true,
            sign_up: true,
            consent: true,
            request_objects: true,
            backchannel_logout: true,
            ..Offer::default()
        };
        let document = document(offer, Endpoints::default());
        let all = json!(["RS256", "PS256", "ES256", "EdDSA"]);
        assert_eq!(document["dpop_signing_alg_values_supported"], json!(["PS256", "ES256", "EdDSA"]));
        assert_eq!(document["request_object_signing_alg_values_supported"], all);
        assert_eq!(document["token_endpoint_auth_signing_alg_values_supported"], all);
        assert_eq!(document["prompt_values_supported"], json!(prompt::VALUES));
        assert_eq!(document["backchannel_logout_session_supported"], true);
        assert_eq!(document["response_types_supported"], json!([]));
    }
}
