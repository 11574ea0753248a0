//! The authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core 3.1.2).

use axum::extract::{Request, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use doorward_app::oauth::{Authorization, AuthorizationResponse, OAuthError, Parameters, Visitor, paths as endpoints};
use http::StatusCode;
use http::header;

use super::way_back::WayBack;
use super::{answer, consent};
use crate::edge::headers::FormActionOrigin;
use crate::extract::{MaybeSignedIn, Op, PreCookie};
use crate::pages::frame::{PublicFrame, go_to, show as show_page, show_with};
use crate::pages::views::{AuthorizeError, FormPost, Page, paths};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// Answers a request, or sends the visitor to sign in first.
pub(super) async fn show(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    PreCookie(browser): PreCookie,
    MaybeSignedIn(principal): MaybeSignedIn,
    uri: Uri,
) -> Result<Response, Problem> {
    let asked = uri.query().unwrap_or_default();
    let refused = |error: OAuthError| {
        show_with(
            answer::status(error),
            &AuthorizeError {
                page: page.clone(),
                description: error.description,
                request_id: op.request_id.to_string(),
            },
        )
    };
    let back = match asked.strip_prefix("flow=") {
        None => None,
        Some(flow) => match WayBack::open(&site, &op, &browser, flow) {
            Some(back) => Some(back),
            None => {
                return refused(OAuthError::invalid_request(
                    "this sign-in is over; go back to the application and begin again",
                ));
            }
        },
    };
    let query = back.as_ref().map_or(asked, |back| back.query.as_str()).to_owned();
    let query = query.as_str();
    let parameters = match Parameters::parse(query.as_bytes()) {
        Ok(parameters) => parameters,
        Err(error) => return refused(error.into()),
    };
    let visitor = Visitor {
        principal,
        sent_to_sign_in_at: back.as_ref().map(WayBack::sent_at),
        consent: back.as_ref().and_then(WayBack::answer),
    };
    match site.app.authorize(&op, &parameters, &visitor).await? {
        Authorization::Page(error) => refused(error),
        Authorization::SignIn { origin } => match WayBack::new(&op, query, origin).seal(&site, &op, &browser)? {
            Some(flow) => Ok(go_to(&format!("{}?flow={flow}", paths::LOGIN))),
            None => refused(OAuthError::invalid_request("the request is too long")),
        },
        Authorization::Consent { question, origin } => {
            let back = back.unwrap_or_else(|| WayBack::new(&op, query, origin)).asking(question.fingerprint());
            match back.seal(&site, &op, &browser)? {
                Some(flow) => consent::ask(&site, Page { flow, ..page }, &question, &back).await,
                None => refused(OAuthError::invalid_request("the request is too long")),
            }
        }
        Authorization::Answer { response, origin } => {
            let origin = origin.as_deref().and_then(FormActionOrigin::new);
            answer_client(response, origin, |action, fields| FormPost { page, action, fields })
        }
    }
}

fn answer_client(
    response: AuthorizationResponse,
    origin: Option<FormActionOrigin>,
    form: impl FnOnce(String, Vec<(&'static str, String)>) -> FormPost,
) -> Result<Response, Problem> {
    match response {
        // RFC 9700 section 4.12: 303, so that no browser posts again what it posted here.
        AuthorizationResponse::Redirect(to) => {
            let to = http::HeaderValue::from_str(&to).map_err(Problem::internal)?;
            Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
        }
        AuthorizationResponse::FormPost { action, fields } => {
            let mut shown = show_page(&form(action, fields))?;
            if let Some(origin) = origin {
                shown.extensions_mut().insert(origin);
            }
            Ok(shown)
        }
    }
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
