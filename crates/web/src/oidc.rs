//! The endpoints of OAuth 2 and OpenID Connect: each reads parameters, calls one use case, and presents what comes back in
//! the form the standards ask for.

mod account;
mod answer;
mod authorize;
mod bearer;
mod consent;
mod device;
mod discovery;
mod introspect;
mod logout;
mod pushed;
mod register;
mod revocations;
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

/// How long others may keep a page of the feed of revocations where it is public, in seconds.
const FEED_SECONDS: u32 = 1;

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
    let mut routes = pages();
    routes.extend(registration());
    routes.extend([
        describe("/.well-known/openid-configuration"),
        describe("/.well-known/oauth-authorization-server"),
        Route {
            cors: CorsRule::Closed,
            ..call(
                Method::POST,
                paths::DEVICE_AUTHORIZATION,
                RateClass::Renewal,
                without_cookies,
                endpoint(device::create),
            )
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
        Route {
            cors: CorsRule::Closed,
            cache: CacheClass::SharedFor(FEED_SECONDS),
            ..call(Method::GET, paths::REVOCATIONS, RateClass::Renewal, CsrfRule::Safe, endpoint(revocations::show))
        },
        call(Method::GET, paths::USERINFO, RateClass::Renewal, CsrfRule::Safe, endpoint(userinfo::show)),
        call(Method::POST, paths::USERINFO, RateClass::Renewal, without_cookies, endpoint(userinfo::show)),
    ]);
    routes
}

/// What clients manage their own registration with.
fn registration() -> Vec<Route<Site>> {
    // A registration is made by a program that runs somewhere else than in a page.
    let closed = |method, path, csrf, handler| Route {
        cors: CorsRule::Closed,
        ..call(method, path, RateClass::Credential, csrf, handler)
    };
    let without_cookies = CsrfRule::WithoutCookies;
    vec![
        closed(Method::POST, paths::REGISTER, without_cookies, endpoint(register::create)),
        closed(Method::GET, paths::REGISTERED, CsrfRule::Safe, endpoint(register::show)),
        closed(Method::PUT, paths::REGISTERED, without_cookies, endpoint(register::update)),
        closed(Method::DELETE, paths::REGISTERED, without_cookies, endpoint(register::delete)),
    ]
}

/// What people see on the way: applications may open it in a pop-up.
fn pages() -> Vec<Route<Site>> {
    let page = |method, path, (access, rate, csrf), handler| Route {
        method,
        path,
        door: Door::PopupPage,
        access,
        rate,
        csrf,
        cache: CacheClass::NoStore,
        cors: CorsRule::Closed,
        retires: None,
        handler,
    };
    let shown = (Access::Optional, RateClass::Read, CsrfRule::Safe);
    let forwarded = (Access::Public, RateClass::Read, CsrfRule::WithoutCookies);
    // Codes of devices are short.
    let guessed = (Access::Optional, RateClass::Credential, CsrfRule::Safe);
    // The forms carry what only the page of this browser, person and session has: see their handlers.
    let answered = (Access::Optional, RateClass::Write, CsrfRule::PublicForm);
    vec![
        page(Method::GET, paths::AUTHORIZE, shown, endpoint(authorize::show)),
        page(Method::POST, paths::AUTHORIZE, forwarded, endpoint(authorize::forward)),
        page(Method::POST, paths::ACCOUNT, answered, endpoint(account::answer)),
        page(Method::POST, paths::CONSENT, answered, endpoint(consent::answer)),
        page(Method::GET, paths::LOGOUT, shown, endpoint(logout::show)),
        page(Method::POST, paths::LOGOUT, forwarded, endpoint(logout::forward)),
        page(Method::POST, paths::CONFIRM_LOGOUT, answered, endpoint(logout::confirm)),
        Route { door: Door::Page, ..page(Method::GET, paths::DEVICE, guessed, endpoint(device::show)) },
        Route { door: Door::Page, ..page(Method::POST, paths::DEVICE, answered, endpoint(device::enter)) },
        Route { door: Door::Page, ..page(Method::POST, paths::ANSWER_DEVICE, answered, endpoint(device::answer)) },
    ]
}
