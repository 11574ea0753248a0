//! The HTTP client that comes with this library.

mod resolver;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
#[expect(clippy::disallowed_types, reason = "the one client of this library, which has no server beside it")]
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use self::resolver::HonestLocalhost;
use super::{Answer, ClientError, HttpClient, Limits};
use crate::address;

/// A connection that does not come about in this time does not at all.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long a connection is kept for the next request.
const IDLE_TIME: Duration = Duration::from_mins(1);
/// Status line and headers of an answer.
const HEAD_BYTES: usize = 64 * 1024;
/// More headers are an error.
const HEADERS: usize = 100;

type Connector = HttpsConnector<HttpConnector<HonestLocalhost<GaiResolver>>>;

/// HTTP/1.1 over rustls. It goes where it is told and no further: it follows no redirects, looks into no environment
/// for proxies, and speaks without TLS only to this machine. Cheap to clone; all clones share their connections.
#[derive(Clone, Debug)]
pub struct HyperClient {
    #[expect(clippy::disallowed_types, reason = "the one client of this library")]
    inner: Client<Connector, Full<Bytes>>,
}

/// Certificates that cannot be trusted, or a system without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// There is no certificate in it, or one that cannot be read.
    #[error("there is no readable certificate")]
    Certificate,
    /// No certificate authority is trusted.
    #[error("no certificate authority is trusted")]
    NoRoots,
    /// The library of cryptography offers no usable version of TLS.
    #[error("TLS cannot be set up")]
    Setup,
}

impl HyperClient {
    /// Trusts the authorities that browsers trust.
    pub fn new() -> Result<Self, TlsError> {
        Self::builder().build()
    }

    /// Trusts the authorities that browsers trust, and others.
    pub fn builder() -> HyperClientBuilder {
        HyperClientBuilder { roots: RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() } }
    }

    async fn exchange(&self, request: Request<Bytes>, most_bytes: usize) -> Result<Response<Bytes>, ClientError> {
        let answer = self.inner.request(request.map(Full::new)).await.map_err(|_| ClientError::Connection)?;
        let (head, body) = answer.into_parts();
        match Limited::new(body, most_bytes).collect().await {
            Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(ClientError::TooLong),
            Err(_) => Err(ClientError::Connection),
        }
    }
}

impl HttpClient for HyperClient {
    fn send(&self, request: Request<Bytes>, limits: Limits) -> Answer<'_> {
        Box::pin(async move {
            if !address::is_allowed(request.uri()) {
                return Err(ClientError::Address);
            }
            match tokio::time::timeout(limits.time, self.exchange(request, limits.body_bytes)).await {
                Ok(answer) => answer,
                Err(_) => Err(ClientError::Timeout),
            }
        })
    }
}

/// Which certificate authorities a [`HyperClient`] trusts.
#[derive(Clone, Debug)]
pub struct HyperClientBuilder {
    roots: RootCertStore,
}

impl HyperClientBuilder {
    /// Trusts no authority but those that are named from here on.
    #[must_use]
    pub fn without_public_authorities(mut self) -> Self {
        self.roots = RootCertStore::empty();
        self
    }

    /// Trusts every authority of a PEM file as well. A file without certificates is an error: it is a mistake.
    pub fn trust_pem(mut self, pem: &[u8]) -> Result<Self, TlsError> {
        let mut count = 0_usize;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self = self.trust(certificate.map_err(|_| TlsError::Certificate)?)?;
            count = count.saturating_add(1);
        }
        if count == 0 { Err(TlsError::Certificate) } else { Ok(self) }
    }

    /// Trusts one authority as well.
    pub fn trust_der(self, certificate: &[u8]) -> Result<Self, TlsError> {
        self.trust(CertificateDer::from(certificate))
    }

    /// The client.
    pub fn build(self) -> Result<HyperClient, TlsError> {
        if self.roots.is_empty() {
            return Err(TlsError::NoRoots);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| TlsError::Setup)?
            .with_root_certificates(self.roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new_with_resolver(HonestLocalhost(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIME));
        tcp.set_nodelay(true);
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
        #[expect(clippy::disallowed_types, reason = "the one client of this library")]
        let inner = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(2)
            .http1_max_buf_size(HEAD_BYTES)
            .http1_max_headers(HEADERS)
            .build(connector);
        Ok(HyperClient { inner })
    }

    fn trust(mut self, certificate: CertificateDer<'_>) -> Result<Self, TlsError> {
        self.roots.add(certificate.into_owned()).map_err(|_| TlsError::Certificate)?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
