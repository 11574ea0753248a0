//! The checks between the wire and the handler, in order.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;

use doorward_app::authentication::AuthenticationError;

use super::authenticate::{Presented, authenticate};
use super::context::RequestContext;
use super::limits::CredentialRefused;
use super::{Arrival, Station, cors, limits, shape};
use crate::body::{FormFields, read_body};
use crate::csrf;
use crate::gateway::Gateway;
use crate::problem::{Code, Problem};
use crate::rate_limit::{Refused, Subject};
use crate::route::{Access, CsrfRule, Door, RateClass, RouteInfo};

/// Lets a request through to its handler, or answers why not.
pub(crate) async fn guard<G: Gateway>(
    station: &Station<G>,
    context: &RequestContext,
    request: Request,
    next: Next,
) -> Response {
    let (settings, arrival) = (&station.edge.settings, &station.arrival);
    if let Some(origin) = cors::listed_origin(arrival, request.headers(), settings) {
        context.allow_origin(origin);
    }
    let doubtful = cors::doubtful_origin(arrival, request.headers(), settings);
    let checked = match shape::check(&request, &context.cookies, &settings.public_url) {
        Err(problem) => Err(problem),
        Ok(()) => match arrival {
            Arrival::Route(route) => {
                let checked = check_route(station, route, context, request).await;
                // Whoever is over a limit costs no look-up.
                if !matches!(&checked, Err(problem) if problem.code() == Code::RateLimited) {
                    allow_client_origin(station, context, doubtful).await;
                }
                checked
            }
            Arrival::OtherMethod { path, .. } => {
                let answer = cors::preflight(arrival, request.method(), request.headers());
                match check_preflight(station, path.rate, context, answer, doubtful).await {
                    Ok(Some(answer)) => return answer,
                    Ok(None) => Ok(request),
                    Err(problem) => Err(problem),
                }
            }
            Arrival::Nowhere => charge_stranger(station, RateClass::Read, context).map(|()| request),
        },
    };
    let request = match checked {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    let response = next.run(request).await;
    if response.extensions().get::<CredentialRefused>().is_some() {
        count_refused(station, Refused::Invalid, context);
    }
    response
}

/// Lets the answer to a preflight through if somebody allows the origin.
async fn check_preflight<G: Gateway>(
    station: &Station<G>,
    class: RateClass,
    context: &RequestContext,
    answer: Option<Response>,
    doubtful: Option<HeaderValue>,
) -> Result<Option<Response>, Problem> {
    if answer.is_none() || context.allowed_origin().is_none() {
        charge_stranger(station, class, context)?;
        allow_client_origin(station, context, doubtful).await;
    }
    Ok(answer.filter(|_| context.allowed_origin().is_some()))
}

/// Lets the scripts of a client that lives at this origin read the answer.
async fn allow_client_origin<G: Gateway>(
    station: &Station<G>,
    context: &RequestContext,
    doubtful: Option<HeaderValue>,
) {
    let Some(origin) = doubtful else { return };
    let Ok(text) = origin.to_str() else { return };
    if station.edge.gateway.is_client_origin(text).await {
        context.allow_origin(origin);
    }
}

fn count_refused<G: Gateway>(station: &Station<G>, kind: Refused, context: &RequestContext) {
    station.edge.limits.charge_refused(kind, Subject::of_address(context.address), context.now);
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
    let presented = Presented::by(request.headers(), &context.cookies);
    let asks_who = route.access != Access::Public && !matches!(presented, Presented::Nothing);
    if matches!(route.rate, RateClass::Credential | RateClass::Renewal) {
        limits::check_refused(&station.edge.limits, Refused::Invalid, context)?;
    }
    if !asks_who {
        charge_stranger(station, route.rate, context)?;
    }
    check_origin(station, route, context, &presented, &request)?;
    if asks_who {
        check_credential(station, route, context, &presented).await?;
    } else if needs_session(route.access) {
        return Err(Code::InvalidToken.into());
    }
    check_form(route, context, request).await
}

fn needs_session(access: Access) -> bool {
    match access {
        Access::Public | Access::Optional => false,
        Access::Session | Access::AdminSession => true,
    }
}

/// Signs the request in, or refuses it; where signing in is optional a cookie that is not live counts as none.
async fn check_credential<G: Gateway>(
    station: &Station<G>,
    route: &RouteInfo,
    context: &RequestContext,
    presented: &Presented<'_>,
) -> Result<(), Problem> {
    let edge = &station.edge;
    let may_stay_anonymous = route.access == Access::Optional && !presented.is_header();
    match limits::check_refused(&edge.limits, presented.refused(), context) {
        Ok(()) => {}
        Err(_) if may_stay_anonymous => return charge_stranger(station, route.rate, context),
        Err(problem) => return Err(problem),
    }
    let op = context.op();
    match authenticate(&edge.gateway, &op, presented).await {
        Ok(Some(principal)) => {
            limits::charge(&edge.limits, route.rate, Subject::of_session(&principal.session_id), context)?;
            if route.access == Access::AdminSession && !principal.is_admin {
                return Err(Code::Forbidden.into());
            }
            context.sign_in(principal);
            Ok(())
        }
        Ok(None) => Err(Code::InvalidToken.into()),
        Err(error @ AuthenticationError::Unchecked(_)) => Err(error.into()),
        Err(error) => {
            count_refused(station, presented.refused(), context);
            if may_stay_anonymous { charge_stranger(station, route.rate, context) } else { Err(error.into()) }
        }
    }
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
    if matches!(route.csrf, CsrfRule::Safe | CsrfRule::WithoutCookies) || is_exempt {
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
