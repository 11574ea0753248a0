//! Where an answer may be sent: registered redirect URIs and the one comparison with what a request names.
//!
//! Equality of bytes (RFC 9700 section 2.1, RFC 6749 section 3.1.2.3). The only variance is the port of a loopback IP
//! literal (RFC 8252 section 7.3). No switch widens this.

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::uri::{Uri, UriError, parse_port};

/// Parameters that Doorward itself adds; a registered URI that brings one would answer it twice (RFC 6749 section 3.1).
const ANSWERED: [&str; 8] =
    ["code", "state", "iss", "error", "error_description", "error_uri", "response", "session_state"];

/// A URI that cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RedirectUriError {
    /// Not a URI in the narrow sense of [`Uri`].
    #[error("{0}")]
    Uri(#[from] UriError),
    /// `http` to another machine.
    #[error("must use https; http is for 127.0.0.1, [::1] and localhost only")]
    Http,
    /// A scheme of its own that is no domain name in reverse (RFC 8252 section 7.1).
    #[error("must use https or a scheme that is a domain name in reverse, such as com.example.app")]
    Scheme,
    /// A star: whoever writes one expects it to stand for something, and it does not.
    #[error("holds a star; there are no patterns")]
    Pattern,
    /// Neither host nor path.
    #[error("leads nowhere")]
    Empty,
    /// A query parameter that the answer sets.
    #[error("has a query parameter that the answer itself sets")]
    Parameter,
}

/// A redirect URI as registered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RedirectUri {
    text: String,
    kind: Kind,
}

/// What answers there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A web server.
    Web,
    /// A program on the person's own machine, behind a loopback literal: any port (RFC 8252 section 7.3).
    /// Holds where the port stands or would stand.
    Loopback {
        /// The byte after the host.
        host_end: usize,
        /// The byte where the path begins.
        path_start: usize,
    },
    /// An application that owns a scheme (RFC 8252 section 7.1).
    Application,
}

impl RedirectUri {
    /// Reads a URI to be registered.
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        let uri = Uri::parse(text)?;
        if text.contains('*') {
            return Err(RedirectUriError::Pattern);
        }
        let kind = match (uri.scheme, uri.authority) {
            ("https", Some(_)) => Kind::Web,
            ("http", Some(authority)) if authority.host.is_loopback_literal() => {
                let host_end = "http://".len() + authority.host_text.len();
                let path_start = host_end + authority.port.map_or(0, |port| 1 + port.to_string().len());
                Kind::Loopback { host_end, path_start }
            }
            ("http", Some(authority)) if authority.host.is_loopback() => Kind::Web,
            ("http", _) => return Err(RedirectUriError::Http),
            ("https", None) => return Err(RedirectUriError::Empty),
            (scheme, _) if !is_reverse_domain(scheme) => return Err(RedirectUriError::Scheme),
            (_, None) if !uri.path.starts_with('/') => return Err(RedirectUriError::Empty),
            _ => Kind::Application,
        };
        if uri.query.is_some_and(has_answered_parameter) {
            return Err(RedirectUriError::Parameter);
        }
        Ok(Self { text: text.to_owned(), kind })
    }

    /// The URI, byte for byte as registered.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What answers there.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a request's `redirect_uri` is this one.
    pub fn matches(&self, presented: &str) -> bool {
        match self.kind {
            Kind::Web | Kind::Application => presented == self.text,
            Kind::Loopback { host_end, path_start } => {
                let (Some(host), Some(path)) = (self.text.get(..host_end), self.text.get(path_start..)) else {
                    return false;
                };
                let port = presented.strip_prefix(host).and_then(|rest| rest.strip_suffix(path));
                port.is_some_and(|port| port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
            }
        }
    }

    /// Its origin, for web servers: what a page may send a form to, what CORS may allow.
    pub fn origin(&self) -> Option<String> {
        Uri::parse(&self.text).ok()?.origin()
    }

    /// Its host as written, to be shown to a person; for applications their scheme.
    pub fn shown_host(&self) -> &str {
        match Uri::parse(&self.text) {
            Ok(Uri { authority: Some(authority), .. }) if self.kind != Kind::Application => authority.host_text,
            Ok(Uri { scheme, .. }) => scheme,
            Err(_) => "",
        }
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for RedirectUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

fn is_port(digits: &str) -> bool {
    parse_port(digits).is_some()
}

/// At least two labels, each of letters, digits and hyphens, the first a letter (RFC 8252 section 7.1 and 8.4).
fn is_reverse_domain(scheme: &str) -> bool {
    scheme.contains('.') && scheme.split('.').all(|label| !label.is_empty()) && !scheme.contains('+')
}

fn has_answered_parameter(query: &str) -> bool {
    query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        // A name behind percent signs could be any of them once decoded.
        name.contains('%') || ANSWERED.contains(&name)
    })
}

#[cfg(test)]
mod tests;
