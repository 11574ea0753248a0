//! What an operator decides about the edge, already parsed.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use thiserror::Error;
use url::{Host, Url};

use crate::page_error::{PagePresenter, plain_page};

/// A `public_url` that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidPublicUrl {
    /// Not a URL, or without a host.
    #[error("public_url is not a URL")]
    NotAUrl,
    /// Another scheme than http or https.
    #[error("public_url must begin with https:// (or http:// on loopback)")]
    Scheme,
    /// User, path, query or fragment where only an origin may stand.
    #[error("public_url must be an origin: scheme, host and optional port, nothing after it")]
    MoreThanAnOrigin,
}

/// The one address people and applications know this deployment by: an origin.
#[derive(Clone, Debug)]
pub struct PublicUrl {
    origin: String,
    authority: String,
    default_port_suffix: &'static str,
    is_https: bool,
    is_loopback: bool,
}

impl PublicUrl {
    /// Reads an origin such as `https://auth.example.com`; a single trailing slash is allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidPublicUrl> {
        let url = Url::parse(text).map_err(|_| InvalidPublicUrl::NotAUrl)?;
        let is_https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(InvalidPublicUrl::Scheme),
        };
        let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
        if has_more || !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidPublicUrl::MoreThanAnOrigin);
        }
        let host = url.host().ok_or(InvalidPublicUrl::NotAUrl)?;
        let is_loopback = match &host {
            Host::Domain(name) => is_loopback_name(name),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let origin = url.origin().ascii_serialization();
        let authority = origin.split_once("://").map(|(_, rest)| rest.to_owned()).ok_or(InvalidPublicUrl::NotAUrl)?;
        let default_port_suffix = if is_https { ":443" } else { ":80" };
        Ok(Self { origin, authority, default_port_suffix, is_https, is_loopback })
    }

    /// Scheme, host and port as browsers write them in `Origin`, without a trailing slash.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether the address says https.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether the address names this machine only.
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// Whether a request for `authority` (a `Host` header or `:authority`) is meant for this deployment. On
    /// loopback every loopback name with any port is.
    pub fn serves(&self, authority: &str) -> bool {
        let authority = authority.to_ascii_lowercase();
        let plain = authority.strip_suffix(self.default_port_suffix).unwrap_or(&authority);
        plain == self.authority || (self.is_loopback && is_loopback_authority(plain))
    }
}

fn is_loopback_name(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

fn is_loopback_authority(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            if port.is_empty() || port.len() > 5 || !port.bytes().all(|byte| byte.is_ascii_digit()) {
                return false;
            }
            host
        }
        _ => authority,
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the end of the request's headers to the beginning of the answer.
    pub total: Duration,
    /// For the whole body to arrive.
    pub body: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { total: Duration::from_secs(30), body: Duration::from_secs(15) }
    }
}

/// Everything the edge is configured with.
#[derive(Clone, Debug)]
pub struct EdgeSettings {
    /// The one origin of this deployment.
    pub public_url: PublicUrl,
    /// Networks whose `X-Forwarded-For`, `Forwarded` and `X-Request-Id` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose scripts may call the routes with [`crate::route::CorsRule::TokenOrigins`], written exactly
    /// as browsers send them.
    pub token_origins: Vec<String>,
    /// Multiplies every request-rate limit.
    pub limit_scale: f64,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// What error pages call the deployment.
    pub service_name: String,
    /// Makes the HTML of an error page.
    pub page_presenter: PagePresenter,
}

impl EdgeSettings {
    /// The defaults for a deployment at `public_url`.
    pub fn new(public_url: PublicUrl) -> Self {
        Self {
            public_url,
            trusted_proxies: Vec::new(),
            token_origins: Vec::new(),
            limit_scale: 1.0,
            timeouts: Timeouts::default(),
            service_name: "Doorward".to_owned(),
            page_presenter: plain_page,
        }
    }

    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }

    pub(crate) fn lists_origin(&self, origin: &str) -> bool {
        self.token_origins.iter().any(|listed| listed == origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin_and_nothing_more() {
        for (text, origin) in [
            ("https://auth.example.com", "https://auth.example.com"),
            ("https://AUTH.example.com:443/", "https://auth.example.com"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(PublicUrl::parse(text).map(|url| url.origin().to_owned()), Ok(origin.to_owned()), "{text}");
        }
        for text in [
            "",
            "auth.example.com",
            "ftp://auth.example.com",
            "https://auth.example.com/login",
            "https://auth.example.com/?x",
            "https://auth.example.com/#x",
            "https://user@auth.example.com",
        ] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_loopback_addresses_count_as_loopback() {
        for (text, expected) in [
            ("http://localhost:8080", true),
            ("http://127.0.0.1", true),
            ("http://[::1]", true),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1.nip.io", false),
            ("http://0.0.0.0", false),
        ] {
            assert_eq!(PublicUrl::parse(text).map(|url| url.is_loopback()), Ok(expected), "{text}");
        }
    }
}
