//! What handlers take from a request besides its body.

mod list_query;

use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts, Path};
use axum::response::{IntoResponseParts, ResponseParts};
use doorward_app::authentication::Principal;
use doorward_app::oauth::ClientId;
use doorward_model::id::{Id, Kind};
use doorward_model::secret::PlainToken;
use http::HeaderValue;
use http::header::{self, HeaderName};
use http::request::Parts;

pub use self::list_query::ListQuery;
use crate::cookies::PreNonce;
use crate::csrf::{self, Source};
use crate::edge::context::RequestContext;
use crate::problem::{Code, Problem};

/// The operation: who acts, when, from where. Handlers hand it to the use case.
#[derive(Clone, Debug)]
pub struct Op(pub doorward_app::op::Op);

/// Whoever is signed in. On a route with [`crate::route::Access::Public`] nobody is.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Principal);

/// Whoever is signed in, if anybody is: for routes with [`crate::route::Access::Optional`].
#[derive(Clone, Debug)]
pub struct MaybeSignedIn(pub Option<Principal>);

/// The session cookie as sent, unchecked: for calls that take it as one of several credentials. None when an
/// `Authorization` header came along, which then counts alone.
#[derive(Clone, Debug)]
pub struct SessionCookie(pub Option<PlainToken>);

/// The text of the known-device cookie as sent, for the application to unseal.
#[derive(Clone)]
pub struct DeviceCookie(pub Option<zeroize::Zeroizing<String>>);

/// The text of the language-and-appearance cookie as sent.
#[derive(Clone, Debug)]
pub struct UiCookie(pub Option<String>);

/// The nonce of the browser before sign-in; asking for it makes sure the browser has one.
#[derive(Clone, Debug)]
pub struct PreCookie(pub PreNonce);

/// The token for the field `csrf_token` of a form before sign-in; asking for it makes sure the browser has the
/// cookie it belongs to.
#[derive(Clone, Debug)]
pub struct PublicFormToken(pub PlainToken);

/// The token that belongs to the session cookie: for the field `csrf_token` of a form after sign-in, and for the header
/// `X-CSRF-Token`. A request without the cookie (with a Bearer token, say) is refused as forbidden; take
/// `Option<SessionFormToken>` where that may be.
#[derive(Clone, Debug)]
pub struct SessionFormToken(pub PlainToken);

/// The nonce that a `<script>` of this page must carry.
#[derive(Clone, Debug)]
pub struct ScriptNonce(pub String);

/// Where a checked unsafe request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// None for safe requests and Bearer requests, which are not checked.
    pub source: Option<Source>,
    /// Whether a refresh token may be handed out: the caller is no browser, or of a listed origin.
    pub may_hold_refresh_tokens: bool,
    /// Whether a session cookie may be set: a script of another origin must not.
    pub may_receive_cookies: bool,
}

/// The id in the path (the parameter `{id}` or the only one). What is no id of this kind does not exist: 404.
#[derive(Clone, Copy, Debug)]
pub struct PathId<K: Kind>(pub Id<K>);

/// The client in the path: an id that was drawn, or one that an operator chose. What cannot be one does not exist: 404.
#[derive(Clone, Debug)]
pub struct PathClient(pub ClientId);

/// Adds `Set-Cookie` headers to an answer: `(SetCookies(vec![…]), Json(…))`.
#[derive(Clone, Debug)]
pub struct SetCookies(pub Vec<HeaderValue>);

impl IntoResponseParts for SetCookies {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        for cookie in self.0 {
            parts.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(parts)
    }
}

/// `Clear-Site-Data` for answers to signing out.
pub const CLEAR_SITE_DATA: (HeaderName, HeaderValue) =
    (HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\", \"storage\""));

pub(crate) fn context(parts: &Parts) -> Result<&Arc<RequestContext>, Problem> {
    // Every route runs through the edge, which put it there; a router built around it answers 500.
    parts.extensions.get().ok_or_else(|| Code::InternalError.into())
}

macro_rules! from_context {
    ($($name:ty, |$context:ident| $value:expr;)*) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                let $context = context(parts)?;
                $value
            }
        }
    )*};
}

from_context! {
    Op, |context| Ok(Self(context.op()));
    SignedIn, |context| context.principal().cloned().map(Self).ok_or_else(|| Code::InvalidToken.into());
    MaybeSignedIn, |context| Ok(Self(context.principal().cloned()));
    SessionCookie, |context| Ok(Self(context.session_cookie().cloned()));
    DeviceCookie, |context| Ok(Self(context.cookies.device.clone()));
    UiCookie, |context| Ok(Self(context.cookies.ui.clone()));
    PreCookie, |context| Ok(Self(context.pre_nonce().clone()));
    PublicFormToken, |context| Ok(Self(csrf::pre_token(context.pre_nonce())));
    SessionFormToken, |context| {
        context.session_cookie().map(|cookie| Self(csrf::session_token(cookie))).ok_or_else(|| Code::Forbidden.into())
    };
    ScriptNonce, |context| Ok(Self(context.nonce().to_owned()));
    Caller, |context| Ok(Self {
        source: context.source(),
        may_hold_refresh_tokens: context.may_hold_refresh_tokens(),
        may_receive_cookies: context.source() != Some(Source::ListedOrigin),
    });
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for SessionFormToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        Ok(context(parts)?.session_cookie().map(|cookie| Self(csrf::session_token(cookie))))
    }
}

impl<K: Kind, S: Send + Sync> FromRequestParts<S> for PathId<K> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Id::parse(&path_text(parts, state).await?).map(Self).map_err(|_| Code::NotFound.into())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathClient {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        ClientId::parse(&path_text(parts, state).await?).map(Self).map_err(|_| Code::NotFound.into())
    }
}

async fn path_text<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Problem> {
    let path = <Path<String> as FromRequestParts<S>>::from_request_parts(parts, state).await;
    path.map(|Path(text)| text).map_err(|_| Code::NotFound.into())
}
