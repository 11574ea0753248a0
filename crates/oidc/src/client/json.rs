//! [`Metadata`] as JSON in the form of RFC 7591 section 2.

use serde_json::{Map, Value, json};

use super::words::Grant;
use super::{Keys, LogoutAddress, Metadata};
use crate::jose::Algorithm;

/// All fields; optional ones only when they are set.
pub(super) fn metadata(metadata: &Metadata) -> Map<String, Value> {
    let mut members = Map::new();
    let optional = [
        ("client_name", metadata.name.as_ref().map(|name| json!(name))),
        ("logo_uri", text(metadata.logo_uri.as_ref())),
        ("client_uri", text(metadata.client_uri.as_ref())),
        ("policy_uri", text(metadata.policy_uri.as_ref())),
        ("tos_uri", text(metadata.tos_uri.as_ref())),
        ("contacts", list(&metadata.contacts)),
        ("post_logout_redirect_uris", list(&metadata.post_logout_redirect_uris)),
        ("token_endpoint_auth_signing_alg", algorithm(metadata.authentication_algorithm)),
        ("userinfo_signed_response_alg", algorithm(metadata.userinfo_algorithm)),
        ("introspection_signed_response_alg", algorithm(metadata.introspection_algorithm)),
        ("request_object_signing_alg", algorithm(metadata.request_object_algorithm)),
        ("sector_identifier_uri", text(metadata.sector_identifier_uri.as_ref())),
        ("default_max_age", metadata.default_max_age.map(|age| json!(age.seconds()))),
        ("default_acr_values", list(&metadata.default_acr_values)),
        ("served_resources", list(&metadata.served_resources)),
        ("self_registered", metadata.self_registered.then_some(json!(true))),
    ];
    for (name, value) in optional {
        members.extend(value.map(|value| (name.to_owned(), value)));
    }
    members.extend(always(metadata));
    match &metadata.keys {
        Some(Keys::Set(set)) => _ = members.insert("jwks".to_owned(), set.to_json()),
        Some(Keys::At(address)) => _ = members.insert("jwks_uri".to_owned(), json!(address)),
        None => {}
    }
    logout("backchannel", metadata.backchannel_logout.as_ref(), &mut members);
    logout("frontchannel", metadata.frontchannel_logout.as_ref(), &mut members);
    members
}

fn always(metadata: &Metadata) -> Map<String, Value> {
    let grants: Vec<&str> = metadata.grants.iter().map(|grant| grant.as_str()).collect();
    let has_code = metadata.grants.contains(&Grant::AuthorizationCode);
    let response_types: &[&str] = if has_code { &["code"] } else { &[] };
    let fields = [
        ("application_type", json!(metadata.application.as_str())),
        ("redirect_uris", json!(metadata.redirect_uris)),
        ("grant_types", json!(grants)),
        ("response_types", json!(response_types)),
        ("scope", json!(metadata.scopes)),
        ("resources", json!(metadata.resources)),
        ("access_token_seconds", json!(metadata.lifetimes.access_token_seconds)),
        ("id_token_seconds", json!(metadata.lifetimes.id_token_seconds)),
        ("refresh_token_seconds", json!(metadata.lifetimes.refresh_token_seconds)),
        ("token_endpoint_auth_method", json!(metadata.authentication.as_str())),
        ("id_token_signed_response_alg", json!(metadata.id_token_algorithm.as_str())),
        ("dpop_bound_access_tokens", json!(metadata.dpop_required)),
        ("require_pushed_authorization_requests", json!(metadata.pushed_requests_required)),
        ("require_signed_request_object", json!(metadata.signed_requests_required)),
        ("require_pkce", json!(metadata.pkce_required)),
        ("require_nonce", json!(metadata.nonce_required)),
        ("consent", json!(metadata.consent.as_str())),
        ("refresh_token_rotation", json!(metadata.rotation.as_str())),
        ("subject_type", json!(metadata.subject_type.as_str())),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(value: Option<&String>) -> Option<Value> {
    value.map(|value| json!(value))
}

fn list<T: serde::Serialize>(values: &[T]) -> Option<Value> {
    (!values.is_empty()).then(|| json!(values))
}

fn algorithm(value: Option<Algorithm>) -> Option<Value> {
    value.map(|algorithm| json!(algorithm.as_str()))
}

fn logout(channel: &str, address: Option<&LogoutAddress>, members: &mut Map<String, Value>) {
    if let Some(address) = address {
        members.insert(format!("{channel}_logout_uri"), json!(address.uri));
        members.insert(format!("{channel}_logout_session_required"), json!(address.session_required));
    }
}
