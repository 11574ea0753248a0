//! `JsonBody<T>`: the body of an API call.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use serde_json::{Map, Value};

use super::fields::{Fields, FromFields};
use super::{is_content_type, read_body, strict_json};
use crate::edge::context::RequestContext;
use crate::problem::{Code, FieldError, Problem};

/// A body of JSON: 415 for another type, 400 when it cannot be read, 422 with every complaint about its fields.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

/// As [`JsonBody`], for calls whose body may be left out altogether.
#[derive(Debug)]
pub struct OptionalJson<T>(pub Option<T>);

impl<T: FromFields, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let context = context(&request)?;
        let (parts, body) = request.into_parts();
        check_content_type(&parts.headers)?;
        let bytes = read_body(body, context.body_timeout).await?;
        read_fields(&bytes).map(Self)
    }
}

impl<T: FromFields, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let context = context(&request)?;
        let (parts, body) = request.into_parts();
        let bytes = read_body(body, context.body_timeout).await?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        check_content_type(&parts.headers)?;
        read_fields(&bytes).map(|value| Self(Some(value)))
    }
}

/// An object whose members somebody else judges: 415 for another type, 400 when it cannot be read or is no object.
pub(crate) async fn read_object(
    headers: &HeaderMap,
    body: Body,
    timeout: Duration,
) -> Result<Map<String, Value>, Problem> {
    check_content_type(headers)?;
    let bytes = read_body(body, timeout).await?;
    match strict_json::parse(&bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) | Err(_) => Err(Code::MalformedRequest.into()),
    }
}

fn context(request: &Request) -> Result<Arc<RequestContext>, Problem> {
    request.extensions().get().cloned().ok_or_else(|| Code::InternalError.into())
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    if is_content_type(headers, "application/json") { Ok(()) } else { Err(Code::UnsupportedMediaType.into()) }
}

fn read_fields<T: FromFields>(bytes: &[u8]) -> Result<T, Problem> {
    let value = strict_json::parse(bytes).map_err(|_| Code::MalformedRequest)?;
    let Value::Object(members) = value else {
        let error = FieldError { pointer: String::new(), code: "wrong_type", message: "An object is expected.".into() };
        return Err(error.into());
    };
    Fields::new(members).read().map_err(Problem::validation)
}
