//! The one table from what use cases say to what the wire shows.

use doorward_app::failure::Failure;
use doorward_app::passwords::ResetError;
use doorward_app::signup::{ConfirmError, PasswordError};
use doorward_app::text::Texts;
use doorward_model::locale::Locale;
use doorward_model::password::{Violation, ViolationCode};

use crate::problem::{Code, FieldError, Problem};

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TooBusy { retry_after_seconds } => Self::new(Code::TooBusy).retry_after(retry_after_seconds),
            Failure::Unavailable { retry_after_seconds, .. } => {
                Self::caused_by(Code::Unavailable, failure).retry_after(retry_after_seconds)
            }
            Failure::Internal { .. } | Failure::Unrecorded { .. } => Self::internal(failure),
        }
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Refused(violations) => refused_password("password", &violations),
            PasswordError::Failure(failure) => failure.into(),
        }
    }
}

impl From<ConfirmError> for Problem {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::Invalid => Self::new(Code::InvalidOneTimeToken),
            ConfirmError::AddressTaken => Self::new(Code::Conflict),
            ConfirmError::Password(violations) => refused_password("password", &violations),
            ConfirmError::Failure(failure) => failure.into(),
        }
    }
}

impl From<ResetError> for Problem {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Invalid => Self::new(Code::InvalidOneTimeToken),
            ResetError::Password(violations) => refused_password("password", &violations),
            ResetError::Failure(failure) => failure.into(),
        }
    }
}

/// Every reason why the password in `field` is refused.
pub(crate) fn refused_password(field: &str, violations: &[Violation]) -> Problem {
    Problem::validation(password_errors(field, violations, Locale::English))
}

/// The same, in a language.
pub(crate) fn password_errors(field: &str, violations: &[Violation], locale: Locale) -> Vec<FieldError> {
    let texts = Texts::for_locale(locale);
    violations
        .iter()
        .map(|violation| {
            FieldError::new(field, violation.code.as_str(), texts.say(violation.feedback.key()).into_owned())
        })
        .collect()
}

/// Code and words for a password that no policy takes.
pub(crate) fn password_complaint(violation: Violation) -> (&'static str, &'static str) {
    let message = match violation.code {
        ViolationCode::TooLong => "A password of at most 256 characters is expected.",
        ViolationCode::TooShort | ViolationCode::Blocklisted | ViolationCode::TooWeak | ViolationCode::Composition => {
            "This password cannot be used."
        }
    };
    (violation.code.as_str(), message)
}
