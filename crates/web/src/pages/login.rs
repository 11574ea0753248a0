//! The sign-in page, and signing out.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::login::{SignIn, SignInOutcome};
use doorward_app::sessions::start::{Credential, Mode};
use doorward_model::password::Password;
use http::{StatusCode, header};

use super::form;
use super::frame::{self, PageQuery, PublicFrame, go_to, show_again, show_with};
use super::views::{self, Field, Message, MessageKind, Notice, Page, Problem as Complaint, paths};
use crate::api::fields;
use crate::api::login::{set_device_cookie, set_session_cookie};
use crate::body::{Fields, FormBody, FromFields};
use crate::cookies::{CookieName, expired_cookie};
use crate::extract::{CLEAR_SITE_DATA, DeviceCookie, MaybeSignedIn, Op, SessionCookie, SetCookies, SignedIn};
use crate::problem::Problem;
use crate::site::Site;

/// What the form sends.
pub(crate) struct Form {
    email: String,
    password: Password,
    remember: bool,
}

impl FromFields for Form {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let flow = fields.optional::<String>("flow");
        let email = fields.required_as("email", fields::typed_email);
        let password = fields.required_as("password", fields::password);
        let remember = fields.optional::<String>("remember");
        flow?;
        Some(Self { email: email?, password: password?, remember: remember?.is_some() })
    }
}

fn view(page: Page, email: &str, remember: bool) -> views::Login {
    views::Login { page, email: Field::filled(email), password_problem: None, remember, refusal: None, notice: None }
}

/// Shows the form, or says that somebody is signed in.
pub(crate) async fn show(
    PublicFrame(page): PublicFrame,
    MaybeSignedIn(principal): MaybeSignedIn,
    query: PageQuery,
) -> Result<Response, Problem> {
    if principal.is_some() {
        return frame::show(&Message { page, kind: MessageKind::AlreadySignedIn });
    }
    frame::show(&views::Login { notice: query.notice, ..view(page, "", false) })
}

/// Signs in and leads to the account.
pub(crate) async fn send(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    SessionCookie(previous): SessionCookie,
    DeviceCookie(device): DeviceCookie,
    form: FormBody<Form>,
) -> Result<Response, Problem> {
    let mut view = view(page, form.values.typed("email"), !form.values.typed("remember").is_empty());
    let typed = match form.result {
        Ok(typed) => typed,
        Err(errors) => {
            view.email.problem = form::problem(&errors, "email", 0);
            view.password_problem = form::problem(&errors, "password", 0);
            return show_again(&view);
        }
    };
    let input = SignIn {
        email: typed.email,
        password: typed.password,
        mode: Mode::Cookie { remember: typed.remember },
        device_cookie: device.map(|cookie| cookie.to_string()),
        previous,
    };
    let signed_in = match site.app.sign_in(&op, input).await {
        Ok(SignInOutcome::SignedIn(signed_in)) => signed_in,
        Ok(SignInOutcome::Refused) => {
            view.refusal = Some(Complaint::Credentials);
            return show_again(&view);
        }
        Ok(SignInOutcome::SlowDown { retry_after_seconds }) => {
            view.refusal = Some(Complaint::Throttled { wait_seconds: retry_after_seconds.into() });
            let mut response = show_with(StatusCode::TOO_MANY_REQUESTS, &view)?;
            response.headers_mut().insert(header::RETRY_AFTER, retry_after_seconds.into());
            return Ok(response);
        }
        Err(failure) => {
            view.refusal = Some(form::busy(failure)?);
            return show_with(StatusCode::SERVICE_UNAVAILABLE, &view);
        }
    };
    let mut set = Vec::new();
    if let Credential::Cookie(token) = &signed_in.credential {
        set.push(set_session_cookie(token, &signed_in.session, op.now)?);
    }
    if let Some(device) = &signed_in.device_cookie {
        set.push(set_device_cookie(device)?);
    }
    Ok((SetCookies(set), go_to(paths::ACCOUNT)).into_response())
}

/// A form without fields of its own.
pub(crate) struct Nothing;

impl FromFields for Nothing {
    fn from_fields(_: &mut Fields) -> Option<Self> {
        Some(Self)
    }
}

/// Signs out.
pub(crate) async fn sign_out(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    _: FormBody<Nothing>,
) -> Result<Response, Problem> {
    site.app.sign_out(&op, &principal).await?;
    let target = go_to(&format!("{}?notice={}", paths::LOGIN, Notice::SignedOut.slug()));
    let cookies = SetCookies(vec![expired_cookie(CookieName::Session)]);
    Ok(([CLEAR_SITE_DATA], cookies, target).into_response())
}
