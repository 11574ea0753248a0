//! Making the first administrator by the one-time link.

use axum::response::Response;
use doorward_app::flow::FlowKind;
use doorward_app::operators::NewUser;
use doorward_app::signup::ConfirmError;
use doorward_model::secret::PlainToken;

use super::flow::{LinkPage, Visit};
use super::form;
use super::frame::{PageQuery, go_to, show_again};
use super::signup::Form as PersonForm;
use super::views::{Field, FirstAdministrator, MessageKind, Notice, Page, Problem as Complaint, paths};
use crate::body::{Fields, FormBody, FromFields};
use crate::problem::Problem;
use crate::site::Site;

impl LinkPage for FirstAdministrator {
    const KIND: FlowKind = FlowKind::Setup;
    const PATH: &'static str = paths::SETUP;
    const ENDED: MessageKind = MessageKind::SetupLinkInvalid;
    type Holder = ();

    async fn find(site: &Site, op: &doorward_app::op::Op, token: &PlainToken) -> Result<Option<()>, Problem> {
        Ok(site.app.is_administrator_link(op, token).await?.then_some(()))
    }

    fn blank(page: Page, (): (), min_length: u64) -> Self {
        Self { page, email: Field::default(), name: Field::default(), password_problem: None, min_length }
    }

    fn password_problem(&mut self) -> &mut Option<Complaint> {
        &mut self.password_problem
    }
}

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
pub(crate) async fn show(visit: Visit, query: PageQuery) -> Result<Response, Problem> {
    visit.arrive::<FirstAdministrator>(query).await
}

/// Makes the administrator and leads to the sign-in page.
pub(crate) async fn send(visit: Visit, form: FormBody<Form>) -> Result<Response, Problem> {
    let Some(opened) = visit.open::<FirstAdministrator>(form.values.typed("flow")).await? else {
        return visit.end(FirstAdministrator::ENDED);
    };
    let mut view = opened.view;
    view.email = Field::filled(form.values.typed("email"));
    view.name = Field::filled(form.values.typed("name"));
    let Form(PersonForm { email, password, name }) = match form.result {
        Ok(form) => form,
        Err(errors) => {
            view.email.problem = form::problem(&errors, "email", view.min_length);
            view.name.problem = form::problem(&errors, "name", view.min_length);
            view.password_problem = form::problem(&errors, "password", view.min_length);
            return show_again(&view);
        }
    };
    let new = NewUser { email, password, name, is_verified: true, is_admin: true };
    match visit.site.app.create_first_administrator(&visit.op, &opened.token, new).await {
        Ok(_) => Ok(go_to(&format!("{}?notice={}", paths::LOGIN, Notice::AdministratorCreated.slug()))),
        Err(ConfirmError::AddressTaken) => {
            view.email.problem = Some(Complaint::EmailTaken);
            show_again(&view)
        }
        Err(error) => visit.refuse(view, error.into()),
    }
}
