//! The form of errors at the endpoints that answer in JSON (RFC 6749 section 5.2), and the body they all read.

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use doorward_app::oauth::{ClientRequest, ErrorCode, OAuthError, Parameters, TokenRefusal};
use doorward_app::op::Op;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::body::{FormFields, read_body};
use crate::edge::RefusedWith;
use crate::edge::limits::CredentialRefused;
use crate::extract;
use crate::problem::{Code, Problem};
use crate::site::Site;

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

#[derive(Serialize)]
struct Document {
    error: &'static str,
    error_description: &'static str,
}

/// What the edge refuses at these endpoints, as a body of the same form: too much, too often, the wrong type.
pub(crate) fn problem_document(code: Code) -> Vec<u8> {
    let error = match code.status().as_u16() {
        429 | 503 => "temporarily_unavailable",
        500.. => "server_error",
        401 => "invalid_token",
        _ => "invalid_request",
    };
    // Serializing two strings into memory has no failure.
    serde_json::to_vec(&Document { error, error_description: code.detail() }).unwrap_or_default()
}

/// An error of an endpoint that clients call.
pub(super) struct Refusal(pub(super) TokenRefusal);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self.0 {
            TokenRefusal::Failure(failure) => Problem::from(failure).into_response(),
            TokenRefusal::SlowDown { retry_after_seconds } => {
                Problem::new(Code::RateLimited).retry_after(retry_after_seconds).into_response()
            }
            TokenRefusal::OAuth { error, asks_for_basic } => {
                let mut response = document(error);
                // Clients' own secrets only: a code comes from a visitor, and whoever made up many of them at a client's
                // door would lock the client out.
                if error.code == ErrorCode::InvalidClient {
                    response.extensions_mut().insert(CredentialRefused);
                }
                if asks_for_basic && response.status() == StatusCode::UNAUTHORIZED {
                    let challenge = HeaderValue::from_static("Basic realm=\"token endpoint\", charset=\"UTF-8\"");
                    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                }
                response
            }
        }
    }
}

/// The status of an error (RFC 6749 section 5.2, RFC 6750 section 3.1).
pub(super) fn status(error: OAuthError) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST)
}

/// An error as JSON.
pub(super) fn document(error: OAuthError) -> Response {
    let status = status(error);
    let code = error.code.as_str();
    let document = Document { error: code, error_description: error.description };
    let mut response = (status, Json(document)).into_response();
    response.extensions_mut().insert(RefusedWith(code));
    response
}

/// What a client sends to one of its endpoints.
pub(super) struct ClientCall {
    pub(super) request: ClientRequest,
    pub(super) headers: HeaderMap,
}

impl<S: Sync> FromRequest<S> for ClientCall {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let parameters = read_parameters(&parts, body).await?;
        let (authorization, proofs) = (authorization(&parts), proofs(&parts));
        Ok(Self { request: ClientRequest { parameters, authorization, proofs }, headers: parts.headers })
    }
}

/// The parameters of a form, which are all in the body.
pub(super) async fn read_parameters(parts: &Parts, body: Body) -> Result<Parameters, Response> {
    FormFields::check_content_type(&parts.headers).map_err(IntoResponse::into_response)?;
    let timeout = extract::context(parts).map_err(IntoResponse::into_response)?.body_timeout;
    let bytes = read_body(body, timeout).await.map_err(IntoResponse::into_response)?;
    Parameters::parse_body(parts.uri.query(), &bytes).map_err(|error| document(error.into()))
}

/// The values of the `Authorization` headers; one that is no text is nobody's.
pub(super) fn authorization(parts: &Parts) -> Vec<String> {
    texts(parts, &header::AUTHORIZATION)
}

/// The values of the `DPoP` headers (RFC 9449 section 4.1).
pub(super) fn proofs(parts: &Parts) -> Vec<String> {
    texts(parts, &DPOP)
}

fn texts(parts: &Parts, name: &HeaderName) -> Vec<String> {
    let values = parts.headers.get_all(name).iter();
    values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

/// Tells whoever proves possession which nonce the next proof must show (RFC 9449 section 8 and 8.2).
pub(super) fn with_nonce(site: &Site, op: &Op, proofs: &[String], mut response: Response) -> Response {
    if !proofs.is_empty()
        && let Ok(nonce) = HeaderValue::from_str(&site.app.dpop_nonce(op.now))
    {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
    response
}
