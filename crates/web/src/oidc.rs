//! The endpoints of OAuth 2 and OpenID Connect: each reads parameters, calls one use case, and presents what comes back in
//! the form the standards ask for.

mod account;
mod answer;
mod authorize;
mod consent;
mod discovery;
mod introspect;
mod logout;
mod pushed;
mod revoke;
mod token;
mod userinfo;
pub(crate) mod way_back;

use doorward_app::oauth::paths;
use http::Method;

use crate::route::{Access, CacheClass, CorsRule, CsrfRule, Door, Endpoint, RateClass, Route, endpoint};
use crate::site::Site;

pub(crate) use answer::problem_document;

/// How long others may keep the discovery documents, in seconds.
const DISCOVERY_SECONDS: u32 = 300;

/// What clients call.
fn call(method: Method, path: &'static str, rate: RateClass, csrf: CsrfRule, handler: Endpoint<Site>) -> Route<Site> {
    Route {
        method,
        path,
        door: Door::OAuth,
        access: Access::Public,
        rate,
        csrf,
        cache: CacheClass::NoStore,
        cors: CorsRule::ClientOrigins,
        retires: None,
        handler,
    }
}

/// What people come to.
fn page(method: Method, access: Access, csrf: CsrfRule, handler: Endpoint<Site>) -> Route<Site> {
    Route {
        method,
        path: paths::AUTHORIZE,
        door: Door::PopupPage,
        access,
        rate: RateClass::Read,
        csrf,
        cache: CacheClass::NoStore,
        cors: CorsRule::Closed,
        retires: None,
        handler,
    }
}

/// What describes the rest.
fn describe(path: &'static str) -> Route<Site> {
    Route {
        method: Method::GET,
        path,
        door: Door::Metadata,
        access: Access::Public,
        rate: RateClass::Metadata,
        csrf: CsrfRule::Safe,
        cache: CacheClass::PublicFor(DISCOVERY_SECONDS),
        cors: CorsRule::ClientOrigins,
        retires: None,
        handler: endpoint(discovery::show),
    }
}

/// Every endpoint.
pub fn routes() -> Vec<Route<Site>> {
    let without_cookies = CsrfRule::WithoutCookies;
    vec![
        describe("/.well-known/openid-configuration"),
        describe("/.well-known/oauth-authorization-server"),
        page(Method::GET, Access::Optional, CsrfRule::Safe, endpoint(authorize::show)),
        page(Method::POST, Access::Public, without_cookies, endpoint(authorize::forward)),
        Route {
            path: paths::ACCOUNT,
            rate: RateClass::Write,
            ..page(Method::POST, Access::Optional, CsrfRule::PublicForm, endpoint(account::answer))
        },
        // The form carries what only the page of this browser, person and session has: see the handler.
        Route {
            path: paths::CONSENT,
            rate: RateClass::Write,
            ..page(Method::POST, Access::Optional, CsrfRule::PublicForm, endpoint(consent::answer))
        },
        Route { path: paths::LOGOUT, ..page(Method::GET, Access::Optional, CsrfRule::Safe, endpoint(logout::show)) },
        Route { path: paths::LOGOUT, ..page(Method::POST, Access::Public, without_cookies, endpoint(logout::forward)) },
        Route {
            path: paths::CONFIRM_LOGOUT,
            rate: RateClass::Write,
            ..page(Method::POST, Access::Optional, CsrfRule::PublicForm, endpoint(logout::confirm))
        },
        // Whole applications come from one address.
        call(Method::POST, paths::PUSHED, RateClass::Renewal, without_cookies, endpoint(pushed::create)),
        call(Method::POST, paths::TOKEN, RateClass::Renewal, without_cookies, endpoint(token::create)),
        call(Method::POST, paths::REVOKE, RateClass::Renewal, without_cookies, endpoint(revoke::create)),
        // Services ask from their servers.
        Route {
            cors: CorsRule::Closed,
            ..call(Method::POST, paths::INTROSPECT, RateClass::Renewal, without_cookies, endpoint(introspect::show))
        },
        call(Method::GET, paths::USERINFO, RateClass::Renewal, CsrfRule::Safe, endpoint(userinfo::show)),
        call(Method::POST, paths::USERINFO, RateClass::Renewal, without_cookies, endpoint(userinfo::show)),
    ]
}
