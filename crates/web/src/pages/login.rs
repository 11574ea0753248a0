//! The sign-in page, and signing out.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::login::{SignIn, SignInOutcome};
use doorward_app::oauth::Wishes;
use doorward_app::sessions::start::{Credential, Mode};
use doorward_model::password::Password;
use doorward_model::secret::PlainToken;
use http::{StatusCode, header};

use super::form;
use super::frame::{self, PageQuery, PublicFrame, go_to, in_language, show_again, show_with};
use super::signed_out;
use super::views::{self, Field, Message, MessageKind, Page, Problem as Complaint, paths};
use crate::api::fields;
use crate::api::login::{set_device_cookie, set_session_cookie};
use crate::body::{Fields, FormBody, FromFields};
use crate::extract::{DeviceCookie, MaybeSignedIn, Op, PreCookie, SessionCookie, SetCookies, SignedIn, UiCookie};
use crate::oidc::way_back::WayBack;
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
        // Taken from what was typed: it is needed also when the rest is wrong.
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
    State(site): State<Site>,
    Op(op): Op,
    PreCookie(browser): PreCookie,
    PublicFrame(page): PublicFrame,
    MaybeSignedIn(principal): MaybeSignedIn,
    UiCookie(ui): UiCookie,
    query: PageQuery,
) -> Result<Response, Problem> {
    let flow = query.flow.unwrap_or_default();
    let back = WayBack::open(&site, &op, &browser, &flow);
    // A client may want to know who is here although somebody is signed in.
    if principal.is_some() && back.is_none() {
        return frame::show(&Message { page, kind: MessageKind::AlreadySignedIn });
    }
    let wishes = wishes(&site, back.as_ref()).await?;
    let page = in_language(page, ui.as_deref(), &wishes.ui_locales);
    let page = if back.is_some() { Page { flow, ..page } } else { page };
    let hint = wishes.login_hint.unwrap_or_default();
    let shown = frame::show(&views::Login { notice: query.notice, ..view(page, &hint, false) })?;
    Ok(leading_back(shown, back.as_ref()))
}

async fn wishes(site: &Site, back: Option<&WayBack>) -> Result<Wishes, Problem> {
    match back {
        Some(back) => Ok(back.wishes(site).await?),
        None => Ok(Wishes::default()),
    }
}

/// Lets the form of a page lead to the client that waits for the sign-in.
fn leading_back(response: Response, back: Option<&WayBack>) -> Response {
    frame::leading_to(response, back.and_then(WayBack::form_action))
}

/// Signs in and leads to the account, or back to the client that waits for it.
pub(crate) async fn send(
    State(site): State<Site>,
    Op(op): Op,
    PreCookie(browser): PreCookie,
    PublicFrame(page): PublicFrame,
    (SessionCookie(previous), DeviceCookie(device), UiCookie(ui)): (SessionCookie, DeviceCookie, UiCookie),
    form: FormBody<Form>,
) -> Result<Response, Problem> {
    let flow = form.values.typed("flow").to_owned();
    let back = WayBack::open(&site, &op, &browser, &flow);
    let page = in_language(page, ui.as_deref(), &wishes(&site, back.as_ref()).await?.ui_locales);
    let (page, target) = match &back {
        Some(back) => (Page { flow: flow.clone(), ..page }, back.address(&flow)),
        None => (page, paths::ACCOUNT.to_owned()),
    };
    let device = device.map(|cookie| cookie.to_string());
    let answered = attempt(&site, &op, page, Browser { previous, device }, form, &target).await?;
    Ok(leading_back(answered, back.as_ref()))
}

/// What the browser already holds.
struct Browser {
    previous: Option<PlainToken>,
    device: Option<String>,
}

async fn attempt(
    site: &Site,
    op: &doorward_app::op::Op,
    page: Page,
    browser: Browser,
    form: FormBody<Form>,
    target: &str,
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
        device_cookie: browser.device,
        previous: browser.previous,
    };
    let signed_in = match site.app.sign_in(op, input).await {
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
    Ok((SetCookies(set), go_to(target)).into_response())
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
    PublicFrame(page): PublicFrame,
    _: FormBody<Nothing>,
) -> Result<Response, Problem> {
    let frames = site.app.frames_at_sign_out(&principal).await?;
    site.app.sign_out(&op, &principal).await?;
    signed_out::leave(page, frames, None)
}
