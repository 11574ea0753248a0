//! The page for a request that could not be answered.

use askama::Template;

use super::{Page, paths};
use crate::problem::{self, Code};

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Nothing at this address (404).
    NotFound,
    /// Not with this method (405).
    MethodNotAllowed,
    /// Unreadable (400, 414, 415, 422, 431).
    BadRequest,
    /// The protection against foreign forms did not accept it (403).
    FormExpired,
    /// Not for this account (403).
    Forbidden,
    /// Too large (413).
    TooLarge,
    /// Too many requests (429).
    RateLimited {
        /// How long to wait.
        wait_seconds: u64,
    },
    /// A defect or an unexpected state (500).
    Internal,
    /// Busy, starting, stopping, or the database is away (503).
    Unavailable {
        /// How long to wait.
        wait_seconds: u64,
    },
}

impl FailureKind {
    /// Every kind, with an example wait.
    pub const EXAMPLES: [Self; 9] = [
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::BadRequest,
        Self::FormExpired,
        Self::Forbidden,
        Self::TooLarge,
        Self::RateLimited { wait_seconds: 40 },
        Self::Internal,
        Self::Unavailable { wait_seconds: 5 },
    ];

    /// The page that tells of `problem`.
    pub fn of(problem: &problem::Problem) -> Self {
        let wait_seconds = problem.retry_after_seconds().unwrap_or(1).into();
        match problem.code() {
            Code::NotFound => Self::NotFound,
            Code::MethodNotAllowed => Self::MethodNotAllowed,
            Code::CsrfFailed => Self::FormExpired,
            Code::Forbidden | Code::ReauthenticationRequired | Code::TermsRequired => Self::Forbidden,
            Code::PayloadTooLarge => Self::TooLarge,
            Code::RateLimited => Self::RateLimited { wait_seconds },
            Code::TooBusy | Code::Unavailable => Self::Unavailable { wait_seconds },
            Code::InternalError => Self::Internal,
            Code::MalformedRequest
            | Code::ValidationFailed
            | Code::InvalidCredentials
            | Code::InvalidToken
            | Code::InvalidOneTimeToken
            | Code::TokenExpired
            | Code::SessionExpired
            | Code::SessionRevoked
            | Code::TokenReused
            | Code::Conflict
            | Code::RequestTimeout
            | Code::UnsupportedMediaType
            | Code::UriTooLong
            | Code::HeadersTooLarge
            | Code::MisdirectedRequest => Self::BadRequest,
        }
    }

    const fn ids(self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => ("failure-not-found-title", "failure-not-found-text"),
            Self::MethodNotAllowed => ("failure-method-title", "failure-method-text"),
            Self::BadRequest => ("failure-bad-request-title", "failure-bad-request-text"),
            Self::FormExpired => ("failure-form-expired-title", "failure-form-expired-text"),
            Self::Forbidden => ("failure-forbidden-title", "failure-forbidden-text"),
            Self::TooLarge => ("failure-too-large-title", "failure-too-large-text"),
            Self::RateLimited { .. } => ("failure-rate-title", "failure-rate-text"),
            Self::Internal => ("failure-internal-title", "failure-internal-text"),
            Self::Unavailable { .. } => ("failure-unavailable-title", "failure-unavailable-text"),
        }
    }
}

/// A request that could not be answered. Shows nothing of the cause but the request id that finds it in the log.
#[derive(Template, Clone, Debug)]
#[template(path = "failure.html")]
pub struct Failure {
    /// What all pages share.
    pub page: Page,
    /// Why.
    pub kind: FailureKind,
    /// A path of this site to try again at; none where there is no such page.
    pub retry_path: Option<String>,
    /// The id that joins this page and the log.
    pub request_id: String,
}

impl Failure {
    fn title(&self) -> String {
        self.page.say(self.kind.ids().0).into_owned()
    }

    fn text(&self) -> String {
        let id = self.kind.ids().1;
        match self.kind {
            FailureKind::RateLimited { wait_seconds } | FailureKind::Unavailable { wait_seconds } => {
                self.page.say_with(id, "time", self.page.span(&wait_seconds)).into_owned()
            }
            _ => self.page.say(id).into_owned(),
        }
    }
}
