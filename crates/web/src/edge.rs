//! What happens to every request, in this order:
//!
//! 1. `present` (outermost): request id, time, client address, cookies; log span; afterwards the answer gets its
//!    form, its headers, its log line and its metrics;
//! 2. the deadline (30 s → 503);
//! 3. the panic net (→ 500);
//! 4. `guard`: URL, headers, host, body size and encoding; limits for strangers; origin and CSRF header; who is
//!    asking; limits for the signed-in; form token;
//! 5. the handler.
//!
//! Every route runs through exactly this, and so do paths and methods that do not exist.

mod address;
mod authenticate;
pub(crate) mod context;
mod cors;
mod guard;
pub(crate) mod headers;
pub(crate) mod limits;
mod observe;
mod present;
mod shape;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use http::Method;

pub use self::headers::{FormActionOrigin, SharedCopy};
pub(crate) use self::observe::RefusedWith;

use crate::gateway::Gateway;
use crate::rate_limit::RateLimits;
use crate::route::RouteInfo;
use crate::settings::EdgeSettings;

/// The largest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// The longest path and query, in bytes.
pub const MAX_URI_BYTES: usize = 8 * 1024;
/// The largest sum of header names and values, in bytes.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;
/// The most headers.
pub const MAX_HEADERS: usize = 100;

/// The peer's address, as the server that accepted the connection knows it: it puts this into the request's
/// extensions.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub SocketAddr);

/// The application, the settings and the counters: what all routes share.
pub struct Edge<G> {
    /// The application.
    pub gateway: G,
    /// What the operator decided.
    pub settings: EdgeSettings,
    /// The request-rate counters; sweep them once a minute.
    pub limits: RateLimits,
}

impl<G: Gateway> Edge<G> {
    /// An edge with fresh counters.
    pub fn new(gateway: G, settings: EdgeSettings) -> Self {
        let limits = RateLimits::new(settings.limit_scale);
        Self { gateway, settings, limits }
    }
}

/// The place in the table a request arrived at.
pub(crate) enum Arrival {
    /// A route.
    Route(RouteInfo),
    /// A path of the table, with a method it does not have.
    OtherMethod {
        /// A route of that path, for the door.
        path: RouteInfo,
        /// The methods whose answers origins that are allowed may read.
        cors_methods: Vec<Method>,
        /// Whether origins of clients count among them.
        are_clients: bool,
    },
    /// A path that is not in the table.
    Nowhere,
}

/// An arrival together with what all share.
pub(crate) struct Station<G> {
    pub(crate) edge: Arc<Edge<G>>,
    pub(crate) arrival: Arrival,
    pub(crate) meters: observe::Meters,
}

/// Wraps handlers with everything above.
pub(crate) fn wrap<G: Gateway>(edge: &Arc<Edge<G>>, arrival: Arrival, inner: MethodRouter<G>) -> MethodRouter<G> {
    let station = Arc::new(Station { edge: Arc::clone(edge), arrival, meters: observe::Meters::default() });
    // One layer for everything: each costs a request several allocations.
    inner.layer(from_fn_with_state(station, present::present::<G>))
}

/// The same for a handler that is not routed by method.
pub(crate) fn wrap_any<G, H, T>(edge: &Arc<Edge<G>>, arrival: Arrival, handler: H) -> MethodRouter<G>
where
    G: Gateway,
    H: Handler<T, G>,
    T: 'static,
{
    wrap(edge, arrival, axum::routing::any(handler))
}
