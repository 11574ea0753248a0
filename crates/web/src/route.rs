//! One entry of the route table: everything that must be decided about a route before it may exist.

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use doorward_model::time::Timestamp;
use http::Method;

use crate::gateway::Gateway;

/// Which front door a route belongs to; decides the form of its errors and its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The JSON API: errors are `application/problem+json`.
    Api,
    /// Pages: errors are HTML, a missing sign-in leads to the sign-in page.
    Page,
    /// Pages that applications may open in a pop-up (authorize, sign-in, consent): as `Page`, but without
    /// the opener isolation that would cut the pop-up from its opener.
    PopupPage,
    /// What clients of OAuth 2 call: errors in the form of RFC 6749 section 5.2.
    OAuth,
    /// Public files for machines and browsers (JWKS, discovery, stylesheets): errors as in the API.
    Metadata,
}

impl Door {
    /// Whether errors are HTML.
    pub fn is_page(self) -> bool {
        matches!(self, Self::Page | Self::PopupPage)
    }
}

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody; credentials are not looked at.
    Public,
    /// Everybody; whoever is signed in is known as such. A dead cookie counts as none, an invalid Bearer is refused.
    Optional,
    /// Whoever holds a live session, by its cookie or by an access token.
    Session,
    /// As `Session`, and an administrator of the deployment.
    AdminSession,
}

/// Which limits a route counts against; see [`crate::rate_limit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Stylesheets, scripts, images.
    Static,
    /// Public documents for machines.
    Metadata,
    /// Looking at something.
    Read,
    /// Changing something.
    Write,
    /// Proving who one is, or starting to: passwords, codes, links, sign-ups.
    Credential,
    /// Renewing an access token.
    Renewal,
}

/// What a request must show so that no other site can have made the browser send it; see [`crate::csrf`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsrfRule {
    /// GET and HEAD only: nothing, because nothing changes.
    Safe,
    /// JSON calls without cookie authority that may set a credential cookie (sign-in, sign-up …): sent by our
    /// own pages, or by something that is no browser.
    SameOrigin,
    /// JSON calls that the session cookie may authenticate: as `SameOrigin`, and with the session cookie the
    /// session-bound token in `X-CSRF-Token`. Bearer requests are exempt.
    SessionHeader,
    /// Forms before sign-in: as `SameOrigin`, and the token bound to the `pre` cookie in the field `csrf_token`.
    PublicForm,
    /// Forms after sign-in: as `SameOrigin`, and the session-bound token in the field `csrf_token`.
    SessionForm,
    /// Nothing, because nobody's cookie is looked at: what the request may do, it may do by what it brings in its body or
    /// its `Authorization` header. It may come from anywhere, and its answer sets no credential cookie.
    WithoutCookies,
}

/// What a cache may keep of a successful answer. Everything else is `no-store`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheClass {
    /// Nothing: whatever depends on who asks.
    NoStore,
    /// A copy that is checked before each use.
    Revalidate,
    /// A public copy for so many seconds.
    PublicFor(u32),
    /// A public copy for so many seconds of an answer that says so ([`crate::edge::SharedCopy`]), and nothing of others.
    SharedFor(u32),
    /// A public copy for ever: the name changes with the content.
    Immutable,
}

/// Whose scripts on other origins may read the answer. Never with cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorsRule {
    /// Nobody's.
    Closed,
    /// Those of the configured `[cors] token_origins`.
    TokenOrigins,
    /// Those, and those of registered clients that live in a browser.
    ClientOrigins,
}

/// That a route will go, as its callers are told: in its answers and in the API's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// Since when it should not be used any more (RFC 9745).
    pub deprecated_at: Timestamp,
    /// When it will be gone, if that is known (RFC 8594).
    pub sunset_at: Option<Timestamp>,
}

/// A handler that waits to be put into the router.
pub struct Endpoint<G>(Box<dyn FnOnce(MethodFilter) -> MethodRouter<G> + Send>);

/// Wraps an axum handler for [`Route::handler`].
pub fn endpoint<H, T, G>(handler: H) -> Endpoint<G>
where
    H: Handler<T, G>,
    T: 'static,
    G: Gateway,
{
    Endpoint(Box::new(move |filter| on(filter, handler)))
}

impl<G> Endpoint<G> {
    pub(crate) fn into_method_router(self, filter: MethodFilter) -> MethodRouter<G> {
        (self.0)(filter)
    }
}

/// One route. Every field is required: what is not decided does not compile.
pub struct Route<G> {
    /// The one method; HEAD comes with GET.
    pub method: Method,
    /// The path template, such as `/api/v1/sessions/{id}`.
    pub path: &'static str,
    /// The form of errors and headers.
    pub door: Door,
    /// Who may come in.
    pub access: Access,
    /// Which limits it counts against.
    pub rate: RateClass,
    /// What an unsafe request must show.
    pub csrf: CsrfRule,
    /// What caches may keep.
    pub cache: CacheClass,
    /// Whose scripts may read it.
    pub cors: CorsRule,
    /// Whether it will go.
    pub retires: Option<Retirement>,
    /// What runs.
    pub handler: Endpoint<G>,
}

/// A [`Route`] without its handler: what tests and documents walk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of Route")]
pub struct RouteInfo {
    pub method: Method,
    pub path: &'static str,
    pub door: Door,
    pub access: Access,
    pub rate: RateClass,
    pub csrf: CsrfRule,
    pub cache: CacheClass,
    pub cors: CorsRule,
    pub retires: Option<Retirement>,
}

impl<G> Route<G> {
    /// The route's decisions.
    pub fn info(&self) -> RouteInfo {
        RouteInfo {
            method: self.method.clone(),
            path: self.path,
            door: self.door,
            access: self.access,
            rate: self.rate,
            csrf: self.csrf,
            cache: self.cache,
            cors: self.cors,
            retires: self.retires,
        }
    }
}

impl RouteInfo {
    /// Why these decisions contradict each other, if they do.
    pub fn contradiction(&self) -> Option<&'static str> {
        let is_safe = self.method == Method::GET;
        let is_known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&self.method);
        let needs_session = matches!(self.access, Access::Session | Access::AdminSession);
        let is_form = matches!(self.csrf, CsrfRule::PublicForm | CsrfRule::SessionForm);
        if !is_known {
            Some("only GET, POST, PUT, PATCH and DELETE are routed")
        } else if is_safe != (self.csrf == CsrfRule::Safe) {
            Some("GET is Safe and nothing else is")
        } else if self.csrf == CsrfRule::WithoutCookies && self.access != Access::Public {
            Some("a call without cookies is open to everybody")
        } else if is_form != (self.door.is_page() && !is_safe) && self.csrf != CsrfRule::WithoutCookies {
            Some("pages are posted as forms, and only pages")
        } else if needs_session && matches!(self.csrf, CsrfRule::SameOrigin | CsrfRule::PublicForm) {
            Some("a call with cookie authority needs the session-bound token")
        } else if (self.access != Access::Public || self.door.is_page()) && self.cache != CacheClass::NoStore {
            Some("an answer that depends on who asks is not kept")
        } else if self.cors != CorsRule::Closed && self.door.is_page() {
            Some("pages are not read by other origins")
        } else if self.retires.is_some_and(|it| it.sunset_at.is_some_and(|sunset_at| sunset_at < it.deprecated_at)) {
            Some("a route is deprecated before it is gone")
        } else {
            None
        }
    }
}
