//! The route table: checked when it is made, walked by tests, turned into the router.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use http::Method;
use http::header::ALLOW;
use thiserror::Error;

use crate::edge::{Arrival, Edge, wrap, wrap_any};
use crate::gateway::Gateway;
use crate::problem::{Code, Problem};
use crate::route::{CorsRule, Route, RouteInfo};

/// A table that must not be served.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidTable {
    /// A route contradicts itself.
    #[error("{method} {path}: {why}")]
    Contradiction {
        /// Its method.
        method: Method,
        /// Its path.
        path: &'static str,
        /// What does not fit.
        why: &'static str,
    },
    /// Two routes for one method and path.
    #[error("{method} {path} is routed twice")]
    Twice {
        /// The method.
        method: Method,
        /// The path.
        path: &'static str,
    },
}

/// All routes of the public listener.
pub struct RouteTable<G> {
    routes: Vec<Route<G>>,
}

impl<G: Gateway> RouteTable<G> {
    /// A table of routes that do not contradict themselves or each other.
    pub fn new(routes: Vec<Route<G>>) -> Result<Self, InvalidTable> {
        for (index, route) in routes.iter().enumerate() {
            let info = route.info();
            let (method, path) = (info.method.clone(), info.path);
            if let Some(why) = info.contradiction() {
                return Err(InvalidTable::Contradiction { method, path, why });
            }
            if routes[..index].iter().any(|earlier| earlier.method == method && earlier.path == path) {
                return Err(InvalidTable::Twice { method, path });
            }
        }
        Ok(Self { routes })
    }

    /// Every route's decisions, in the order of the table.
    pub fn list(&self) -> Vec<RouteInfo> {
        self.routes.iter().map(Route::info).collect()
    }

    /// The router: each route, each other method of a path, and every other path run through the edge.
    pub fn into_router(self, edge: &Arc<Edge<G>>) -> Router {
        let mut paths: BTreeMap<&'static str, Vec<Route<G>>> = BTreeMap::new();
        for route in self.routes {
            paths.entry(route.path).or_default().push(route);
        }
        let mut router = Router::new();
        for (path, routes) in paths {
            router = router.route(path, path_router(edge, routes));
        }
        let nothing = wrap_any(edge, Arrival::Nowhere, nowhere);
        router.fallback_service(nothing.with_state(edge.gateway.clone())).with_state(edge.gateway.clone())
    }
}

/// The answer where nothing is: 404, and 405 for methods that exist nowhere.
async fn nowhere(method: Method) -> Response {
    let is_known =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    if is_known.contains(&method) {
        Problem::new(Code::NotFound).into_response()
    } else {
        ([(ALLOW, "")], Problem::new(Code::MethodNotAllowed)).into_response()
    }
}

fn path_router<G: Gateway>(edge: &Arc<Edge<G>>, routes: Vec<Route<G>>) -> MethodRouter<G> {
    let infos: Vec<RouteInfo> = routes.iter().map(Route::info).collect();
    let Some(first) = infos.first().cloned() else { return MethodRouter::new() };
    let opened = infos.iter().filter(|info| info.cors != CorsRule::Closed);
    let are_clients = infos.iter().any(|info| info.cors == CorsRule::ClientOrigins);
    let cors_methods = opened.map(|info| info.method.clone()).collect();
    let allow = allowed_methods(&infos);
    let refuse = async move || ([(ALLOW, allow)], Problem::new(Code::MethodNotAllowed));
    let mut methods = wrap_any(edge, Arrival::OtherMethod { path: first, cors_methods, are_clients }, refuse);
    for (route, info) in routes.into_iter().zip(infos) {
        let inner = route.handler.into_method_router(filter(&info.method));
        methods = methods.merge(wrap(edge, Arrival::Route(info), inner));
    }
    methods
}

/// The contradiction check lets no other method into a table.
fn filter(method: &Method) -> MethodFilter {
    match *method {
        Method::POST => MethodFilter::POST,
        Method::PUT => MethodFilter::PUT,
        Method::PATCH => MethodFilter::PATCH,
        Method::DELETE => MethodFilter::DELETE,
        _ => MethodFilter::GET,
    }
}

fn allowed_methods(infos: &[RouteInfo]) -> String {
    let mut methods: Vec<&str> = infos.iter().map(|info| info.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.join(", ")
}
