//! HTTP as this library needs it: small documents from an issuer, within a size and a time.

#[cfg(feature = "client")]
mod hyper;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use thiserror::Error;

#[cfg(feature = "client")]
pub use self::hyper::{HyperClient, HyperClientBuilder, TlsError};

/// What a request may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of an answer's body; a longer one is an error and is not read to its end.
    pub body_bytes: usize,
    /// From the first attempt to connect to the last byte.
    pub time: Duration,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answers there, TLS failed, or the connection broke.
    #[error("the connection failed")]
    Connection,
    /// It took too long.
    #[error("the answer did not come in time")]
    Timeout,
    /// It is longer than allowed.
    #[error("the answer is too long")]
    TooLong,
    /// The address cannot be asked: no `https`, or not loopback.
    #[error("the address is not https")]
    Address,
}

/// The answer to a request, some time.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, ClientError>> + Send + 'a>>;

/// Sends requests. It follows no redirects, keeps no cookies, and keeps to the limits.
pub trait HttpClient: Debug + Send + Sync + 'static {
    /// Sends one request and reads its answer.
    fn send(&self, request: Request<Bytes>, limits: Limits) -> Answer<'_>;
}
