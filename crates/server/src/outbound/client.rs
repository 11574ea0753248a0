//! The one HTTP client: https (http only to this machine), one request a connection, no redirects, no proxy, bounded
//! in time, size and number.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::authorities::Authorities;
use super::reach::Reach;

/// Who we say we are.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("doorward/", env!("CARGO_PKG_VERSION")));

/// This machine, in both families.
const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Where requests may go: https, or http on this machine.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboundUrl {
    /// Where to connect to.
    host: String,
    port: u16,
    /// What the certificate must be for; none for http.
    tls_name: Option<ServerName<'static>>,
    /// The value of `Host`.
    authority: String,
    /// The path, which ends with a slash if more comes, and the query.
    path: String,
}

/// A URL that requests may not go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be an https URL (http only on this machine) without user, query and fragment")]
pub struct OutboundUrlError;

impl OutboundUrl {
    /// Reads a URL whose path is completed at its end.
    pub fn parse(text: &str) -> Result<Self, OutboundUrlError> {
        let url = Url::parse(text).map_err(|_| OutboundUrlError)?;
        if url.query().is_some() {
            return Err(OutboundUrlError);
        }
        Self::of(&url, format!("{}/", url.path().trim_end_matches('/')))
    }

    /// Reads a URL that is asked for as it is.
    pub fn parse_whole(text: &str) -> Result<Self, OutboundUrlError> {
        let url = Url::parse(text).map_err(|_| OutboundUrlError)?;
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        Self::of(&url, path)
    }

    fn of(url: &Url, path: String) -> Result<Self, OutboundUrlError> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(OutboundUrlError);
        };
        let has_more = !url.username().is_empty() || url.password().is_some();
        if has_more || url.fragment().is_some() {
            return Err(OutboundUrlError);
        }
        let (name, is_this_machine) = match &host {
            Host::Domain(domain) => ((*domain).to_owned(), *domain == "localhost"),
            Host::Ipv4(address) => (address.to_string(), address.is_loopback()),
            Host::Ipv6(address) => (address.to_string(), IpAddr::from(*address).to_canonical().is_loopback()),
        };
        let tls_name = match url.scheme() {
            "https" => Some(ServerName::try_from(name.clone()).map_err(|_| OutboundUrlError)?),
            "http" if is_this_machine => None,
            _ => return Err(OutboundUrlError),
        };
        let authority = url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
        Ok(Self { host: name, port, tls_name, authority, path })
    }
}

