//! Confirming a sign-up: by code in the browser that made it, by link everywhere else.

use axum::extract::State;
use axum::response::Response;
use doorward_app::flow::FlowKind;
use doorward_app::signup::ConfirmError;
use doorward_model::password::Password;
use doorward_model::secret::{PlainToken, TokenKind};
use http::StatusCode;

use super::form;
use super::frame::{PageQuery, PublicFrame, go_to, show, show_again, show_with};
use super::views::{self, Field, Message, MessageKind, Notice, Page, Problem as Complaint, paths};
use crate::api::fields;
use crate::body::{Fields, FormBody, FromFields};
use crate::cookies::PreNonce;
use crate::extract::{DeviceCookie, Op, PreCookie};
use crate::problem::Problem;
use crate::site::Site;

/// A sign-up as the flow carries it.
struct Waiting {
    handle: PlainToken,
    email: String,
}

fn waiting(site: &Site, op: &doorward_app::op::Op, browser: &PreNonce, flow: &str) -> Option<Waiting> {
    let state = site.app.open_flow(op, browser.as_bytes(), FlowKind::Signup, flow)?;
    let (handle, email) = state.split_once(' ')?;
    Some(Waiting { handle: PlainToken::parse(TokenKind::OneTime, handle)?, email: email.to_owned() })
}

/// A one-time token as a flow carries it.
pub(super) fn token_of_flow(
    site: &Site,
    op: &doorward_app::op::Op,
    browser: &PreNonce,
    (kind, flow): (FlowKind, &str),
) -> Option<PlainToken> {
    let state = site.app.open_flow(op, browser.as_bytes(), kind, flow)?;
    PlainToken::parse(TokenKind::OneTime, &state)
}

/// 303 to `path` with the link's token sealed for this browser: it leaves the address bar, the history and the
/// `Referer` before a page is shown.
pub(super) fn to_clean_address(
    site: &Site,
    op: &doorward_app::op::Op,
    browser: &PreNonce,
    (kind, path, token): (FlowKind, &str, &str),
) -> Result<Response, Problem> {
    let flow = site.app.seal_flow(op, browser.as_bytes(), kind, token)?;
    Ok(go_to(&format!("{path}?flow={flow}")))
}

/// Asks for the code. With a link's token in the address: leads to the page where its opener chooses the password.
pub(crate) async fn show_form(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    PreCookie(browser): PreCookie,
    query: PageQuery,
) -> Result<Response, Problem> {
    if let Some(token) = query.token.filter(|token| token.len() <= 128) {
        return to_clean_address(&site, &op, &browser, (FlowKind::VerificationLink, paths::VERIFY_LINK, &token));
    }
    let flow = query.flow.unwrap_or_default();
    let Some(waiting) = waiting(&site, &op, &browser, &flow) else {
        return show(&Message { page, kind: MessageKind::FlowEnded });
    };
    show(&code_view(page, flow, waiting.email, query.notice))
}

fn code_view(page: Page, flow: String, email: String, notice: Option<Notice>) -> views::Verify {
    views::Verify { page, email: Some(email), flow, code: Field::default(), notice }
}

/// What the code's form sends.
pub(crate) struct CodeForm {
    code: String,
}

impl FromFields for CodeForm {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let flow = fields.optional::<String>("flow");
        let code = fields.required_as("code", |text: String| {
            let digits: String =
                text.chars().filter(|character| !character.is_whitespace() && *character != '-').collect();
            let is_code = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
            if is_code { Ok(digits) } else { Err(("invalid_code", "Six digits are expected.")) }
        });
        flow?;
        Some(Self { code: code? })
    }
}

/// Confirms with the code.
pub(crate) async fn send(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    PreCookie(browser): PreCookie,
    form: FormBody<CodeForm>,
) -> Result<Response, Problem> {
    let flow = form.values.typed("flow").to_owned();
    let Some(waiting) = waiting(&site, &op, &browser, &flow) else {
        return show(&Message { page, kind: MessageKind::FlowEnded });
    };
    let mut view = code_view(page, flow, waiting.email, None);
    let code = match form.result {
        Ok(form) => form.code,
        Err(errors) => {
            view.code.problem = form::problem(&errors, "code", 0);
            return show_again(&view);
        }
    };
    match site.app.confirm_with_code(&op, &waiting.handle, &code).await {
        Ok(_) => Ok(go_to(&format!("{}?notice={}", paths::LOGIN, Notice::EmailConfirmed.slug()))),
        Err(ConfirmError::Invalid) => {
            view.code.problem = Some(Complaint::CodeWrong);
            show_again(&view)
        }
        Err(error) => Err(error.into()),
    }
}

