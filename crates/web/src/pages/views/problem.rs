//! What can be wrong with what a person entered.

use doorward_model::email::EmailError;
use doorward_model::name::{self, NameError};
use doorward_model::password::Feedback;

use super::Page;

/// A problem that the person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No e-mail address.
    EmailMissing,
    /// Not an e-mail address.
    EmailInvalid,
    /// Longer than an address can be.
    EmailTooLong,
    /// The address has an account. Only whoever holds the first administrator's link is told so.
    EmailTaken,
    /// The name is too long.
    NameTooLong {
        /// The most characters it may have.
        max: u64,
    },
    /// The name holds control or direction characters.
    NameInvalid,
    /// No password.
    PasswordMissing,
    /// No current password.
    CurrentPasswordMissing,
    /// The current password is wrong.
    CurrentPasswordWrong,
    /// Against the rules for passwords.
    PasswordRefused {
        /// Which rule.
        feedback: Feedback,
        /// The fewest characters a password may have.
        min: u64,
    },
    /// Holds a character that cannot be used.
    PasswordInvalid,
    /// The same as before.
    PasswordSame,
    /// No code.
    CodeMissing,
    /// Not six digits.
    CodeInvalid,
    /// Not the code, or no longer.
    CodeWrong,
    /// No device waits with this code.
    DeviceCodeWrong,
    /// Address and password do not belong together; the answer to every refused sign-in.
    Credentials,
    /// Too many attempts.
    Throttled {
        /// How long to wait.
        wait_seconds: u64,
    },
    /// No password can be checked now.
    Busy {
        /// How long to wait.
        wait_seconds: u64,
    },
    /// The form's protection token is no longer valid; what was typed is kept.
    FormExpired,
}

impl Problem {
    /// What to tell the person.
    pub fn text(&self, page: &Page) -> String {
        let id = self.text_id();
        match self {
            Self::NameTooLong { max } => page.say_with(id, "max", *max),
            Self::PasswordRefused { feedback: Feedback::Lengthen, min } => page.say_with(id, "min", *min),
            Self::Throttled { wait_seconds } | Self::Busy { wait_seconds } => {
                page.say_with(id, "time", page.span(wait_seconds))
            }
            _ => page.say(id),
        }
        .into_owned()
    }

    const fn text_id(self) -> &'static str {
        match self {
            Self::EmailMissing => "problem-email-missing",
            Self::EmailInvalid => "problem-email-invalid",
            Self::EmailTooLong => "problem-email-too-long",
            Self::EmailTaken => "problem-email-taken",
            Self::NameTooLong { .. } => "problem-name-too-long",
            Self::NameInvalid => "problem-name-invalid",
            Self::PasswordMissing => "problem-password-missing",
            Self::CurrentPasswordMissing => "problem-current-password-missing",
            Self::CurrentPasswordWrong => "problem-current-password-wrong",
            // The page knows the number; the key's own text, which the API shows too, does without.
            Self::PasswordRefused { feedback: Feedback::Lengthen, .. } => "problem-password-too-short",
            Self::PasswordRefused { feedback, .. } => feedback.key(),
            Self::PasswordInvalid => "problem-password-invalid",
            Self::PasswordSame => "problem-password-same",
            Self::CodeMissing => "problem-code-missing",
            Self::CodeInvalid => "problem-code-invalid",
            Self::CodeWrong => "problem-code-wrong",
            Self::DeviceCodeWrong => "problem-device-code-wrong",
            Self::Credentials => "problem-credentials",
            Self::Throttled { .. } => "problem-throttled",
            Self::Busy { .. } => "problem-busy",
            Self::FormExpired => "problem-form-expired",
        }
    }
}

impl From<EmailError> for Problem {
    fn from(error: EmailError) -> Self {
        match error {
            EmailError::TooLong => Self::EmailTooLong,
            EmailError::Invalid => Self::EmailInvalid,
        }
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        match error {
            NameError::TooLong => Self::NameTooLong { max: name::MAX_GRAPHEMES as u64 },
            NameError::TooShort | NameError::Invalid => Self::NameInvalid,
        }
    }
}
