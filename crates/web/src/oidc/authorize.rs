//! The authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core 3.1.2).

use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::{IntoResponse, Response};
use doorward_app::oauth::{
    Authorization, AuthorizationResponse, ErrorCode, OAuthError, Parameters, Visitor, paths as endpoints,
};
use http::StatusCode;
use http::header;

use super::way_back::{Place, WayBack};
use super::{account, answer, consent};
use crate::cookies::PreNonce;
use crate::edge::RefusedWith;
use crate::edge::headers::FormActionOrigin;
use crate::extract::{MaybeSignedIn, Op, PreCookie, UiCookie};
use crate::pages::frame::{PublicFrame, go_to, in_language, leading_to, show as show_page, show_with};
use crate::pages::views::{AuthorizeError, FormPost, Leave, Page, paths};
use crate::problem::{Code, Problem};
use crate::site::Site;

const TOO_LONG: OAuthError = OAuthError::invalid_request("the request is too long");
const OVER: OAuthError =
    OAuthError::invalid_request("this sign-in is over; go back to the application and begin again");

/// Somebody in front of the endpoint, with the request they bring.
struct Visit {
    site: Site,
    op: doorward_app::op::Op,
    page: Page,
    browser: PreNonce,
    /// The request as it was carried here through a page of ours.
    back: Option<WayBack>,
    query: String,
}

/// Answers a request, or asks the visitor first what must be asked.
pub(super) async fn show(
    State(site): State<Site>,
    Op(op): Op,
    PreCookie(browser): PreCookie,
    MaybeSignedIn(principal): MaybeSignedIn,
    UiCookie(ui): UiCookie,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let asked = parts.uri.query().unwrap_or_default();
    let flow = asked.strip_prefix("flow=");
    let back = flow.and_then(|flow| WayBack::open_at(&site, &op, &browser, flow, Place::Authorize));
    let query = back.as_ref().map_or(asked, |back| back.query.as_str()).to_owned();
    let parameters = match (flow, &back) {
        (Some(_), None) => Err(OVER),
        _ => Parameters::parse(query.as_bytes()).map_err(OAuthError::from),
    };
    let visitor = Visitor {
        chose_account_at: principal.as_ref().and_then(|person| back.as_ref()?.chosen_at(person)),
        principal,
        sent_to_sign_in_at: back.as_ref().map(WayBack::sent_at),
        consent: back.as_ref().and_then(WayBack::answer),
    };
    let decided = match &parameters {
        Ok(parameters) => site.app.authorize(&op, parameters, &visitor).await?,
        Err(error) => Authorization::Page(*error),
    };
    // Most visitors are sent on at once, and see no page.
    if let Authorization::Answer { response: AuthorizationResponse::Redirect(to), error, .. } = &decided {
        return Ok(refused_with(*error, send_on(to)?));
    }
    let PublicFrame(mut page) = PublicFrame::from_request_parts(&mut parts, &site).await?;
    if let (Authorization::ChooseAccount { .. } | Authorization::Consent { .. }, Ok(parameters)) =
        (&decided, &parameters)
    {
        let wishes = site.app.wishes_of(op.now, parameters).await?;
        page = in_language(page, ui.as_deref(), &wishes.ui_locales);
    }
    Visit { site, op, page, browser, back, query }.present(decided).await
}

impl Visit {
    async fn present(self, decided: Authorization) -> Result<Response, Problem> {
        match decided {
            Authorization::Page(error) => self.refuse(error),
            Authorization::SignIn { origin } => self.lead_to(paths::LOGIN, origin),
            Authorization::SignUp { origin } => self.lead_to(paths::SIGNUP, origin),
            Authorization::ChooseAccount { person, origin } => {
                let back = self.way(origin);
                match self.page_with(&back)? {
                    Some(page) => account::ask(&self.site, page, &person, &back).await,
                    None => self.refuse(TOO_LONG),
                }
            }
            Authorization::Consent { question, origin } => {
                let back = self.way(origin).asking(question.fingerprint());
                match self.page_with(&back)? {
                    Some(page) => consent::ask(&self.site, page, &question, &back).await,
                    None => self.refuse(TOO_LONG),
                }
            }
            Authorization::Leave { response, origin, destination, error } => {
                let origin = origin.as_deref().and_then(FormActionOrigin::new);
                let (to, fields) = match response {
                    AuthorizationResponse::Redirect(to) => (to, Vec::new()),
                    AuthorizationResponse::FormPost { action, fields } => (action, fields),
                };
                let page = show_page(&Leave { page: self.page, destination, to, fields })?;
                Ok(refused_with(Some(error), leading_to(page, origin)))
            }
            Authorization::Answer { response, origin, error } => {
                let page = self.page;
                let form = |action, fields| FormPost { page, action, fields };
                Ok(refused_with(error, answer_client(response, origin.as_deref(), form)?))
            }
        }
    }

    fn refuse(&self, error: OAuthError) -> Result<Response, Problem> {
        let (page, request_id) = (self.page.clone(), self.op.request_id.to_string());
        let shown = AuthorizeError { page, description: error.description, request_id };
        Ok(refused_with(Some(error.code), show_with(answer::status(error), &shown)?))
    }

    /// The request with everything that was answered on the way.
    fn way(&self, origin: Option<String>) -> WayBack {
        self.back.clone().unwrap_or_else(|| WayBack::new(&self.op, &self.query, origin))
    }

    /// The frame of a page that carries the request; none when it is too long.
    fn page_with(&self, back: &WayBack) -> Result<Option<Page>, Problem> {
        let flow = back.seal(&self.site, &self.op, &self.browser)?;
        Ok(flow.map(|flow| Page { flow, ..self.page.clone() }))
    }

    /// To a page from which somebody comes back with another session: what was answered before is no answer then.
    fn lead_to(&self, path: &str, origin: Option<String>) -> Result<Response, Problem> {
        let back = WayBack::new(&self.op, &self.query, origin);
        match back.seal(&self.site, &self.op, &self.browser)? {
            Some(flow) => Ok(go_to(&format!("{path}?flow={flow}"))),
            None => self.refuse(TOO_LONG),
        }
    }
}

/// Has the error told in the request's own log line, also where it goes back to the client.
fn refused_with(error: Option<ErrorCode>, mut response: Response) -> Response {
    if let Some(error) = error {
        response.extensions_mut().insert(RefusedWith(error.as_str()));
    }
    response
}

fn answer_client(
    response: AuthorizationResponse,
    origin: Option<&str>,
    form: impl FnOnce(String, Vec<(&'static str, String)>) -> FormPost,
) -> Result<Response, Problem> {
    match response {
        AuthorizationResponse::Redirect(to) => send_on(&to),
        AuthorizationResponse::FormPost { action, fields } => {
            let origin = origin.and_then(FormActionOrigin::new);
            Ok(leading_to(show_page(&form(action, fields))?, origin))
        }
    }
}

/// RFC 9700 section 4.12: 303, so that no browser posts again what it posted here.
fn send_on(to: &str) -> Result<Response, Problem> {
    let to = http::HeaderValue::from_str(to).map_err(Problem::internal)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
}

/// A request in a form. Another site's form brings no cookie, so the browser is sent to the same request in an address,
/// which it follows with its cookies.
pub(super) async fn forward(request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let Ok(parameters) = answer::read_parameters(&parts, body).await else {
        return Err(Code::MalformedRequest.into());
    };
    Ok(go_to(&format!("{}?{}", endpoints::AUTHORIZE, parameters.to_form().as_str())))
}
