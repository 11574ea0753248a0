//! Confirming a sign-up by its link: whoever opened it chooses the password.

use axum::response::Response;
use doorward_app::flow::FlowKind;
use doorward_model::secret::PlainToken;

use super::flow::{LinkPage, Visit};
use super::form::{self, PasswordForm};
use super::frame::{PageQuery, go_to, show_again};
use super::views::{MessageKind, Notice, Page, Problem as Complaint, VerifyLink, paths};
use crate::body::FormBody;
use crate::problem::Problem;
use crate::site::Site;

impl LinkPage for VerifyLink {
    const KIND: FlowKind = FlowKind::VerificationLink;
    const PATH: &'static str = paths::VERIFY_LINK;
    const ENDED: MessageKind = MessageKind::VerificationLinkInvalid;
    /// The address being confirmed.
    type Holder = String;

    async fn find(site: &Site, op: &doorward_app::op::Op, token: &PlainToken) -> Result<Option<String>, Problem> {
        Ok(site.app.find_signup_of_link(op, token).await?)
    }

    fn blank(page: Page, email: String, min_length: u64) -> Self {
        Self { page, email, password_problem: None, min_length }
    }

    fn password_problem(&mut self) -> &mut Option<Complaint> {
        &mut self.password_problem
    }
}

/// Shows the page where whoever opened the link chooses the password.
pub(crate) async fn show(visit: Visit, query: PageQuery) -> Result<Response, Problem> {
    visit.arrive::<VerifyLink>(query).await
}

/// Confirms with the link and the password chosen.
pub(crate) async fn send(visit: Visit, form: FormBody<PasswordForm>) -> Result<Response, Problem> {
    let Some(mut opened) = visit.open::<VerifyLink>(form.values.typed("flow")).await? else {
        return visit.end(VerifyLink::ENDED);
    };
    let password = match form.result {
        Ok(form) => form.password,
        Err(errors) => {
            opened.view.password_problem = form::problem(&errors, "password", opened.view.min_length);
            return show_again(&opened.view);
        }
    };
    match visit.site.app.confirm_with_link(&visit.op, &opened.token, password).await {
        Ok(_) => Ok(go_to(&format!("{}?notice={}", paths::LOGIN, Notice::EmailConfirmed.slug()))),
        Err(error) => visit.refuse(opened.view, error.into()),
    }
}