/// A form that only names its flow.
pub(crate) struct FlowForm;

impl FromFields for FlowForm {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.optional::<String>("flow").map(|_| Self)
    }
}

/// Sends the mail again.
pub(crate) async fn resend(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    PreCookie(browser): PreCookie,
    DeviceCookie(device): DeviceCookie,
    form: FormBody<FlowForm>,
) -> Result<Response, Problem> {
    let flow = form.values.typed("flow");
    let Some(waiting) = waiting(&site, &op, &browser, flow) else {
        return show(&Message { page, kind: MessageKind::FlowEnded });
    };
    site.app.resend_verification(&op, &waiting.handle, device.as_deref().map(String::as_str)).await?;
    Ok(go_to(&format!("{}?flow={flow}&notice={}", paths::VERIFY, Notice::MailSentAgain.slug())))
}

/// Shows the page where whoever opened the link chooses the password.
pub(crate) async fn show_link(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    PreCookie(browser): PreCookie,
    query: PageQuery,
) -> Result<Response, Problem> {
    let flow = query.flow.unwrap_or_default();
    match find_link(&site, &op, &browser, &flow).await? {
        Some((_, email)) => show(&link_view(&site, page, flow, email)),
        None => show(&Message { page, kind: MessageKind::VerificationLinkInvalid }),
    }
}

async fn find_link(
    site: &Site,
    op: &doorward_app::op::Op,
    browser: &PreNonce,
    flow: &str,
) -> Result<Option<(PlainToken, String)>, Problem> {
    let Some(token) = token_of_flow(site, op, browser, (FlowKind::VerificationLink, flow)) else {
        return Ok(None);
    };
    let email = site.app.find_signup_of_link(op, &token).await?;
    Ok(email.map(|email| (token, email)))
}

fn link_view(site: &Site, page: Page, flow: String, email: String) -> views::VerifyLink {
    let min_length = site.app.settings.password_policy.min_length().into();
    views::VerifyLink { page, email, flow, password_problem: None, min_length }
}

/// A new password, chosen by whoever opened a link.
pub(crate) struct PasswordForm {
    pub(super) password: Password,
}

impl FromFields for PasswordForm {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let flow = fields.optional::<String>("flow");
        // There for password managers; whose account it is follows from the link.
        let email = fields.optional::<String>("email");
        let password = fields.required_as("password", fields::password);
        flow?;
        email?;
        Some(Self { password: password? })
    }
}

/// Confirms with the link and the password chosen.
pub(crate) async fn send_link(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    PreCookie(browser): PreCookie,
    form: FormBody<PasswordForm>,
) -> Result<Response, Problem> {
    let flow = form.values.typed("flow").to_owned();
    let Some((token, email)) = find_link(&site, &op, &browser, &flow).await? else {
        return show(&Message { page, kind: MessageKind::VerificationLinkInvalid });
    };
    let mut view = link_view(&site, page, flow, email);
    let password = match form.result {
        Ok(form) => form.password,
        Err(errors) => {
            view.password_problem = form::problem(&errors, "password", view.min_length);
            return show_again(&view);
        }
    };
    match site.app.confirm_with_link(&op, &token, password).await {
        Ok(_) => Ok(go_to(&format!("{}?notice={}", paths::LOGIN, Notice::EmailConfirmed.slug()))),
        Err(ConfirmError::Password(violations)) => {
            view.password_problem = form::refused(&violations, view.min_length);
            show_again(&view)
        }
        Err(ConfirmError::Invalid | ConfirmError::AddressTaken) => {
            show(&Message { page: view.page, kind: MessageKind::VerificationLinkInvalid })
        }
        Err(ConfirmError::Failure(failure)) => {
            view.password_problem = Some(form::busy(failure)?);
            show_with(StatusCode::SERVICE_UNAVAILABLE, &view)
        }
    }
}
