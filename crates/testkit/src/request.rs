//! Requests as tests write them.

use std::net::SocketAddr;

use axum::body::Body;
use doorward_web::edge::PeerAddress;
use http::{HeaderName, HeaderValue, Method, header};

use crate::world::HOST;

/// A request on its way.
pub struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    peer: SocketAddr,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<String>,
}

impl Request {
    /// A request from `address`.
    pub fn new(method: Method, path: &str, address: &str) -> Self {
        let peer = SocketAddr::new(address.parse().expect("an IP address"), 40_000);
        Self { method, path: path.to_owned(), peer, headers: Vec::new(), body: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn header<N: TryInto<HeaderName>>(mut self, name: N, value: &str) -> Self {
        let Ok(name) = name.try_into() else { panic!("no name of a header") };
        self.headers.push((name, HeaderValue::from_str(value).unwrap()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: String) -> Self {
        self.body = Some(body);
        self
    }

    /// The request as a listener would hand it on.
    pub(crate) fn build(self) -> http::Request<Body> {
        let mut request = http::Request::new(self.body.map_or_else(Body::empty, Body::from));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().expect("a path");
        let headers = request.headers_mut();
        if !self.headers.iter().any(|(name, _)| name == header::HOST) {
            headers.insert(header::HOST, HeaderValue::from_static(HOST));
        }
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        request.extensions_mut().insert(PeerAddress(self.peer));
        request
    }
}
