//! Mails: what each one says, and its form on the wire. Nothing here sends; a worker takes [`Mail::to_eml`] to the
//! mail server or into a file.

mod content;
mod eml;
mod letter;
mod line;
mod words;

use std::fmt;

use doorward_model::locale::Locale;
use serde::{Deserialize, Serialize};

pub use eml::Envelope;
pub use letter::{Incident, Letter};
pub use line::{HeaderLine, InvalidMailAddress, MailAddress, MessageId, Sender};

use crate::text::Texts;

/// Whom a mail is for, and on whose behalf.
#[derive(Clone, Debug)]
pub struct Recipient<'a> {
    /// The stored address of the account, or the one that signs up. Never one taken from a later request.
    pub address: &'a MailAddress,
    /// The person's name, if they gave one.
    pub name: Option<&'a str>,
    /// The language the mail is written in.
    pub language: Locale,
    /// The name of this deployment.
    pub site: &'a str,
}

/// A finished mail. Its parts can hold a link that opens an account, so `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The one recipient.
    pub to: MailAddress,
    /// The subject; never holds a secret, since mail servers log it.
    pub subject: HeaderLine,
    /// The language of both parts (RFC 5646).
    pub language: String,
    /// The plain-text part: lines end in `\n`, each link has a line of its own.
    pub text: String,
    /// The HTML part: the same content.
    pub html: String,
}

impl Mail {
    /// Writes `letter` for `recipient`.
    ///
    /// Fails only when the HTML template does, which means that memory ran out.
    pub fn render(letter: &Letter, recipient: &Recipient<'_>) -> Result<Self, askama::Error> {
        let texts = Texts::for_locale(recipient.language);
        let content = words::write(letter, texts, recipient);
        Ok(Self {
            to: recipient.address.clone(),
            subject: HeaderLine::new(&content.subject),
            language: recipient.language.as_str().to_owned(),
            text: content.to_text(),
            html: content.to_html()?,
        })
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("subject", &self.subject).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
