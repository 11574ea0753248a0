//! The one address the deployment is known by.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer, de::Error as _};
use url::{Host, Url};

/// An `http` or `https` origin: scheme, host and port, nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    host: String,
    is_https: bool,
    is_loopback: bool,
}

impl PublicUrl {
    /// Reads an origin; a path, a query, a user name or a fragment is refused. One trailing slash is fine.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text.trim()).map_err(|_| "is not a URL such as \"https://auth.example.com\"")?;
        let is_https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err("must begin with https:// (or http:// on loopback)"),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user name or a password");
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err("must be an origin without path, query and fragment");
        }
        let host = url.host().ok_or("has no host")?;
        let is_loopback = match &host {
            Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => IpAddr::from(*address).to_canonical().is_loopback(),
        };
        Ok(Self { origin: url.origin().ascii_serialization(), host: host.to_string(), is_https, is_loopback })
    }

    /// The origin without a trailing slash, such as `https://auth.example.com`.
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// The host without the port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the scheme is https.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether the host is this machine, for everybody who reads the URL.
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

impl Default for PublicUrl {
    fn default() -> Self {
        Self {
            origin: "http://localhost:8080".to_owned(),
            host: "localhost".to_owned(),
            is_https: false,
            is_loopback: true,
        }
    }
}

impl<'de> Deserialize<'de> for PublicUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_what_its_text_says() {
        assert_eq!(PublicUrl::parse("http://localhost:8080"), Ok(PublicUrl::default()));
    }

    #[test]
    fn an_origin_is_kept_without_slash_and_default_port() {
        let url = PublicUrl::parse("https://Auth.Example.com:443/").unwrap();
        assert_eq!((url.as_str(), url.host()), ("https://auth.example.com", "auth.example.com"));
        assert!(url.is_https() && !url.is_loopback());
    }

    #[test]
    fn loopback_is_recognized_in_every_spelling() {
        for text in [
            "http://localhost",
            "http://app.localhost:1",
            "http://127.0.0.2:8080",
            "http://[::1]:8080",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(PublicUrl::parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in ["http://localhost.example.com", "http://notlocalhost", "http://128.0.0.1"] {
            assert!(!PublicUrl::parse(text).unwrap().is_loopback(), "{text}");
        }
    }

    #[test]
    fn anything_beyond_an_origin_is_refused() {
        for text in [
            "https://a.example/login",
            "https://a.example/?x",
            "https://a.example/#x",
            "https://u@a.example",
            "https://u:p@a.example",
            "ftp://a.example",
            "a.example",
            "",
        ] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }
}
