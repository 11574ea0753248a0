//! The check as a layer in front of a service (tower).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::refusal::{Refusal, Scheme};
use crate::requirement::Requirement;
use crate::verifier::{AccessToken, Verifier};

impl Verifier {
    /// A layer that lets requests with a good token through, and puts the [`AccessToken`] into their extensions. The
    /// others are answered with 401, or 503 while nobody can tell (RFC 6750 section 3).
    pub fn layer(&self) -> VerifyLayer {
        VerifyLayer { verifier: self.clone(), anonymous: false }
    }

    /// A layer that also lets requests without a token through. One with a bad token is refused all the same.
    pub fn layer_for_some(&self) -> VerifyLayer {
        VerifyLayer { verifier: self.clone(), anonymous: true }
    }
}

/// Made by [`Verifier::layer`].
#[derive(Clone, Debug)]
pub struct VerifyLayer {
    verifier: Verifier,
    anonymous: bool,
}

impl<S> Layer<S> for VerifyLayer {
    type Service = Verify<S>;

    fn layer(&self, inner: S) -> Verify<S> {
        Verify { layer: self.clone(), inner }
    }
}

/// A service behind the check.
#[derive(Clone, Debug)]
pub struct Verify<S> {
    layer: VerifyLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Verify<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<Bytes> + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The service that is ready is this one; the clone is not.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let VerifyLayer { verifier, anonymous } = self.layer.clone();
        Box::pin(async move {
            match verifier.verify_request(request.method(), request.uri(), request.headers()).await {
                Ok(token) => {
                    request.extensions_mut().insert(token);
                    inner.call(request).await
                }
                Err(Refusal::Missing) if anonymous => inner.call(request).await,
                Err(refusal) => {
                    tracing::debug!(%refusal, "a request was refused");
                    Ok(refusal.to_response(verifier.scheme(request.headers())))
                }
            }
        })
    }
}

impl Requirement {
    /// A layer that lets only requests through whose token has all of this. It belongs inside of the one that checks
    /// the token; without that one every request is refused.
    pub fn layer(self) -> RequireLayer {
        RequireLayer(std::sync::Arc::new(self))
    }
}

/// Made by [`Requirement::layer`].
#[derive(Clone, Debug)]
pub struct RequireLayer(std::sync::Arc<Requirement>);

impl<S> Layer<S> for RequireLayer {
    type Service = Require<S>;

    fn layer(&self, inner: S) -> Require<S> {
        Require { requirement: std::sync::Arc::clone(&self.0), inner }
    }
}

/// A service behind a requirement.
#[derive(Clone, Debug)]
pub struct Require<S> {
    requirement: std::sync::Arc<Requirement>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Require<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = RequireFuture<S::Future, R>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let scheme = if request.headers().contains_key("dpop") { Scheme::Dpop } else { Scheme::Bearer };
        let refusal = match request.extensions().get::<AccessToken>() {
            Some(token) => self.requirement.check(token).err(),
            None => Some(Refusal::Missing),
        };
        match refusal {
            None => RequireFuture { allowed: Some(self.inner.call(request)), refused: None },
            Some(refusal) => RequireFuture { allowed: None, refused: Some(refusal.to_response(scheme)) },
        }
    }
}

pin_project! {
    /// The answer of a service behind a requirement: its own, or a refusal.
    #[derive(Debug)]
    pub struct RequireFuture<F, R> {
        #[pin]
        allowed: Option<F>,
        refused: Option<Response<R>>,
    }
}

impl<F, R, E> Future for RequireFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        match (this.refused.take(), this.allowed.as_pin_mut()) {
            (Some(response), _) => Poll::Ready(Ok(response)),
            (None, Some(future)) => future.poll(context),
            // Asked again after the refusal was given: no answer is left.
            (None, None) => Poll::Pending,
        }
    }
}
