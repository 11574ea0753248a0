//! The outermost layer: begins the request's context, and gives whatever comes back its final form.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tracing::Instrument as _;

use super::context::RequestContext;
use super::guard::guard;
use super::headers::{FormActionOrigin, FrameOrigins, Remarks, SharedCopy};
use super::observe::{Observed, RefusedWith};
use super::{Arrival, Station, cors, headers};
use crate::gateway::Gateway;
use crate::oidc;
use crate::page_error::ErrorPage;
use crate::problem::{Code, Problem};
use crate::route::Door;

/// Where somebody who is not signed in is sent from a page.
const SIGN_IN_PATH: &str = "/login";

/// Runs everything else and presents the answer.
pub(crate) async fn present<G: Gateway>(
    State(station): State<Arc<Station<G>>>,
    mut request: Request,
    next: Next,
) -> Response {
    let context = Arc::new(RequestContext::begin(&station, &request));
    request.extensions_mut().insert(Arc::clone(&context));
    let observed = Observed::begin(request.method(), &station.arrival);
    let span = observed.span(&context);
    let asked = Asked::by(&request, &context);

    let deadline = station.edge.settings.timeouts.total;
    let guarded = AssertUnwindSafe(guard(&station, &context, request, next)).catch_unwind();
    let answered = tokio::time::timeout(deadline, guarded).instrument(span.clone()).await;
    let response = match answered {
        Ok(Ok(response)) => response,
        Ok(Err(_payload)) => span.in_scope(after_panic),
        Err(_elapsed) => Problem::new(Code::TooBusy).into_response(),
    };

    span.in_scope(|| {
        let (response, problem) = finish(&station, &context, &asked, response);
        observed.finish(&station.meters, response.status(), problem, &context);
        response
    })
}

/// The panic's own words stay out of answer and log here: they may quote what a client sent. The process's panic hook
/// says where it happened.
fn after_panic() -> Response {
    metrics::counter!("panics_total").increment(1);
    tracing::error!("a handler panicked");
    Problem::new(Code::InternalError).into_response()
}

/// What of the request the presentation depends on.
struct Asked {
    /// For pages only: the others do not look at them.
    page: Option<AskedPage>,
}

struct AskedPage {
    headers: HeaderMap,
    path: String,
}

impl Asked {
    fn by(request: &Request, context: &RequestContext) -> Self {
        let headers = request.headers();
        let page = || AskedPage { headers: headers.clone(), path: request.uri().path().to_owned() };
        Self { page: context.door.is_page().then(page) }
    }
}

/// The final form of an answer, and the code of its problem.
fn finish<G: Gateway>(
    station: &Station<G>,
    context: &RequestContext,
    asked: &Asked,
    mut response: Response,
) -> (Response, Option<&'static str>) {
    let problem = problem_in(&mut response);
    if let Some(problem) = &problem {
        log_cause(problem);
        let allow = response.headers_mut().remove(header::ALLOW);
        response = Presenter { station, context, asked }.present(problem);
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    let extensions = response.extensions_mut();
    let remarks = Remarks {
        form_action: extensions.remove::<FormActionOrigin>(),
        frames: extensions.remove::<FrameOrigins>(),
        is_shared: extensions.remove::<SharedCopy>().is_some(),
    };
    let refused = extensions.remove::<RefusedWith>().map(|RefusedWith(code)| code);
    let status = response.status();
    let answer = response.headers_mut();
    for (name, value) in context.take_headers() {
        answer.append(name, value);
    }
    let public_url = &station.edge.settings.public_url;
    headers::apply(answer, status, context, &station.arrival, public_url, &remarks);
    if cors::is_open(&station.arrival) {
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = context.allowed_origin() {
            cors::open(answer, origin.clone());
        }
    }
    (response, problem.map(|problem| problem.code().slug()).or(refused))
}

/// The problem a handler returned, or the one that says what a library's own refusal means: what a framework has to say
/// in plain text never reaches a client.
fn problem_in(response: &mut Response) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let is_ours = [b"application/".as_slice(), b"text/html"].iter().any(|ours| content_type.starts_with(ours));
    let is_error = status.is_client_error() || status.is_server_error();
    (is_error && !is_ours).then(|| Problem::new(Code::from_status(status)))
}

/// A failure is logged once, here, with its chain of causes; the span carries the request id.
fn log_cause(problem: &Problem) {
    let Some(source) = problem.source() else { return };
    let mut chain = source.to_string();
    let mut next = source.source();
    while let Some(cause) = next {
        chain.push_str(": ");
        chain.push_str(&cause.to_string());
        next = cause.source();
    }
    tracing::error!(error = %chain, code = problem.code().slug(), "a request failed");
}

struct Presenter<'a, G> {
    station: &'a Station<G>,
    context: &'a RequestContext,
    asked: &'a Asked,
}

impl<G: Gateway> Presenter<'_, G> {
    fn present(&self, problem: &Problem) -> Response {
        let mut response = match &self.asked.page {
            // A page asked for with an `Authorization` header is no browser's; sending that round is no help.
            Some(_) if problem.code().wants_sign_in() && !self.context.has_authorization() => {
                return Redirect::to(SIGN_IN_PATH).into_response();
            }
            Some(page) => self.page(problem, page),
            None if self.context.door == Door::OAuth => {
                with_type(oidc::problem_document(problem.code()), "application/json")
            }
            None => self.document(problem),
        };
        *response.status_mut() = problem.code().status();
        let headers = response.headers_mut();
        if problem.code().status() == StatusCode::UNAUTHORIZED {
            // Bearer opens no password dialogue in browsers.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = problem.retry_after_seconds() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn document(&self, problem: &Problem) -> Response {
        let body = problem.document(&self.context.request_id.to_string(), self.context.now);
        with_type(body, "application/problem+json")
    }

    fn page(&self, problem: &Problem, asked: &AskedPage) -> Response {
        let is_routed = !matches!(self.station.arrival, Arrival::Nowhere);
        let html = (self.station.edge.settings.page_presenter)(&ErrorPage {
            site: &self.station.edge.settings.service_name,
            problem,
            request_id: &self.context.request_id.to_string(),
            retry_path: is_routed.then_some(asked.path.as_str()),
            nonce: self.context.nonce(),
            headers: &asked.headers,
        });
        with_type(html.into_bytes(), "text/html; charset=utf-8")
    }
}

fn with_type(body: Vec<u8>, content_type: &'static str) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
