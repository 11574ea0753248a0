//! The checks between the wire and the handler, in order.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::authenticate::{Identity, Presented, authenticate};
use super::context::RequestContext;
use super::{Arrival, Station, cors, limits, shape};
use crate::body::{FormFields, read_body};
use crate::csrf;
use crate::gateway::Gateway;
use crate::problem::{Code, Problem};
use crate::rate_limit::Subject;
use crate::route::{Access, CsrfRule, Door, RateClass, RouteInfo};

/// Lets a request through to its handler, or answers why not.
pub(crate) async fn guard<G: Gateway>(
    State(station): State<Arc<Station<G>>>,
    request: Request,
    next: Next,
) -> Response {
    // `present` runs around this and has put the context there.
    let Some(context) = request.extensions().get::<Arc<RequestContext>>().cloned() else {
        return Problem::new(Code::InternalError).into_response();
    };
    let settings = &station.edge.settings;
    let checked = match shape::check(&request, &context.cookies, &settings.public_url) {
        Err(problem) => Err(problem),
        Ok(()) => match &station.arrival {
            Arrival::Route(route) => check_route(&station, route, &context, request).await,
            Arrival::OtherMethod { path, .. } => {
                if let Some(answer) = cors::preflight(&station.arrival, request.method(), request.headers(), settings) {
                    return answer;
                }
                let counted = charge_stranger(&station, path.rate, &context);
                counted.map(|()| request)
            }
            Arrival::Nowhere => charge_stranger(&station, RateClass::Read, &context).map(|()| request),
        },
    };
    let request = match checked {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    let response = next.run(request).await;
    let problem = response.extensions().get::<Problem>();
    if problem.is_some_and(|problem| limits::is_invalid_credential(problem.code())) {
        count_invalid_credential(&station, &context);
    }
    response
}

fn count_invalid_credential<G: Gateway>(station: &Station<G>, context: &RequestContext) {
    station.edge.limits.charge_invalid_credential(Subject::of_address(context.address), context.now);
}

fn charge_stranger<G: Gateway>(
    station: &Station<G>,
    class: RateClass,
    context: &RequestContext,
) -> Result<(), Problem> {
    limits::charge(&station.edge.limits, class, Subject::of_address(context.address), context)
}

async fn check_route<G: Gateway>(
    station: &Station<G>,
    route: &RouteInfo,
    context: &RequestContext,
    request: Request,
) -> Result<Request, Problem> {
    let edge = &station.edge;
    let headers = request.headers();
    let presented = Presented::by(headers, &context.cookies);
    let asks_who = route.access != Access::Public && !matches!(presented, Presented::Nothing);
    if asks_who || matches!(route.rate, RateClass::Credential | RateClass::Renewal) {
        limits::check_invalid_credentials(&edge.limits, context)?;
    }
    if !asks_who {
        charge_stranger(station, route.rate, context)?;
    }
    check_origin(station, route, context, &presented, &request)?;
    let op = context.op();
    let identity = authenticate(&edge.gateway, &op, route.access, &presented).await;
    if asks_who && identity.as_ref().is_err_and(|problem| limits::is_invalid_credential(problem.code())) {
        count_invalid_credential(station, context);
    }
    match identity? {
        Identity::Known(principal) => {
            limits::charge(&edge.limits, route.rate, Subject::of_session(&principal.session_id), context)?;
            if route.access == Access::AdminSession && !principal.is_admin {
                return Err(Code::Forbidden.into());
            }
            context.sign_in(principal);
        }
        Identity::Anonymous if asks_who => charge_stranger(station, route.rate, context)?,
        Identity::Anonymous => {}
    }
    check_form(route, context, request).await
}

/// Everything against forged requests that can be decided from the headers alone.
fn check_origin<G: Gateway>(
    station: &Station<G>,
    route: &RouteInfo,
    context: &RequestContext,
    presented: &Presented<'_>,
    request: &Request,
) -> Result<(), Problem> {
    let headers = request.headers();
    let settings = &station.edge.settings;
    if matches!(route.door, Door::Api) && csrf::is_foreign_embedding(headers) {
        return Err(Code::CsrfFailed.into());
    }
    let is_exempt = route.csrf == CsrfRule::SessionHeader && presented.is_header();
    if route.csrf == CsrfRule::Safe || is_exempt {
        return Ok(());
    }
    context.comes_from(csrf::check_source(headers, &context.cookies, route, settings)?);
    if route.csrf == CsrfRule::SessionHeader {
        csrf::check_header_token(headers, &context.cookies)?;
    }
    Ok(())
}

/// Forms carry their token in the body, so the body is read here and kept for the handler: no handler can forget it.
async fn check_form(route: &RouteInfo, context: &RequestContext, request: Request) -> Result<Request, Problem> {
    if !matches!(route.csrf, CsrfRule::PublicForm | CsrfRule::SessionForm) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    FormFields::check_content_type(&parts.headers)?;
    let mut form = FormFields::parse(&read_body(body, context.body_timeout).await?)?;
    let token = form.take(csrf::TOKEN_FIELD);
    csrf::check_form_token(route.csrf, token.as_deref().map(String::as_str), &context.cookies)?;
    context.keep_form(form);
    Ok(Request::from_parts(parts, axum::body::Body::empty()))
}
