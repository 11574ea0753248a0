//! What the fields of a registration must have to do with each other.

use super::read::MAX_REDIRECT_URIS;
use super::reader::Problem;
use super::words::{AuthenticationMethod, Consent, Grant, Rotation, SubjectType};
use super::{Keys, Metadata};
use crate::redirect_uri::{Kind, RedirectUri};
use crate::scope::{OFFLINE_ACCESS, OPENID, REVOCATIONS};
use crate::subject;
use crate::uri::Uri;

/// The grants in which a person takes part, and which give a refresh token.
const WITH_A_PERSON: [Grant; 2] = [Grant::AuthorizationCode, Grant::DeviceCode];

/// Everything that does not fit together.
pub(super) fn check(metadata: &Metadata) -> Vec<Problem> {
    let mut problems = Vec::new();
    grants(metadata, &mut problems);
    authentication(metadata, &mut problems);
    exceptions(metadata, &mut problems);
    addresses(metadata, &mut problems);
    lifetimes(metadata, &mut problems);
    problems
}

fn grants(metadata: &Metadata, problems: &mut Vec<Problem>) {
    let has = |grant| metadata.grants.contains(&grant);
    // A service that only asks about tokens gets none.
    if metadata.grants.is_empty() && metadata.served_resources.is_empty() {
        problems.push(Problem::new("grant_types", "is empty"));
    }
    if has(Grant::AuthorizationCode) && metadata.redirect_uris.is_empty() {
        problems.push(Problem::new("redirect_uris", "must have an entry for the grant authorization_code"));
    }
    if metadata.redirect_uris.len() > MAX_REDIRECT_URIS {
        problems.push(Problem::new("redirect_uris", "has too many entries"));
    }
    if has(Grant::RefreshToken) && !WITH_A_PERSON.into_iter().any(has) {
        problems.push(Problem::new("grant_types", "has refresh_token without a grant that gives a refresh token"));
    }
    if metadata.scopes.contains(OFFLINE_ACCESS) && !has(Grant::RefreshToken) {
        problems.push(Problem::new("scope", "has offline_access without the grant refresh_token"));
    }
    // RFC 6749 section 4.4: confidential clients only. RFC 8693 section 5: whoever exchanges proves who it is.
    if metadata.is_public() && (has(Grant::ClientCredentials) || has(Grant::TokenExchange)) {
        let message = "has a grant for which the client must authenticate, and the client has no way to";
        problems.push(Problem::new("grant_types", message));
    }
    let follows = metadata.scopes.contains(REVOCATIONS);
    if follows && (!has(Grant::ClientCredentials) || metadata.self_registered) {
        let message = "has doorward:revocations, which is for a client with the grant client_credentials that an operator registered";
        problems.push(Problem::new("scope", message));
    }
    // RFC 9068 section 3: its tokens are for services, and there is none that all are for. The feed is one.
    let only_follows = follows && metadata.scopes.words().eq([REVOCATIONS]);
    if has(Grant::ClientCredentials) && metadata.resources.is_empty() && !only_follows {
        problems.push(Problem::new("resources", "must have an entry for the grant client_credentials"));
    }
}

fn authentication(metadata: &Metadata, problems: &mut Vec<Problem>) {
    let by_key = metadata.authentication == AuthenticationMethod::PrivateKeyJwt;
    if metadata.keys.is_none() && by_key {
        problems.push(Problem::new("jwks", "is needed for private_key_jwt, unless jwks_uri is given"));
    }
    if metadata.keys.is_none() && metadata.signed_requests_required {
        problems.push(Problem::new("jwks", "is needed for signed request objects, unless jwks_uri is given"));
    }
    // RFC 7662 section 2.1: whoever asks about tokens proves who it is.
    if metadata.is_public() && !metadata.served_resources.is_empty() {
        let message = "is for a client that proves who it is, and this one has no way to";
        problems.push(Problem::new("served_resources", message));
    }
    if metadata.authentication_algorithm.is_some() && !by_key {
        problems.push(Problem::new("token_endpoint_auth_signing_alg", "means nothing without private_key_jwt"));
    }
    if let (Some(Keys::Set(set)), Some(algorithm)) = (&metadata.keys, metadata.authentication_algorithm)
        && set.candidates(algorithm, None).next().is_none()
    {
        problems.push(Problem::new("jwks", "has no key for token_endpoint_auth_signing_alg"));
    }
}

fn exceptions(metadata: &Metadata, problems: &mut Vec<Problem>) {
    // RFC 9700 section 2.1.1: without PKCE, a confidential client that checks the nonce.
    if !metadata.pkce_required && (metadata.is_public() || !metadata.scopes.contains(OPENID)) {
        problems.push(Problem::new("require_pkce", "can be false for confidential OpenID Connect clients only"));
    }
    if !metadata.nonce_required && metadata.pkce_required {
        problems.push(Problem::new("require_nonce", "can be false together with require_pkce only"));
    }
    if metadata.rotation == Rotation::Keep && (metadata.is_public() || !metadata.dpop_required) {
        let message = "can be keep for confidential clients with dpop_bound_access_tokens only";
        problems.push(Problem::new("refresh_token_rotation", message));
    }
    // RFC 8252 section 8.6: another application can pretend to be a public one; only the person notices.
    let web_only = metadata.redirect_uris.iter().all(|uri| uri.kind() == Kind::Web);
    if metadata.consent == Consent::Skip && metadata.is_public() && !web_only {
        let message = "cannot be skip for a public client with a redirect URI that another application can claim";
        problems.push(Problem::new("consent", message));
    }
    if metadata.subject_type == SubjectType::Pairwise && subject::sector(metadata).is_none() {
        let message = "is needed for pairwise subjects, because the redirect URIs do not have one host";
        problems.push(Problem::new("sector_identifier_uri", message));
    }
}

fn addresses(metadata: &Metadata, problems: &mut Vec<Problem>) {
    // OpenID Connect Core 8.1: https, and it is fetched.
    if metadata.sector_identifier_uri.as_deref().is_some_and(|uri| !uri.starts_with("https://")) {
        problems.push(Problem::new("sector_identifier_uri", "is no https address"));
    }
    // OpenID Connect Front-Channel Logout 1.0 section 2: scheme, host and port of a registered redirect URI.
    if let Some(logout) = &metadata.frontchannel_logout {
        let origin = Uri::parse(&logout.uri).ok().and_then(|uri| uri.origin());
        if !metadata.redirect_uris.iter().map(RedirectUri::origin).any(|own| own.is_some() && own == origin) {
            problems.push(Problem::new("frontchannel_logout_uri", "has another origin than the redirect URIs"));
        }
    }
}

fn lifetimes(metadata: &Metadata, problems: &mut Vec<Problem>) {
    let lifetimes = metadata.lifetimes;
    for (field, seconds, shortest, longest) in [
        ("access_token_seconds", lifetimes.access_token_seconds, 60, 3_600),
        ("id_token_seconds", lifetimes.id_token_seconds, 60, 86_400),
        ("refresh_token_seconds", lifetimes.refresh_token_seconds, 600, 31_536_000),
    ] {
        if !(shortest..=longest).contains(&seconds) {
            problems.push(Problem::new(field, &format!("must be {shortest} to {longest}")));
        }
    }
}
