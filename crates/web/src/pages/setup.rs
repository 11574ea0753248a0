//! Making the first administrator by the one-time link.

use axum::extract::State;
use axum::response::Response;
use doorward_app::flow::FlowKind;
use doorward_app::operators::NewUser;
use doorward_app::signup::ConfirmError;
use doorward_model::secret::PlainToken;
use http::StatusCode;

use super::form;
use super::frame::{self, PageQuery, PublicFrame, go_to, show_again, show_with};
use super::signup::Form as PersonForm;
use super::verify::{to_clean_address, token_of_flow};
use super::views::{Field, FirstAdministrator, Message, MessageKind, Notice, Page, Problem as Complaint, paths};
use crate::body::{Fields, FormBody, FromFields};
use crate::cookies::PreNonce;
use crate::extract::{Op, PreCookie};
use crate::problem::Problem;
use crate::site::Site;

/// What the form sends: a person, and the flow.
pub(crate) struct Form(PersonForm);

impl FromFields for Form {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let flow = fields.optional::<String>("flow");
        let person = PersonForm::from_fields(fields);
        flow?;
        person.map(Self)
    }
}

/// Shows the form; with the link's token in the address, moves it out of there first.
pub(crate) async fn show(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    PreCookie(browser): PreCookie,
    query: PageQuery,
) -> Result<Response, Problem> {
    if let Some(token) = query.token.filter(|token| token.len() <= 128) {
        return to_clean_address(&site, &op, &browser, (FlowKind::Setup, paths::SETUP, &token));
    }
    let flow = query.flow.unwrap_or_default();
    match find(&site, &op, &browser, &flow).await? {
        Some(_) => frame::show(&blank(&site, page, flow)),
        None => frame::show(&Message { page, kind: MessageKind::SetupLinkInvalid }),
    }
}

async fn find(
    site: &Site,
    op: &doorward_app::op::Op,
    browser: &PreNonce,
    flow: &str,
) -> Result<Option<PlainToken>, Problem> {
    let Some(token) = token_of_flow(site, op, browser, (FlowKind::Setup, flow)) else {
        return Ok(None);
    };
    Ok(site.app.is_administrator_link(op, &token).await?.then_some(token))
}

fn blank(site: &Site, page: Page, flow: String) -> FirstAdministrator {
    let min_length = site.app.settings.password_policy.min_length().into();
    FirstAdministrator {
        page,
        flow,
        email: Field::default(),
        name: Field::default(),
        password_problem: None,
        min_length,
    }
}

/// Makes the administrator and leads to the sign-in page.
pub(crate) async fn send(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    PreCookie(browser): PreCookie,
    form: FormBody<Form>,
) -> Result<Response, Problem> {
    let flow = form.values.typed("flow").to_owned();
    let Some(token) = find(&site, &op, &browser, &flow).await? else {
        return frame::show(&Message { page, kind: MessageKind::SetupLinkInvalid });
    };
    let mut view = blank(&site, page, flow);
    view.email = Field::filled(form.values.typed("email"));
    view.name = Field::filled(form.values.typed("name"));
    let Form(person) = match form.result {
        Ok(form) => form,
        Err(errors) => {
            view.email.problem = form::problem(&errors, "email", view.min_length);
            view.name.problem = form::problem(&errors, "name", view.min_length);
            view.password_problem = form::problem(&errors, "password", view.min_length);
            return show_again(&view);
        }
    };
    let PersonForm { email, password, name } = person;
    let new = NewUser { email, password, name, is_verified: true, is_admin: true };
    match site.app.create_first_administrator(&op, &token, new).await {
        Ok(_) => Ok(go_to(&format!("{}?notice={}", paths::LOGIN, Notice::AdministratorCreated.slug()))),
        Err(ConfirmError::Password(violations)) => {
            view.password_problem = form::refused(&violations, view.min_length);
            show_again(&view)
        }
        Err(ConfirmError::AddressTaken) => {
            view.email.problem = Some(Complaint::EmailTaken);
            show_again(&view)
        }
        Err(ConfirmError::Invalid) => frame::show(&Message { page: view.page, kind: MessageKind::SetupLinkInvalid }),
        Err(ConfirmError::Failure(failure)) => {
            view.password_problem = Some(form::busy(failure)?);
            show_with(StatusCode::SERVICE_UNAVAILABLE, &view)
        }
    }
}
