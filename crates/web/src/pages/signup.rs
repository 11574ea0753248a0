//! The sign-up page.

use axum::extract::State;
use axum::response::Response;
use doorward_app::flow::FlowKind;
use doorward_app::signup::{PasswordError, SignUp};
use doorward_model::email::EmailAddress;
use doorward_model::name::DisplayName;
use doorward_model::password::Password;
use http::StatusCode;

use super::form;
use super::frame::{self, PublicFrame, go_to, show_again, show_with};
use super::views::{self, Field, Message, MessageKind, Page, paths};
use crate::api::fields;
use crate::body::{Fields, FormBody, FormValues, FromFields};
use crate::extract::{DeviceCookie, MaybeSignedIn, Op, PreCookie};
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
        let email = fields.required_as("email", fields::email);
        let password = fields.required_as("password", fields::password);
        let name = fields.optional_as("name", fields::name);
        Some(Self { email: email?, password: password?, name: name? })
    }
}

/// Shows the form, or says that somebody is signed in.
pub(crate) async fn show(
    State(site): State<Site>,
    PublicFrame(page): PublicFrame,
    MaybeSignedIn(principal): MaybeSignedIn,
) -> Result<Response, Problem> {
    if principal.is_some() {
        return frame::show(&Message { page, kind: MessageKind::AlreadySignedIn });
    }
    frame::show(&blank(&site, page))
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
    form: FormBody<Form>,
) -> Result<Response, Problem> {
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
    let flow = site.app.seal_flow(&op, browser.as_bytes(), FlowKind::Signup, &state)?;
    Ok(go_to(&format!("{}?flow={flow}", paths::VERIFY)))
}
