//! What an issuer says about itself (OpenID Connect Discovery 1.0, RFC 8414).

use serde_json::Value;

use super::KeysUnavailable;
use crate::{address, json};

/// The part of the discovery document that is used here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The issuer, the same text as was asked for.
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Where tokens are had.
    pub token_endpoint: Option<String>,
    /// Where Doorward says what it revoked.
    pub doorward_revocation_feed_endpoint: Option<String>,
}

impl Metadata {
    /// No document is longer.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// Reads the document of the issuer. It must name that very issuer (RFC 8414 section 3.3, OpenID Connect Discovery
    /// section 4.3), or one issuer's answer could stand for another's. Addresses in it must be such as may be asked; an
    /// issuer elsewhere does not send anybody to this machine.
    pub fn parse(json: &[u8], issuer: &str) -> Result<Self, KeysUnavailable> {
        if json.len() > Self::MAX_BYTES {
            return Err(KeysUnavailable::Document);
        }
        let members = json::parse_object(json).ok_or(KeysUnavailable::Document)?;
        if members.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err(KeysUnavailable::Issuer);
        }
        let is_secure = issuer.starts_with("https:");
        let address = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => address::parse(text)
                .filter(|uri| !is_secure || uri.scheme_str() == Some("https"))
                .map(|_| Some(text.clone()))
                .ok_or(KeysUnavailable::Address),
            Some(_) => Err(KeysUnavailable::Document),
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            jwks_uri: address("jwks_uri")?.ok_or(KeysUnavailable::Document)?,
            token_endpoint: address("token_endpoint")?,
            doorward_revocation_feed_endpoint: address("doorward_revocation_feed_endpoint")?,
        })
    }

    /// Where the document can be, in the order to ask: OpenID Connect Discovery section 4 appends to the issuer's path,
    /// RFC 8414 section 3.1 puts its own before it.
    pub(super) fn addresses(issuer: &str) -> Option<[String; 2]> {
        let uri = address::parse(issuer).filter(|uri| uri.query().is_none())?;
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
        let path = uri.path().trim_end_matches('/');
        Some([
            format!("{scheme}://{authority}{path}/.well-known/openid-configuration"),
            format!("{scheme}://{authority}/.well-known/oauth-authorization-server{path}"),
        ])
    }
}

#[cfg(test)]
mod tests;
