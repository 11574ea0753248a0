//! The files pages load.

use axum::response::{IntoResponse, Response};
use http::{Method, header};

use super::views::{Asset, MARK, SCRIPT, STYLESHEET};
use crate::route::{Access, CacheClass, CorsRule, CsrfRule, Door, RateClass, Route, endpoint};
use crate::site::Site;

/// One route a file; the name holds a hash of the content.
pub(crate) fn routes() -> Vec<Route<Site>> {
    vec![
        route(Asset::path(&STYLESHEET), || send(&STYLESHEET)),
        route(Asset::path(&SCRIPT), || send(&SCRIPT)),
        route(Asset::path(&MARK), || send(&MARK)),
    ]
}

fn route(path: &'static str, answer: fn() -> Response) -> Route<Site> {
    Route {
        method: Method::GET,
        path,
        door: Door::Metadata,
        access: Access::Public,
        rate: RateClass::Static,
        csrf: CsrfRule::Safe,
        cache: CacheClass::Immutable,
        cors: CorsRule::Closed,
        retires: None,
        handler: endpoint(move || async move { answer() }),
    }
}

fn send(asset: &'static Asset) -> Response {
    ([(header::CONTENT_TYPE, asset.media_type)], asset.bytes).into_response()
}
