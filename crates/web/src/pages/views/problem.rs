//! What can be wrong with what a person entered.

use super::Page;

/// A problem that the person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No e-mail address.
    EmailMissing,
    /// Not an e-mail address.
    EmailInvalid,
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
    /// Too short.
    PasswordTooShort {
        /// The fewest characters it may have.
        min: u64,
    },
    /// Too long.
    PasswordTooLong {
        /// The most characters it may have.
        max: u64,
    },
    /// Holds a character that cannot be typed again everywhere, such as a control character.
    PasswordInvalid,
    /// On the list of common passwords.
    PasswordCommon,
    /// Built from the person's name, address or the service's name.
    PasswordPersonal,
    /// Repeats itself.
    PasswordRepeats,
    /// Follows an alphabet or counts.
    PasswordSequence,
    /// Follows the keyboard.
    PasswordKeyboard,
    /// Built from dates.
    PasswordDate,
    /// Too easy to guess for another reason.
    PasswordWeak,
    /// The same as before.
    PasswordSame,
    /// No code.
    CodeMissing,
    /// Not six digits.
    CodeInvalid,
    /// Not the code, or no longer.
    CodeWrong,
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
            Self::NameTooLong { max } | Self::PasswordTooLong { max } => page.say_with(id, "max", *max),
            Self::PasswordTooShort { min } => page.say_with(id, "min", *min),
            Self::Throttled { wait_seconds } | Self::Busy { wait_seconds } => {
                page.say_with(id, "time", page.span(wait_seconds))
            }
            _ => page.say(id),
        }
        .into_owned()
    }

    const fn text_id(&self) -> &'static str {
        match self {
            Self::EmailMissing => "problem-email-missing",
            Self::EmailInvalid => "problem-email-invalid",
            Self::NameTooLong { .. } => "problem-name-too-long",
            Self::NameInvalid => "problem-name-invalid",
            Self::PasswordMissing => "problem-password-missing",
            Self::CurrentPasswordMissing => "problem-current-password-missing",
            Self::CurrentPasswordWrong => "problem-current-password-wrong",
            Self::PasswordTooShort { .. } => "problem-password-too-short",
            Self::PasswordTooLong { .. } => "problem-password-too-long",
            Self::PasswordInvalid => "problem-password-invalid",
            Self::PasswordCommon => "problem-password-common",
            Self::PasswordPersonal => "problem-password-personal",
            Self::PasswordRepeats => "problem-password-repeats",
            Self::PasswordSequence => "problem-password-sequence",
            Self::PasswordKeyboard => "problem-password-keyboard",
            Self::PasswordDate => "problem-password-date",
            Self::PasswordWeak => "problem-password-weak",
            Self::PasswordSame => "problem-password-same",
            Self::CodeMissing => "problem-code-missing",
            Self::CodeInvalid => "problem-code-invalid",
            Self::CodeWrong => "problem-code-wrong",
            Self::Credentials => "problem-credentials",
            Self::Throttled { .. } => "problem-throttled",
            Self::Busy { .. } => "problem-busy",
            Self::FormExpired => "problem-form-expired",
        }
    }
}
