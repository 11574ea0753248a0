//! HTTP: the JSON API, the pages, the route table.
//!
//! A request runs through [`edge`] (one documented order of checks), meets a handler through the extractors in
//! [`extract`] and [`body`], and its answer is presented by the edge again: a handler returns values or a
//! [`problem::Problem`], never a hand-made error response.

pub mod api;
pub mod body;
pub mod cookies;
pub mod csrf;
pub mod edge;
pub mod extract;
pub mod gateway;
pub mod oidc;
pub mod openapi;
pub mod page_error;
pub mod pages;
pub mod problem;
pub mod rate_limit;
pub mod route;
pub mod route_table;
mod security_txt;
pub mod settings;
pub mod site;

use route::Route;
use site::Site;

/// The whole route table.
pub fn routes() -> Vec<Route<Site>> {
    let mut routes = api::routes();
    routes.extend(pages::routes());
    routes.extend(oidc::routes());
    routes.extend(security_txt::routes());
    routes
}

#[cfg(test)]
mod tests;
