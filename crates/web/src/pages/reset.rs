//! Choosing a new password by a mailed link.

use axum::response::{IntoResponse, Response};
use doorward_app::flow::FlowKind;
use doorward_model::secret::PlainToken;

use super::flow::{LinkPage, Visit};
use super::form::{self, PasswordForm};
use super::frame::{PageQuery, go_to, show_again};
use super::views::{MessageKind, Notice, Page, Problem as Complaint, Reset, paths};
use crate::api::login::set_device_cookie;
use crate::body::FormBody;
use crate::extract::SetCookies;
use crate::problem::Problem;
use crate::site::Site;

impl LinkPage for Reset {
    const KIND: FlowKind = FlowKind::Reset;
    const PATH: &'static str = paths::RESET;
    const ENDED: MessageKind = MessageKind::ResetLinkInvalid;
    /// The address of the account.
    type Holder = String;

    async fn find(site: &Site, op: &doorward_app::op::Op, token: &PlainToken) -> Result<Option<String>, Problem> {
        Ok(site.app.find_user_of_reset(op, token).await?.map(|user| user.email))
    }

    fn blank(page: Page, email: String, min_length: u64) -> Self {
        Self { page, email, password_problem: None, min_length }
    }

    fn password_problem(&mut self) -> &mut Option<Complaint> {
        &mut self.password_problem
    }
}

/// Shows the form; with a link's token in the address, moves it out of there first.
pub(crate) async fn show(visit: Visit, query: PageQuery) -> Result<Response, Problem> {
    visit.arrive::<Reset>(query).await
}

/// Sets the new password and leads to the sign-in page.
pub(crate) async fn send(visit: Visit, form: FormBody<PasswordForm>) -> Result<Response, Problem> {
    let Some(mut opened) = visit.open::<Reset>(form.values.typed("flow")).await? else {
        return visit.end(Reset::ENDED);
    };
    let password = match form.result {
        Ok(form) => form.password,
        Err(errors) => {
            opened.view.password_problem = form::problem(&errors, "password", opened.view.min_length);
            return show_again(&opened.view);
        }
    };
    match visit.site.app.reset_password(&visit.op, &opened.token, password).await {
        Ok(device) => {
            let cookies = SetCookies(vec![set_device_cookie(&device)?]);
            let target = go_to(&format!("{}?notice={}", paths::LOGIN, Notice::PasswordReset.slug()));
            Ok((cookies, target).into_response())
        }
        Err(error) => visit.refuse(opened.view, error.into()),
    }
}
