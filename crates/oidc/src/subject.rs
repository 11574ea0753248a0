//! By which id a client knows a person (OpenID Connect Core 8).

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::id::UserId;
use serde_json::Value;
use thiserror::Error;

use crate::client::Metadata;
use crate::redirect_uri::{Kind, RedirectUri};
use crate::uri::Uri;

/// The longest document at a sector identifier's address.
pub const MAX_SECTOR_DOCUMENT_BYTES: usize = 64 * 1024;

/// A sector identifier document that does not vouch for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SectorError {
    /// Not a JSON list of texts.
    #[error("the sector identifier document is no JSON list of texts")]
    Malformed,
    /// A redirect URI is missing from it.
    #[error("the sector identifier document does not name every redirect URI")]
    Missing,
}

/// The sector a client belongs to: the host of its sector identifier, else the one host of its redirect URIs (OpenID
/// Connect Core 8.1). None when there is neither.
pub fn sector(metadata: &Metadata) -> Option<String> {
    if let Some(address) = &metadata.sector_identifier_uri {
        return Some(Uri::parse(address).ok()?.authority?.host_text.to_owned());
    }
    let mut hosts = metadata.redirect_uris.iter().map(RedirectUri::shown_host);
    let first = hosts.next()?;
    // An application's scheme and a loopback address are not its own: anybody's application could share the sector.
    let is_web = metadata.redirect_uris.iter().all(|uri| uri.kind() == Kind::Web);
    (is_web && hosts.all(|host| host == first)).then(|| first.to_owned())
}

/// Checks that the document at `sector_identifier_uri` names every redirect URI of the client, byte by byte (OpenID
/// Connect Registration 5).
pub fn check_sector_document(json: &[u8], redirect_uris: &[RedirectUri]) -> Result<(), SectorError> {
    if json.len() > MAX_SECTOR_DOCUMENT_BYTES {
        return Err(SectorError::Malformed);
    }
    let document: Value = serde_json::from_slice(json).map_err(|_| SectorError::Malformed)?;
    let list = document.as_array().filter(|list| list.iter().all(Value::is_string)).ok_or(SectorError::Malformed)?;
    let is_named = |uri: &RedirectUri| list.iter().any(|entry| entry == uri.as_str());
    if redirect_uris.iter().all(is_named) { Ok(()) } else { Err(SectorError::Missing) }
}

/// The deployment's key of pairwise subjects. It never changes: whoever changes it makes everybody a stranger.
#[derive(Clone)]
pub struct PairwiseKey(hmac::Key);

impl PairwiseKey {
    /// From 32 random bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The id of a person within a sector: the same for all its clients, unlike and unlinkable elsewhere (OpenID
    /// Connect Core 8.1).
    pub fn subject(&self, sector: &str, user_id: UserId) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        // The id has a fixed length and comes first, so no two inputs run together.
        context.update(b"pairwise\0");
        context.update(user_id.uuid());
        context.update(sector.as_bytes());
        URL_SAFE_NO_PAD.encode(context.sign())
    }
}

impl fmt::Debug for PairwiseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairwiseKey[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn metadata(redirect_uris: &[&str], sector: Option<&str>) -> Metadata {
        let redirect_uris = redirect_uris.iter().map(|uri| RedirectUri::parse(uri).unwrap()).collect();
        Metadata { redirect_uris, sector_identifier_uri: sector.map(str::to_owned), ..Metadata::default() }
    }

    #[test]
    fn the_sector_is_a_host_the_client_answers_for() {
        for (uris, identifier, expected) in [
            (&["https://a.example/1", "https://a.example:8443/2"][..], None, Some("a.example")),
            (&["https://a.example/1", "https://b.example/2"], None, None),
            (&["https://a.example/1", "https://b.example/2"], Some("https://c.example/x.json"), Some("c.example")),
            (&["com.example.app:/cb"], None, None),
            (&["http://127.0.0.1/cb"], None, None),
            (&[], None, None),
        ] {
            assert_eq!(sector(&metadata(uris, identifier)).as_deref(), expected, "{uris:?}");
        }
    }

    #[test]
    fn a_sector_document_names_every_redirect_uri() {
        let uris = metadata(&["https://a.example/1", "https://b.example/2"], None).redirect_uris;
        let check = |json: &str| check_sector_document(json.as_bytes(), &uris);
        assert_eq!(check(r#"["https://b.example/2","https://x.example","https://a.example/1"]"#), Ok(()));
        assert_eq!(check(r#"["https://a.example/1","https://b.example/2/"]"#), Err(SectorError::Missing));
        assert_eq!(check("[]"), Err(SectorError::Missing));
        for text in ["", "{}", "[1]", "\"https://a.example/1\""] {
            assert_eq!(check(text), Err(SectorError::Malformed), "{text}");
        }
    }

    #[test]
    fn pairwise_subjects_differ_by_person_sector_and_deployment() {
        let mut seen = HashSet::new();
        for key in [[1; 32], [2; 32]] {
            for sector in ["a.example", "b.example"] {
                for user in [[3; 16], [4; 16]] {
                    let subject = PairwiseKey::new(&key).subject(sector, UserId::from_uuid(user));
                    assert_eq!(subject, PairwiseKey::new(&key).subject(sector, UserId::from_uuid(user)));
                    assert!(subject.len() == 43 && seen.insert(subject));
                }
            }
        }
    }
}
