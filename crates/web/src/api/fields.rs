//! How the fields that many calls share are read.

use doorward_model::email::EmailAddress;
use doorward_model::locale::Locale;
use doorward_model::name::DisplayName;
use doorward_model::password::Password;
use doorward_model::secret::{PlainToken, SecretText, TokenKind};

use crate::api::outcome::password_complaint;

type Read<T> = Result<T, (&'static str, &'static str)>;

/// An address.
pub(crate) fn email(text: String) -> Read<EmailAddress> {
    let read = EmailAddress::parse(&text);
    drop(text);
    read.map_err(|error| (error.code(), "An e-mail address such as name@example.com is expected."))
}

/// A password within the bounds of length that hold for every password.
pub(crate) fn password(text: SecretText) -> Read<Password> {
    let read = Password::new(text.reveal());
    drop(text);
    read.map_err(password_complaint)
}

/// A display name.
pub(crate) fn name(text: String) -> Read<DisplayName> {
    let read = DisplayName::parse(&text);
    drop(text);
    read.map_err(|error| (error.code(), "A name of 1 to 100 characters on one line is expected."))
}

/// A language the product speaks.
pub(crate) fn locale(text: String) -> Read<Locale> {
    let read = Locale::parse(&text);
    drop(text);
    read.ok_or(("unknown_locale", "This language is not available."))
}

/// A one-time token. Another text is as wrong as an unknown token, and is told so in the same way.
pub(crate) fn one_time(text: &SecretText) -> Option<PlainToken> {
    PlainToken::parse(TokenKind::OneTime, text.reveal())
}

/// Longer texts are no address; they are refused before anything is computed from them.
const MAX_EMAIL_BYTES: usize = 1024;

/// An address to sign in with: any text, because one that is no address is refused like an unknown one.
pub(crate) fn typed_email(text: String) -> Read<String> {
    if text.len() <= MAX_EMAIL_BYTES { Ok(text) } else { Err(("too_long", "This address is too long.")) }
}
