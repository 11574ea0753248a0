//! The pages people see: each handler reads a form or a link, asks the application, and shows a view.

mod account;
mod assets;
mod flow;
mod forgot;
mod form;
pub(crate) mod frame;
mod login;
mod preferences;
mod reset;
mod setup;
pub(crate) mod signed_out;
mod signup;
mod verify;
mod verify_link;
pub mod views;

use axum::response::{IntoResponse, Redirect, Response};
use http::Method;

use crate::extract::MaybeSignedIn;
use crate::route::{Access, CacheClass, CorsRule, CsrfRule, Door, Endpoint, RateClass, Route, endpoint};
use crate::site::Site;

pub use frame::error_page;
use views::paths;

/// A page, as all are: closed to other origins, never cached.
fn page(
    method: Method,
    path: &'static str,
    (door, access, rate, csrf): (Door, Access, RateClass, CsrfRule),
    handler: Endpoint<Site>,
) -> Route<Site> {
    let (cache, cors) = (CacheClass::NoStore, CorsRule::Closed);
    Route { method, path, door, access, rate, csrf, cache, cors, retires: None, handler }
}

/// Shows a form to somebody who need not be signed in.
const OPEN: (Door, Access, RateClass, CsrfRule) = (Door::Page, Access::Optional, RateClass::Read, CsrfRule::Safe);
/// Takes a form from somebody who need not be signed in.
const SENT: (Door, Access, RateClass, CsrfRule) =
    (Door::Page, Access::Public, RateClass::Credential, CsrfRule::PublicForm);
/// Shows a page of somebody's own.
const OWN: (Door, Access, RateClass, CsrfRule) = (Door::Page, Access::Session, RateClass::Read, CsrfRule::Safe);
/// Takes a form from somebody who is signed in.
const OWN_SENT: (Door, Access, RateClass, CsrfRule) =
    (Door::Page, Access::Session, RateClass::Write, CsrfRule::SessionForm);

/// Every page.
pub fn routes() -> Vec<Route<Site>> {
    let (get, post) = (|| Method::GET, || Method::POST);
    let popup = |rule: (Door, Access, RateClass, CsrfRule)| (Door::PopupPage, rule.1, rule.2, rule.3);
    let password_sent = (Door::Page, Access::Session, RateClass::Credential, CsrfRule::SessionForm);
    let write_sent = (Door::Page, Access::Public, RateClass::Write, CsrfRule::PublicForm);
    let mut routes = vec![
        page(get(), paths::START, OPEN, endpoint(start)),
        page(get(), paths::SIGNUP, OPEN, endpoint(signup::show)),
        page(post(), paths::SIGNUP, SENT, endpoint(signup::send)),
        page(get(), paths::VERIFY, OPEN, endpoint(verify::show_form)),
        page(post(), paths::VERIFY, SENT, endpoint(verify::send)),
        page(post(), paths::VERIFY_RESEND, SENT, endpoint(verify::resend)),
        page(get(), paths::VERIFY_LINK, OPEN, endpoint(verify_link::show)),
        page(post(), paths::VERIFY_LINK, SENT, endpoint(verify_link::send)),
        page(get(), paths::LOGIN, popup(OPEN), endpoint(login::show)),
        page(post(), paths::LOGIN, popup(SENT), endpoint(login::send)),
        page(post(), paths::LOGOUT, OWN_SENT, endpoint(login::sign_out)),
        page(get(), paths::FORGOT, OPEN, endpoint(forgot::show)),
        page(post(), paths::FORGOT, SENT, endpoint(forgot::send)),
        page(get(), paths::RESET, OPEN, endpoint(reset::show)),
        page(post(), paths::RESET, SENT, endpoint(reset::send)),
        page(get(), paths::SETUP, OPEN, endpoint(setup::show)),
        page(post(), paths::SETUP, SENT, endpoint(setup::send)),
        page(get(), paths::ACCOUNT, OWN, endpoint(account::profile::show)),
        page(post(), paths::ACCOUNT, OWN_SENT, endpoint(account::profile::send)),
        page(get(), paths::ACCOUNT_PASSWORD, OWN, endpoint(account::password::show)),
        page(post(), paths::ACCOUNT_PASSWORD, password_sent, endpoint(account::password::send)),
        page(get(), paths::ACCOUNT_SESSIONS, OWN, endpoint(account::sessions::show)),
        page(post(), paths::ACCOUNT_SESSIONS_END, OWN_SENT, endpoint(account::sessions::end)),
        page(post(), paths::ACCOUNT_SESSIONS_END_OTHERS, OWN_SENT, endpoint(account::sessions::end_others)),
        page(get(), paths::ACCOUNT_APPLICATIONS, OWN, endpoint(account::applications::show)),
        page(post(), paths::ACCOUNT_APPLICATIONS_REVOKE, OWN_SENT, endpoint(account::applications::revoke)),
        page(get(), paths::ACCOUNT_APPEARANCE, OWN, endpoint(account::appearance::show)),
        page(post(), paths::PREFERENCES, write_sent, endpoint(preferences::send)),
        page(post(), paths::ACCOUNT_PREFERENCES, OWN_SENT, endpoint(preferences::send)),
    ];
    routes.extend(assets::routes());
    routes
}

/// Leads to where the visitor belongs.
async fn start(MaybeSignedIn(principal): MaybeSignedIn) -> Response {
    Redirect::to(if principal.is_some() { paths::ACCOUNT } else { paths::LOGIN }).into_response()
}
