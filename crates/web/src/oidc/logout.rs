//! The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0).

use axum::extract::{FromRequestParts, Request, State};
use axum::http::Uri;
use axum::response::Response;
use doorward_app::authentication::Principal;
use doorward_app::flow::{FlowKind, MOST_TEXT_BYTES};
use doorward_app::oauth::{Client, LogoutAnswer, OAuthError, Parameters, paths as endpoints};
use http::request::Parts;

use super::answer;
use super::way_back::WayBack;
use crate::body::{Fields, FormBody, FromFields};
use crate::cookies::PreNonce;
use crate::edge::headers::FormActionOrigin;
use crate::extract::{MaybeSignedIn, Op, PreCookie, UiCookie};
use crate::pages::frame::{PublicFrame, go_to, in_language, leading_to, show as show_page, show_with};
use crate::pages::signed_out;
use crate::pages::views::{AuthorizeError, ConfirmLogout, Message, MessageKind, Page, paths};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// Somebody in front of the endpoint.
pub(super) struct Visit {
    site: Site,
    op: doorward_app::op::Op,
    page: Page,
    browser: PreNonce,
    person: Option<Principal>,
    ui: Option<String>,
}

impl FromRequestParts<Site> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let Op(op) = Op::from_request_parts(parts, site).await?;
        let PublicFrame(page) = PublicFrame::from_request_parts(parts, site).await?;
        let PreCookie(browser) = PreCookie::from_request_parts(parts, site).await?;
        let MaybeSignedIn(person) = MaybeSignedIn::from_request_parts(parts, site).await?;
        let UiCookie(ui) = UiCookie::from_request_parts(parts, site).await?;
        Ok(Self { site: site.clone(), op, page, browser, person, ui })
    }
}

/// Signs out, or asks first.
pub(super) async fn show(visit: Visit, uri: Uri) -> Result<Response, Problem> {
    let asked = uri.query().unwrap_or_default();
    // A change of language comes back with what was asked.
    let query = match asked.strip_prefix("flow=") {
        None => asked.to_owned(),
        Some(flow) => match visit.open(flow) {
            Some((_, query)) => query,
            None => return show_page(&Message { page: visit.page, kind: MessageKind::FlowEnded }),
        },
    };
    let parameters = match Parameters::parse(query.as_bytes()) {
        Ok(parameters) => parameters,
        Err(error) => return visit.refuse(error.into()),
    };
    let person = visit.person.as_ref();
    match visit.site.app.end_session_for_client(&visit.op, &parameters, person, false).await? {
        LogoutAnswer::Wrong(error) => visit.refuse(error),
        LogoutAnswer::Done { redirect_to, frames } => signed_out::leave(visit.page, frames, redirect_to),
        LogoutAnswer::Ask { client, origin } => visit.ask(&query, &parameters, client.as_deref(), origin.as_deref()),
    }
}

impl Visit {
    fn refuse(self, error: OAuthError) -> Result<Response, Problem> {
        let (page, request_id) = (self.page, self.op.request_id.to_string());
        show_with(answer::status(error), &AuthorizeError { page, description: error.description, request_id })
    }

    fn ask(
        self,
        query: &str,
        parameters: &Parameters,
        client: Option<&Client>,
        origin: Option<&str>,
    ) -> Result<Response, Problem> {
        let seen = self.person.as_ref().map(WayBack::shortly).unwrap_or_default();
        let state = format!("{seen} {query}");
        let flow = self.site.app.seal_flow(&self.op, self.browser.as_bytes(), FlowKind::Logout, &state)?;
        if flow.len() > MOST_TEXT_BYTES {
            return self.refuse(OAuthError::invalid_request("the request is too long"));
        }
        let page = in_language(self.page, self.ui.as_deref(), &doorward_app::oauth::ui_locales(parameters));
        let application = client.and_then(Client::name).map(str::to_owned);
        let shown = show_page(&ConfirmLogout { page: Page { flow, ..page }, application })?;
        Ok(leading_to(shown, origin.and_then(FormActionOrigin::new)))
    }

    /// Whom the page was shown to, and what was asked.
    fn open(&self, flow: &str) -> Option<(String, String)> {
        let state = self.site.app.open_flow(&self.op, self.browser.as_bytes(), FlowKind::Logout, flow)?;
        let (seen, query) = state.split_once(' ')?;
        Some((seen.to_owned(), query.to_owned()))
    }
}

/// What the form says.
pub(crate) struct Answer {
    flow: String,
    signs_out: bool,
}

impl FromFields for Answer {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let flow = fields.required::<String>("flow");
        let decision = fields.optional::<String>("decision");
        Some(Self { flow: flow?, signs_out: decision?.as_deref() == Some("sign-out") })
    }
}

/// Signs out whoever was asked and says so; somebody else is asked themselves.
pub(super) async fn confirm(visit: Visit, form: FormBody<Answer>) -> Result<Response, Problem> {
    let answer = form.result.map_err(Problem::validation)?;
    let Some((seen, query)) = visit.open(&answer.flow) else {
        return show_page(&Message { page: visit.page, kind: MessageKind::FlowEnded });
    };
    if !answer.signs_out {
        return Ok(go_to(paths::ACCOUNT));
    }
    if visit.person.as_ref().is_some_and(|person| WayBack::shortly(person) != seen) {
        return Ok(go_to(&format!("{}?flow={}", endpoints::LOGOUT, answer.flow)));
    }
    let parameters = Parameters::parse(query.as_bytes()).map_err(|_| Code::MalformedRequest)?;
    match visit.site.app.end_session_for_client(&visit.op, &parameters, visit.person.as_ref(), true).await? {
        LogoutAnswer::Done { redirect_to, frames } => signed_out::leave(visit.page, frames, redirect_to),
        LogoutAnswer::Wrong(error) => visit.refuse(error),
        LogoutAnswer::Ask { .. } => Ok(go_to(&format!("{}?flow={}", endpoints::LOGOUT, answer.flow))),
    }
}

/// A request in a form, as at the authorization endpoint.
pub(super) async fn forward(State(_): State<Site>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let Ok(parameters) = answer::read_parameters(&parts, body).await else {
        return Err(Code::MalformedRequest.into());
    };
    Ok(go_to(&format!("{}?{}", endpoints::LOGOUT, parameters.to_form().as_str())))
}