impl fmt::Debug for OutboundUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundUrl").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl<'de> Deserialize<'de> for OutboundUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Why there is no answer. No text of these holds a path.
#[derive(Debug, Error)]
pub enum OutboundError {
    /// Not in time, waiting for a place included.
    #[error("not in time")]
    TooLate,
    /// Longer than asked for.
    #[error("the answer is too long")]
    TooLong,
    /// The address leads where requests do not go.
    #[error("the address is out of reach")]
    OutOfReach,
    /// Connecting or TLS.
    #[error("connecting")]
    Connect(#[source] std::io::Error),
    /// HTTP.
    #[error("asking")]
    Exchange(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The limits of a client.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a request may take, waiting and reading included.
    pub time: Duration,
    /// The longest body.
    pub bytes: usize,
    /// How many requests may be under way.
    pub at_once: usize,
}

/// The HTTP client.
pub struct Client {
    tls: TlsConnector,
    /// For the operator's own networks, where more is believed there.
    tls_in_own_networks: Option<TlsConnector>,
    reach: Reach,
    limits: Limits,
    places: Semaphore,
}

impl Client {
    /// A client that trusts the public certificate authorities.
    pub fn new(limits: Limits) -> Result<Self, rustls::Error> {
        Self::trusting(Authorities::public(), limits)
    }

    /// A client for addresses that somebody else has named.
    pub fn reaching(reach: Reach, authorities: Authorities, limits: Limits) -> Result<Self, rustls::Error> {
        Ok(Self { reach, ..Self::trusting(authorities, limits)? })
    }

    /// Whether requests may go there, as far as the URL itself tells: its name may lead elsewhere yet.
    pub fn may_reach(&self, url: &OutboundUrl) -> bool {
        match url.host.parse::<IpAddr>() {
            Ok(address) => self.reach.allows(address),
            Err(_) if is_this_machine(&url.host) => LOOPBACK.iter().any(|address| self.reach.allows(*address)),
            Err(_) => true,
        }
    }

    /// A client that trusts these.
    pub(super) fn trusting(authorities: Authorities, limits: Limits) -> Result<Self, rustls::Error> {
        let tls = connector(authorities.everywhere)?;
        let tls_in_own_networks = authorities.in_own_networks.map(connector).transpose()?;
        let places = Semaphore::new(limits.at_once);
        Ok(Self { tls, tls_in_own_networks, reach: Reach::Anywhere, limits, places })
    }

    /// Status and body of `GET base/end`. Redirects are answers like any other.
    pub async fn get(
        &self,
        base: &OutboundUrl,
        end: &str,
        headers: &[(header::HeaderName, HeaderValue)],
    ) -> Result<(http::StatusCode, Bytes), OutboundError> {
        let request = Request::get(format!("{}{end}", base.path));
        self.ask(base, request, headers, Full::default()).await
    }

    /// Status and body of `POST url` with this body. Redirects are answers like any other.
    pub async fn post(
        &self,
        url: &OutboundUrl,
        headers: &[(header::HeaderName, HeaderValue)],
        body: Vec<u8>,
    ) -> Result<(http::StatusCode, Bytes), OutboundError> {
        self.ask(url, Request::post(&url.path), headers, Full::from(body)).await
    }

    async fn ask(
        &self,
        base: &OutboundUrl,
        mut request: http::request::Builder,
        headers: &[(header::HeaderName, HeaderValue)],
        body: Full<Bytes>,
    ) -> Result<(http::StatusCode, Bytes), OutboundError> {
        let asked = async {
            let _place = self.places.acquire().await.map_err(|closed| OutboundError::Exchange(Box::new(closed)))?;
            request = request.header(header::HOST, &base.authority).header(header::USER_AGENT, USER_AGENT);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let request = request.body(body).map_err(|error| OutboundError::Exchange(Box::new(error)))?;
            let (stream, address) = self.connect(base).await?;
            self.converse(stream, address, base, request).await
        };
        tokio::time::timeout(self.limits.time, asked).await.map_err(|_| OutboundError::TooLate)?
    }

    /// A connection to one of the addresses that the name leads to, and which. It is looked up once, so that what is
    /// judged is what is connected to.
    #[expect(clippy::disallowed_methods, reason = "the one client")]
    async fn connect(&self, to: &OutboundUrl) -> Result<(TcpStream, IpAddr), OutboundError> {
        let found = lookup_host((to.host.as_str(), to.port)).await.map_err(OutboundError::Connect)?;
        let allowed: Vec<SocketAddr> = found.filter(|address| self.reach.allows(address.ip())).collect();
        if allowed.is_empty() {
            return Err(OutboundError::OutOfReach);
        }
        let stream = TcpStream::connect(allowed.as_slice()).await.map_err(OutboundError::Connect)?;
        let address = stream.peer_addr().map_err(OutboundError::Connect)?.ip();
        Ok((stream, address))
    }

    /// Asks over a connection to this address, by TLS unless the URL says otherwise.
    pub(super) async fn converse(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        address: IpAddr,
        base: &OutboundUrl,
        request: Request<Full<Bytes>>,
    ) -> Result<(http::StatusCode, Bytes), OutboundError> {
        let Some(name) = &base.tls_name else {
            return self.exchange(stream, request).await;
        };
        // Each has its own memory of sessions: none begun where more is believed goes on elsewhere.
        let tls = match &self.tls_in_own_networks {
            Some(tls) if self.reach.is_own(address) => tls,
            _ => &self.tls,
        };
        let stream = tls.connect(name.clone(), stream).await.map_err(OutboundError::Connect)?;
        self.exchange(stream, request).await
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        request: Request<Full<Bytes>>,
    ) -> Result<(http::StatusCode, Bytes), OutboundError> {
        let failed = |error: hyper::Error| OutboundError::Exchange(Box::new(error));
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
        let asked = async {
            let (head, body) = sender.send_request(request).await.map_err(failed)?.into_parts();
            let body = Limited::new(body, self.limits.bytes).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() { OutboundError::TooLong } else { OutboundError::Exchange(error) }
            })?;
            Ok((head.status, body.to_bytes()))
        };
        // The connection is driven here and ends with this request: no task outlives it.
        tokio::pin!(asked);
        tokio::select! {
            biased;
            answered = &mut asked => answered,
            ended = connection => match ended {
                // It ends before the body is read when the other side closes it; what was sent is still here.
                Ok(()) => asked.await,
                Err(error) => Err(failed(error)),
            },
        }
    }
}

/// Believes these, and remembers the sessions it begins.
fn connector(roots: RootCertStore) -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// `localhost` and whatever ends with it, which never leaves this machine (RFC 6761 section 6.3).
fn is_this_machine(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("limits", &self.limits).finish_non_exhaustive()
    }
}
