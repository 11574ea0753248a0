//! Confirming a sign-up by code, in the browser that made it.

use axum::response::Response;
use doorward_app::flow::FlowKind;
use doorward_app::signup::ConfirmError;
use doorward_model::secret::{PlainToken, TokenKind};

use super::flow::Visit;
use super::form;
use super::frame::{PageQuery, go_to, show, show_again};
use super::views::{Field, MessageKind, Notice, Problem as Complaint, Verify, VerifyLink, paths};
use crate::body::{Fields, FormBody, FromFields};
use crate::extract::DeviceCookie;
use crate::oidc::way_back::WayBack;
use crate::problem::Problem;

/// A sign-up as the flow carries it.
struct Waiting {
    handle: PlainToken,
    email: String,
    /// The request of a client that waits for it.
    back: Option<WayBack>,
}

fn waiting(visit: &Visit, flow: &str) -> Option<Waiting> {
    let state = visit.state(FlowKind::Signup, flow)?;
    let mut parts = state.splitn(3, ' ');
    let (handle, email, back) = (parts.next()?, parts.next()?, parts.next());
    let handle = PlainToken::parse(TokenKind::OneTime, handle)?;
    Some(Waiting { handle, email: email.to_owned(), back: back.and_then(WayBack::from_text) })
}

/// Asks for the code. With a link's token in the address: leads to the page where its opener chooses the password.
pub(crate) async fn show_form(visit: Visit, query: PageQuery) -> Result<Response, Problem> {
    if let Some(moved) = visit.moved::<VerifyLink>(query.token.as_deref())? {
        return Ok(moved);
    }
    let flow = query.flow.unwrap_or_default();
    let Some(waiting) = waiting(&visit, &flow) else {
        return visit.end(MessageKind::FlowEnded);
    };
    show(&view(&visit, &flow, waiting.email, query.notice))
}

fn view(visit: &Visit, flow: &str, email: String, notice: Option<Notice>) -> Verify {
    Verify { page: visit.page_in(flow), email: Some(email), code: Field::default(), notice }
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
pub(crate) async fn send(visit: Visit, form: FormBody<CodeForm>) -> Result<Response, Problem> {
    let flow = form.values.typed("flow");
    let Some(waiting) = waiting(&visit, flow) else {
        return visit.end(MessageKind::FlowEnded);
    };
    let mut view = view(&visit, flow, waiting.email.clone(), None);
    let code = match form.result {
        Ok(form) => form.code,
        Err(errors) => {
            view.code.problem = form::problem(&errors, "code", 0);
            return show_again(&view);
        }
    };
    match visit.site.app.confirm_with_code(&visit.op, &waiting.handle, &code).await {
        Ok(_) => {
            let notice = Notice::EmailConfirmed.slug();
            // The request waits for the sign-in with the new account.
            let flow = waiting.back.map(|back| visit.seal(&back)).transpose()?.flatten();
            Ok(go_to(&match flow {
                Some(flow) => format!("{}?flow={flow}&notice={notice}", paths::LOGIN),
                None => format!("{}?notice={notice}", paths::LOGIN),
            }))
        }
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
    visit: Visit,
    DeviceCookie(device): DeviceCookie,
    form: FormBody<FlowForm>,
) -> Result<Response, Problem> {
    let flow = form.values.typed("flow");
    let Some(waiting) = waiting(&visit, flow) else {
        return visit.end(MessageKind::FlowEnded);
    };
    let device = device.as_deref().map(String::as_str);
    visit.site.app.resend_verification(&visit.op, &waiting.handle, device).await?;
    Ok(go_to(&format!("{}?flow={flow}&notice={}", paths::VERIFY, Notice::MailSentAgain.slug())))
}
