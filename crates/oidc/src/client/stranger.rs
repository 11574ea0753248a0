//! What a client that registers itself may have, and what of it stays the operator's (RFC 7591, RFC 7592).

use super::Metadata;
use super::reader::{Problem, Reader};
use super::words::{Consent, Grant};
use crate::scope::{EMAIL, OFFLINE_ACCESS, OPENID, PROFILE, Scope};

/// The grants in which a person sees who asks, in the browser they are sent back in.
const GRANTS: [Grant; 2] = [Grant::AuthorizationCode, Grant::RefreshToken];
/// The words that every deployment knows. Others mean something to the operator's services.
const SCOPES: [&str; 4] = [OPENID, PROFILE, EMAIL, OFFLINE_ACCESS];

/// Fills in what RFC 7591 section 2 leaves to the server. OpenID Connect knows no scope in a registration: whoever names none
/// may ask people for everything that is theirs.
pub(super) fn complete(reader: &Reader<'_>, metadata: &mut Metadata) {
    metadata.self_registered = true;
    if !reader.has("scope") {
        let renews = metadata.grants.contains(&Grant::RefreshToken);
        let words: Vec<&str> = SCOPES.into_iter().filter(|word| renews || *word != OFFLINE_ACCESS).collect();
        metadata.scopes = Scope::parse(&words.join(" ")).unwrap_or_default();
    }
}

/// Keeps what only the operator decides as it was `registered`, except that a client which changes is one that nobody has
/// looked at: whoever holds its token could make it lead elsewhere.
pub(super) fn keep_operators_own(metadata: &mut Metadata, registered: &Metadata) {
    let own = registered.clone();
    metadata.resources = own.resources;
    metadata.served_resources = own.served_resources;
    metadata.lifetimes = own.lifetimes;
    metadata.pkce_required = own.pkce_required;
    metadata.nonce_required = own.nonce_required;
    metadata.consent = own.consent;
    metadata.rotation = own.rotation;
    metadata.self_registered = own.self_registered;
    if *metadata != *registered {
        metadata.self_registered = true;
        metadata.consent = Consent::Ask;
    }
}

/// What a client may not give itself. What an operator has given it since, it may keep.
pub(super) fn check(metadata: &Metadata, registered: Option<&Metadata>, problems: &mut Vec<Problem>) {
    let has_grant = |grant: &Grant| registered.is_some_and(|own| own.grants.contains(grant));
    if metadata.grants.iter().any(|grant| !GRANTS.contains(grant) && !has_grant(grant)) {
        problems.push(Problem::new("grant_types", "has a grant that only an operator registers"));
    }
    let has_word = |word: &str| registered.is_some_and(|own| own.scopes.contains(word));
    if metadata.scopes.words().any(|word| !SCOPES.contains(&word) && !has_word(word)) {
        problems.push(Problem::new("scope", "has a word that only an operator registers"));
    }
}
