//! The token as an argument of an axum handler.

use std::fmt;

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::refusal::{Reason, Refusal, Scheme};
use crate::verifier::AccessToken;

/// So that handlers can end with `requirement.check(&token)?`.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.to_response::<Body>(Scheme::Bearer)
    }
}

/// The token that the layer let through. Without the layer there is none, and the request is refused.
impl<S: Sync> FromRequestParts<S> for AccessToken {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or(Refusal::Missing)
    }
}

/// Some requests come without, behind [`Verifier::layer_for_some`](crate::Verifier::layer_for_some).
impl<S: Sync> OptionalFromRequestParts<S> for AccessToken {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

/// The claims in a type of your own. A token that does not fit it is refused.
///
/// ```
/// use doorward_verify::TypedClaims;
///
/// #[derive(serde::Deserialize)]
/// struct Staff {
///     sub: String,
///     department: String,
/// }
///
/// async fn greet(TypedClaims(staff): TypedClaims<Staff>) -> String {
///     format!("{} of {}", staff.sub, staff.department)
/// }
/// ```
#[derive(Clone, Copy)]
pub struct TypedClaims<T>(pub T);

impl<T> fmt::Debug for TypedClaims<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TypedClaims").finish_non_exhaustive()
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for TypedClaims<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let token = parts.extensions.get::<AccessToken>().ok_or(Refusal::Missing)?;
        token.claims().deserialize().map(Self).map_err(|error| {
            tracing::debug!(%error, "the claims of a token do not fit the type of a handler");
            Reason::Malformed.into()
        })
    }
}
