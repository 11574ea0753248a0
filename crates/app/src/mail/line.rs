//! Texts that may stand in a mail header. Each has one constructor, and none can hold a line break: what a person
//! typed cannot become a header.

use std::fmt;

use doorward_model::email::EmailAddress;
use doorward_model::id::DeliveryId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const MAX_LINE_CHARACTERS: usize = 200;
const MAX_ADDRESS_BYTES: usize = 254;

/// One line of text: no control characters, no line or paragraph separators, no characters that turn the
/// direction of writing, bounded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct HeaderLine(String);

impl HeaderLine {
    /// The text as one line: what may not stand in it becomes a space, runs of spaces become one, and what is too
    /// long is cut.
    pub fn new(text: &str) -> Self {
        let spaced: String = text.chars().map(|c| if may_stand_in_line(c) { c } else { ' ' }).collect();
        let joined = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
        Self(joined.chars().take(MAX_LINE_CHARACTERS).collect::<String>().trim_end().to_owned())
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for HeaderLine {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

fn may_stand_in_line(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
        && !matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A text that cannot stand as the one address of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an address a mail can be sent to")]
pub struct InvalidMailAddress;

/// The one address a mail goes to or comes from: a dot-atom, `@`, a domain (RFC 5321 section 4.1.2; letters beyond
/// ASCII in the local part as RFC 6531). It holds nothing that a header or an SMTP command reads as its own: no
/// spaces, brackets, commas, quotes or comments.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct MailAddress(String);

impl MailAddress {
    /// Reads an address that the account rules have already accepted, and refuses what a header could not carry.
    pub fn parse(text: &str) -> Result<Self, InvalidMailAddress> {
        let (local, domain) = text.split_once('@').ok_or(InvalidMailAddress)?;
        let fits = text.len() <= MAX_ADDRESS_BYTES && is_dot_separated(local, may_stand_in_local);
        let named = is_dot_separated(domain, |c| c.is_ascii_alphanumeric() || c == '-');
        if fits && named { Ok(Self(text.to_owned())) } else { Err(InvalidMailAddress) }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

fn is_dot_separated(text: &str, may_stand: impl Fn(char) -> bool) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(&may_stand))
}

fn may_stand_in_local(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character)
    } else {
        may_stand_in_line(character) && !character.is_whitespace()
    }
}

impl TryFrom<&EmailAddress> for MailAddress {
    type Error = InvalidMailAddress;

    /// Every address that the account rules accept is one (a property test says so).
    fn try_from(address: &EmailAddress) -> Result<Self, InvalidMailAddress> {
        Self::parse(address.mailbox())
    }
}

impl TryFrom<String> for MailAddress {
    type Error = InvalidMailAddress;

    fn try_from(text: String) -> Result<Self, InvalidMailAddress> {
        Self::parse(&text)
    }
}

impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailAddress[redacted]")
    }
}

/// Who a mail comes from: configuration, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The name people see.
    pub name: HeaderLine,
    /// The address.
    pub address: MailAddress,
}

/// The identity of a mail (RFC 5322 section 3.6.4). Made from the delivery, so that a mail sent twice after a lost
/// answer is recognised as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId(String);

impl MessageId {
    /// The identity of `delivery`, in the name space of the sender's domain.
    pub fn new(delivery: DeliveryId, sender: &Sender) -> Self {
        Self(format!("{delivery}@{}", sender.address.domain()))
    }

    /// The identity without its angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
