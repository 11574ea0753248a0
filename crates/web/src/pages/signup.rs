//! The sign-up page.

use axum::extract::State;
use axum::response::Response;
use doorward_app::flow::{FlowKind, MOST_TEXT_BYTES};
use doorward_app::signup::{PasswordError, SignUp};
use doorward_model::email::EmailAddress;
use doorward_model::name::DisplayName;
use doorward_model::password::Password;
use http::StatusCode;

use super::form;
use super::frame::{self, PageQuery, PublicFrame, go_to, in_language, show_again, show_with};
use super::views::{self, Field, Message, MessageKind, Page, paths};
use crate::api::fields;
use crate::body::{Fields, FormBody, FormValues, FromFields};
use crate::extract::{DeviceCookie, MaybeSignedIn, Op, PreCookie, UiCookie};
use crate::oidc::way_back::WayBack;
use crate::problem::Problem;
use crate::site::Site;

/// What the form sends.
pub(crate) struct Form {
    pub(super) email: EmailAddress,
    pub(super) password: Password,
    pub(super) name: Option<DisplayName>,
}

impl FromFields for Form {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        // Taken from what was typed: it is needed also when the rest is wrong.
        let flow = fields.optional::<String>("flow");
        let email = fields.required_as("email", fields::email);
        let password = fields.required_as("password", fields::password);
        let name = fields.optional_as("name", fields::name);
        flow?;
        Some(Self { email: email?, password: password?, name: name? })
    }
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
    let Some(back) = WayBack::open(&site, &op, &browser, &flow) else {
        // A client may want a new account although somebody is signed in; nobody else does.
        if principal.is_some() {
            return frame::show(&Message { page, kind: MessageKind::AlreadySignedIn });
        }
        return frame::show(&blank(&site, page));
    };
    let wishes = back.wishes(&site).await?;
    let page = Page { flow, ..in_language(page, ui.as_deref(), &wishes.ui_locales) };
    let email = Field::filled(wishes.login_hint.unwrap_or_default());
    frame::show(&views::Signup { email, ..blank(&site, page) })
}

fn blank(site: &Site, page: Page) -> views::Signup {
    views::Signup {
        page,
        email: Field::default(),
        name: Field::default(),
        password_problem: None,
        refusal: None,
        min_length: site.app.settings.password_policy.min_length().into(),
    }
}

fn filled(site: &Site, page: Page, values: &FormValues) -> views::Signup {
    views::Signup {
        email: Field::filled(values.typed("email")),
        name: Field::filled(values.typed("name")),
        ..blank(site, page)
    }
}

/// Begins the sign-up and leads to the page that asks for the code.
pub(crate) async fn send(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    PreCookie(browser): PreCookie,
    DeviceCookie(device): DeviceCookie,
    UiCookie(ui): UiCookie,
    form: FormBody<Form>,
) -> Result<Response, Problem> {
    let flow = form.values.typed("flow").to_owned();
    let back = WayBack::open(&site, &op, &browser, &flow);
    let page = match &back {
        Some(back) => Page { flow, ..in_language(page, ui.as_deref(), &back.wishes(&site).await?.ui_locales) },
        None => page,
    };
    let mut view = filled(&site, page, &form.values);
    let min_length = view.min_length;
    let typed = match form.result {
        Ok(typed) => typed,
        Err(errors) => {
            view.email.problem = form::problem(&errors, "email", min_length);
            view.name.problem = form::problem(&errors, "name", min_length);
            view.password_problem = form::problem(&errors, "password", min_length);
            return show_again(&view);
        }
    };
    let email = typed.email.as_typed().to_owned();
    let input = SignUp {
        email: typed.email,
        password: typed.password,
        name: typed.name,
        locale: view.page.locale(),
        device_cookie: device.map(|cookie| cookie.to_string()),
    };
    let handle = match site.app.sign_up(&op, input).await {
        Ok(handle) => handle,
        Err(PasswordError::Refused(violations)) => {
            view.password_problem = form::refused(&violations, min_length);
            return show_again(&view);
        }
        Err(PasswordError::Failure(failure)) => {
            view.refusal = Some(form::busy(failure)?);
            return show_with(StatusCode::SERVICE_UNAVAILABLE, &view);
        }
    };
    let state = format!("{} {email}", handle.reveal().as_str());
    let seal = |state: &str| site.app.seal_flow(&op, browser.as_bytes(), FlowKind::Signup, state);
    let way = back.map(|back| format!("{state} {}", back.to_text()));
    // A request that is too long to come along is begun again after the sign-up.
    let flow = match way.map(|state| seal(&state)).transpose()?.filter(|flow| flow.len() <= MOST_TEXT_BYTES) {
        Some(flow) => flow,
        None => seal(&state)?,
    };
    Ok(go_to(&format!("{}?flow={flow}", paths::VERIFY)))
}
