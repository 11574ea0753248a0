//! The JSON API under `/api/v1`.

pub(crate) mod applications;
pub(crate) mod csrf;
pub(crate) mod email_verifications;
pub(crate) mod fields;
pub(crate) mod jwks;
pub(crate) mod login;
mod logout;
pub(crate) mod me;
pub(crate) mod outcome;
pub(crate) mod password;
pub(crate) mod revealed;
pub(crate) mod sessions;
pub(crate) mod signup;
pub(crate) mod token;

use http::Method;

use crate::openapi;
use crate::route::{Access, CacheClass, CorsRule, CsrfRule, Door, Endpoint, RateClass, Route, endpoint};
use crate::site::Site;

/// A route of the API, as most are: closed to other origins, never cached.
fn call(
    method: Method,
    path: &'static str,
    (access, rate, csrf): (Access, RateClass, CsrfRule),
    handler: Endpoint<Site>,
) -> Route<Site> {
    Route {
        method,
        path,
        door: Door::Api,
        access,
        rate,
        csrf,
        cache: CacheClass::NoStore,
        cors: CorsRule::Closed,
        retires: None,
        handler,
    }
}

/// A call for somebody who is not signed in, about passwords, codes and links.
const CREDENTIAL: (Access, RateClass, CsrfRule) = (Access::Public, RateClass::Credential, CsrfRule::SameOrigin);
/// A call that looks at something of the caller's.
const READ: (Access, RateClass, CsrfRule) = (Access::Session, RateClass::Read, CsrfRule::Safe);
/// A call that changes something of the caller's.
const WRITE: (Access, RateClass, CsrfRule) = (Access::Session, RateClass::Write, CsrfRule::SessionHeader);

/// Every route of the API.
pub fn routes() -> Vec<Route<Site>> {
    let mut login = call(Method::POST, "/api/v1/login", CREDENTIAL, endpoint(login::create));
    login.cors = CorsRule::TokenOrigins;
    let mut token = call(
        Method::POST,
        "/api/v1/token",
        (Access::Public, RateClass::Renewal, CsrfRule::SessionHeader),
        endpoint(token::create),
    );
    token.cors = CorsRule::TokenOrigins;
    let mut me = call(Method::GET, "/api/v1/me", READ, endpoint(me::show));
    me.cors = CorsRule::TokenOrigins;
    let change_password = (Access::Session, RateClass::Credential, CsrfRule::SessionHeader);
    vec![
        call(Method::POST, "/api/v1/signup", CREDENTIAL, endpoint(signup::create)),
        call(Method::POST, "/api/v1/email-verifications", CREDENTIAL, endpoint(email_verifications::resend)),
        call(Method::POST, "/api/v1/email-verifications/confirm", CREDENTIAL, endpoint(email_verifications::confirm)),
        call(Method::POST, "/api/v1/password/forgot", CREDENTIAL, endpoint(password::forgot)),
        call(Method::POST, "/api/v1/password/reset", CREDENTIAL, endpoint(password::reset)),
        call(Method::POST, "/api/v1/password/change", change_password, endpoint(password::change)),
        login,
        token,
        call(Method::POST, "/api/v1/logout", WRITE, endpoint(logout::create)),
        call(Method::GET, "/api/v1/csrf", READ, endpoint(csrf::show)),
        me,
        call(Method::PATCH, "/api/v1/me", WRITE, endpoint(me::change)),
        call(Method::GET, "/api/v1/sessions", READ, endpoint(sessions::list)),
        call(Method::DELETE, "/api/v1/sessions/{id}", WRITE, endpoint(sessions::delete)),
        call(Method::POST, "/api/v1/sessions/revoke-others", WRITE, endpoint(sessions::revoke_others)),
        call(Method::GET, "/api/v1/applications", READ, endpoint(applications::list)),
        call(Method::DELETE, "/api/v1/applications/{client_id}", WRITE, endpoint(applications::delete)),
        jwks::route(),
        openapi::route(),
    ]
}
