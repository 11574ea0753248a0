//! Choosing a new password by a mailed link.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::flow::FlowKind;
use doorward_app::passwords::ResetError;
use doorward_model::secret::PlainToken;
use http::StatusCode;

use super::form;
use super::frame::{self, PageQuery, PublicFrame, go_to, show_again, show_with};
use super::verify::{PasswordForm, to_clean_address, token_of_flow};
use super::views::{Message, MessageKind, Notice, Page, Reset, paths};
use crate::api::login::set_device_cookie;
use crate::body::FormBody;
use crate::cookies::PreNonce;
use crate::extract::{Op, PreCookie, SetCookies};
use crate::problem::Problem;
use crate::site::Site;

/// Shows the form; with a link's token in the address, moves it out of there first.
pub(crate) async fn show(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    PreCookie(browser): PreCookie,
    query: PageQuery,
) -> Result<Response, Problem> {
    if let Some(token) = query.token.filter(|token| token.len() <= 128) {
        return to_clean_address(&site, &op, &browser, (FlowKind::Reset, paths::RESET, &token));
    }
    let flow = query.flow.unwrap_or_default();
    match find(&site, &op, &browser, &flow).await? {
        Some((_, email)) => frame::show(&view(&site, page, flow, email)),
        None => frame::show(&Message { page, kind: MessageKind::ResetLinkInvalid }),
    }
}

async fn find(
    site: &Site,
    op: &doorward_app::op::Op,
    browser: &PreNonce,
    flow: &str,
) -> Result<Option<(PlainToken, String)>, Problem> {
    let Some(token) = token_of_flow(site, op, browser, (FlowKind::Reset, flow)) else {
        return Ok(None);
    };
    let user = site.app.find_user_of_reset(op, &token).await?;
    Ok(user.map(|user| (token, user.email)))
}

fn view(site: &Site, page: Page, flow: String, email: String) -> Reset {
    let min_length = site.app.settings.password_policy.min_length().into();
    Reset { page, email, flow, password_problem: None, min_length }
}

/// Sets the new password and leads to the sign-in page.
pub(crate) async fn send(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    PreCookie(browser): PreCookie,
    form: FormBody<PasswordForm>,
) -> Result<Response, Problem> {
    let flow = form.values.typed("flow").to_owned();
    let Some((token, email)) = find(&site, &op, &browser, &flow).await? else {
        return frame::show(&Message { page, kind: MessageKind::ResetLinkInvalid });
    };
    let mut view = view(&site, page, flow, email);
    let password = match form.result {
        Ok(form) => form.password,
        Err(errors) => {
            view.password_problem = form::problem(&errors, "password", view.min_length);
            return show_again(&view);
        }
    };
    match site.app.reset_password(&op, &token, password).await {
        Ok(device) => {
            let cookies = SetCookies(vec![set_device_cookie(&device)?]);
            let target = go_to(&format!("{}?notice={}", paths::LOGIN, Notice::PasswordReset.slug()));
            Ok((cookies, target).into_response())
        }
        Err(ResetError::Password(violations)) => {
            view.password_problem = form::refused(&violations, view.min_length);
            show_again(&view)
        }
        Err(ResetError::Invalid) => frame::show(&Message { page: view.page, kind: MessageKind::ResetLinkInvalid }),
        Err(ResetError::Failure(failure)) => {
            view.password_problem = Some(form::busy(failure)?);
            show_with(StatusCode::SERVICE_UNAVAILABLE, &view)
        }
    }
}
