//! Errors on the wire: one closed list of codes, one value that handlers return, presented by the edge in the
//! form of the door (RFC 9457 for the API, HTML for pages).

mod code;

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use doorward_app::authentication::AuthenticationError;
use doorward_app::failure::Failure;
use doorward_model::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

pub use code::Code;

use crate::edge::limits::{self, CredentialRefused};

/// What is wrong with one field of a request. Never holds the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where, as a JSON pointer (RFC 6901); also for form fields and query parameters.
    pub pointer: String,
    /// What, as a stable slug.
    pub code: &'static str,
    /// What, for people.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
}

impl FieldError {
    /// A complaint about the top-level field `name`.
    pub fn new(name: &str, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: pointer_to(name), code, message: message.into() }
    }
}

/// The JSON pointer of a top-level member, shortened when somebody sends a monstrous name.
fn pointer_to(name: &str) -> String {
    let shown: String = name.chars().take(64).collect();
    format!("/{}", shown.replace('~', "~0").replace('/', "~1"))
}

/// A refusal or failure as handlers return it. It becomes a response in exactly one place, which knows the
/// door, the request id and the time.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    errors: Vec<FieldError>,
    retry_after_seconds: Option<u32>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A problem with nothing to add to its code.
    pub fn new(code: Code) -> Self {
        Self { code, errors: Vec::new(), retry_after_seconds: None, source: None }
    }

    /// A validation failure with every field's complaint.
    pub fn validation(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(Code::ValidationFailed) }
    }

    /// A failure whose cause goes to the log, once, and never to the client.
    pub fn caused_by(code: Code, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..Self::new(code) }
    }

    /// An unexpected failure; its cause goes to the log.
    pub fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::caused_by(Code::InternalError, source)
    }

    /// When the client may try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds.max(1));
        self
    }

    /// What went wrong.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The complaints about fields.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// Seconds for `Retry-After`: always present with 429 and 503.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        let is_expected = matches!(self.code.status().as_u16(), 429 | 503);
        self.retry_after_seconds.or(is_expected.then_some(DEFAULT_RETRY_AFTER_SECONDS))
    }

    /// The cause, for the log.
    pub(crate) fn source(&self) -> Option<&(dyn Error + Send + Sync)> {
        self.source.as_deref()
    }

    /// The RFC 9457 document.
    pub(crate) fn document(&self, request_id: &str, now: Timestamp) -> Vec<u8> {
        let document = Document {
            kind: format!("urn:doorward:problem:{}", self.code.slug()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            code: self.code.slug(),
            detail: self.code.detail(),
            request_id,
            errors: &self.errors,
            timestamp: now,
        };
        // Serializing strings and numbers into memory has no failure; an empty body is still a valid answer.
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

const DEFAULT_RETRY_AFTER_SECONDS: u32 = 5;

/// What went wrong (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document<'a> {
    /// `urn:doorward:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    kind: String,
    /// A few words for people.
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What, as a stable slug.
    code: &'a str,
    /// A sentence that is safe for everybody to read.
    detail: &'a str,
    /// Names this request in the server's log.
    request_id: &'a str,
    /// What is wrong with which field; with `validation_failed` only.
    #[schema(required = false)]
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
    /// When.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        Self::validation(vec![error])
    }
}

impl From<AuthenticationError> for Problem {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Invalid => Self::new(Code::InvalidToken),
            AuthenticationError::TokenExpired => Self::new(Code::TokenExpired),
            AuthenticationError::SessionExpired => Self::new(Code::SessionExpired),
            AuthenticationError::SessionRevoked => Self::new(Code::SessionRevoked),
            AuthenticationError::Unchecked(source) => Failure::from(source).into(),
        }
    }
}

impl IntoResponse for Problem {
    /// Status and the problem itself as an extension: the edge writes the body.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        if limits::is_invalid_credential(self.code) {
            response.extensions_mut().insert(CredentialRefused);
        }
        response.extensions_mut().insert(self);
        response
    }
}
