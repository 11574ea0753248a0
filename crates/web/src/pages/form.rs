//! What a posted form complains about, in the words of the views.

use doorward_app::failure::Failure;
use doorward_model::name;
use doorward_model::password::{Feedback, Password, Violation};

use super::views::Problem;
use crate::api::fields;
use crate::body::{Fields, FromFields};
use crate::problem::{self, FieldError};

/// A new password, chosen by whoever opened a link.
pub(crate) struct PasswordForm {
    pub(super) password: Password,
}

impl FromFields for PasswordForm {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let flow = fields.optional::<String>("flow");
        // There for password managers; whose account it is follows from the link.
        let email = fields.optional::<String>("email");
        let password = fields.required_as("password", fields::password);
        flow?;
        email?;
        Some(Self { password: password? })
    }
}

/// The complaint about a field, if there is one.
pub(crate) fn problem(errors: &[FieldError], field: &str, min_length: u64) -> Option<Problem> {
    let error = errors.iter().find(|error| error.pointer.strip_prefix('/') == Some(field))?;
    let is_missing = error.code == "required";
    Some(match field {
        "email" if is_missing => Problem::EmailMissing,
        "email" if error.code == "too_long" => Problem::EmailTooLong,
        "email" => Problem::EmailInvalid,
        "name" if error.code == "too_long" => Problem::NameTooLong { max: name::MAX_GRAPHEMES as u64 },
        "name" => Problem::NameInvalid,
        "code" if is_missing => Problem::CodeMissing,
        "code" => Problem::CodeInvalid,
        "current_password" if is_missing => Problem::CurrentPasswordMissing,
        "current_password" => Problem::CurrentPasswordWrong,
        _ if is_missing => Problem::PasswordMissing,
        _ if error.code == "too_long" => Problem::PasswordRefused { feedback: Feedback::Shorten, min: min_length },
        _ => Problem::PasswordInvalid,
    })
}

/// The first reason why a password is refused.
pub(crate) fn refused(violations: &[Violation], min_length: u64) -> Option<Problem> {
    violations.first().map(|violation| Problem::PasswordRefused { feedback: violation.feedback, min: min_length })
}

/// A hash pool that is full is told beside the form, so that nothing typed is lost; anything else is an error page.
pub(crate) fn busy(failure: Failure) -> Result<Problem, problem::Problem> {
    match failure {
        Failure::TooBusy { retry_after_seconds } => Ok(Problem::Busy { wait_seconds: retry_after_seconds.into() }),
        other => Err(other.into()),
    }
}
