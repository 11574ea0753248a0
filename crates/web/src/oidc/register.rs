//! Clients that register themselves (RFC 7591) and manage their registration (RFC 7592), where the operator lets them.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use doorward_app::clients::registration::RegistrationError;
use doorward_app::clients::{ClientProblem, RegisteredClient};
use doorward_app::oauth::ErrorCode;
use http::request::Parts;
use http::{StatusCode, header};
use serde_json::{Map, Value, json};

use super::answer;
use crate::body::read_object;
use crate::edge::RefusedWith;
use crate::edge::limits::CredentialRefused;
use crate::extract::{self, Op, PathClient};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// The longest description of what is wrong with a registration; the rest is told once the first is mended.
const MAX_DESCRIPTION_CHARS: usize = 1_000;

/// The token in the `Authorization` header (RFC 6750 section 2.1).
pub(super) struct Bearer(String);

impl FromRequestParts<Site> for Bearer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Response> {
        if !site.app.lets_clients_register() {
            return Err(Problem::from(Code::NotFound).into_response());
        }
        let authorization = answer::authorization(parts);
        let [one] = authorization.as_slice() else { return Err(challenge()) };
        match one.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Self(token.trim().to_owned())),
            _ => Err(challenge()),
        }
    }
}

/// What a client wants to be.
pub(super) struct Wanted(Map<String, Value>);

impl<S: Sync> FromRequest<S> for Wanted {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let timeout = extract::context(&parts)?.body_timeout;
        read_object(&parts.headers, body, timeout).await.map(Self)
    }
}

/// Registers a client.
pub(super) async fn create(
    State(site): State<Site>,
    Op(op): Op,
    Bearer(token): Bearer,
    Wanted(members): Wanted,
) -> Result<Response, Refusal> {
    let registered = site.app.register_itself(&op, &token, &members).await?;
    let mut told = tell(&site, &registered.new.registered, &registered.token.reveal());
    if let Some(secret) = &registered.new.secret {
        told.insert("client_secret".to_owned(), json!(secret.reveal().as_str()));
        // It does not run out (RFC 7591 section 3.2.1).
        told.insert("client_secret_expires_at".to_owned(), json!(0));
    }
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

/// Tells a client what is registered of it. Its secret was told once.
pub(super) async fn show(
    State(site): State<Site>,
    Bearer(token): Bearer,
    PathClient(id): PathClient,
) -> Result<Response, Refusal> {
    let registered = site.app.find_self_registered(id.as_str(), &token).await?;
    Ok(Json(tell(&site, &registered, &token)).into_response())
}

/// Makes a client what it wants to be.
pub(super) async fn update(
    State(site): State<Site>,
    Op(op): Op,
    Bearer(token): Bearer,
    PathClient(id): PathClient,
    Wanted(members): Wanted,
) -> Result<Response, Refusal> {
    let registered = site.app.rewrite_itself(&op, id.as_str(), &token, &members).await?;
    Ok(Json(tell(&site, &registered, &token)).into_response())
}

/// Removes a client.
pub(super) async fn delete(
    State(site): State<Site>,
    Op(op): Op,
    Bearer(token): Bearer,
    PathClient(id): PathClient,
) -> Result<Response, Refusal> {
    site.app.delete_itself(&op, id.as_str(), &token).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What is registered, and where and with what it is managed (RFC 7591 section 3.2.1, RFC 7592 section 3).
fn tell(site: &Site, it: &RegisteredClient, token: &str) -> Map<String, Value> {
    let mut members = it.client.to_json();
    members.extend([
        ("client_id".to_owned(), json!(it.client.id())),
        ("client_id_issued_at".to_owned(), json!(it.created_at.as_seconds())),
        ("registration_access_token".to_owned(), json!(token)),
        ("registration_client_uri".to_owned(), json!(site.app.registration_uri(&it.client))),
    ]);
    members
}

/// An answer that is none of the above.
pub(super) struct Refusal(RegistrationError);

impl From<RegistrationError> for Refusal {
    fn from(error: RegistrationError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self.0 {
            RegistrationError::InvalidToken => {
                let mut response = challenge();
                response.extensions_mut().insert(CredentialRefused);
                response
            }
            RegistrationError::Refused(problems) => explain(&problems),
            RegistrationError::Changed => Problem::from(Code::Conflict).into_response(),
            RegistrationError::Failure(failure) => Problem::from(failure).into_response(),
        }
    }
}

/// RFC 6750 section 3.1.
fn challenge() -> Response {
    let code = ErrorCode::InvalidToken.as_str();
    let document =
        json!({"error": code, "error_description": "a token for registrations is needed, in the Authorization header"});
    let words = format!("Bearer error=\"{code}\"");
    let mut response = (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, words)], Json(document)).into_response();
    response.extensions_mut().insert(RefusedWith(code));
    response
}

/// RFC 7591 section 3.2.2.
fn explain(problems: &[ClientProblem]) -> Response {
    let is_address = problems.iter().any(|problem| problem.field.starts_with("redirect_uris"));
    let code = if is_address { ErrorCode::InvalidRedirectUri } else { ErrorCode::InvalidClientMetadata }.as_str();
    let lines: Vec<String> = problems.iter().map(|problem| format!("{} {}", problem.field, problem.message)).collect();
    // RFC 6749 section 5.2 has a list of characters.
    let is_allowed = |letter: &char| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\');
    let description: String = lines.join("; ").chars().filter(is_allowed).take(MAX_DESCRIPTION_CHARS).collect();
    let document = json!({"error": code, "error_description": description});
    let mut response = (StatusCode::BAD_REQUEST, Json(document)).into_response();
    response.extensions_mut().insert(RefusedWith(code));
    response
}
