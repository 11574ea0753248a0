//! E-mail addresses: the subset of RFC 5321 and RFC 6531 that people have, in one spelling to compare by.
//!
//! Quoted local parts, comments and address literals are refused. Nothing accepted holds a control character,
//! a space or an invisible character, so an address can neither end a mail header nor pass for another one.
//! Dots and `+` suffixes mean what the mailbox's own provider says: they are never folded.

use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest address (RFC 5321 section 4.5.3.1.3, without the angle brackets).
pub const MAX_BYTES: usize = 254;
/// The longest part before the `@` (RFC 5321 section 4.5.3.1.1).
pub const MAX_LOCAL_BYTES: usize = 64;

/// A text that is not an address mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EmailError {
    /// Longer than [`MAX_BYTES`], or [`MAX_LOCAL_BYTES`] before the `@`, in the form mail is sent to.
    #[error("the e-mail address is too long")]
    TooLong,
    /// Not of the form `local@domain`, or with characters that are refused.
    #[error("not an e-mail address")]
    Invalid,
}

impl EmailError {
    /// The stable code of this error on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Invalid => "invalid_email",
        }
    }
}

/// An e-mail address. Two addresses belong to one account when their [`canonical`](Self::canonical) forms are equal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    typed: String,
    mailbox: String,
    canonical: String,
}

impl EmailAddress {
    /// Reads an address. White space (ASCII) around it is dropped, and the local part is brought to NFC
    /// (RFC 6532 section 3.1); anything else that would need a change is refused.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim_matches(|letter: char| letter.is_ascii_whitespace());
        // Also bounds the work below: no text of this length becomes shorter than the limit.
        if text.len() > 4 * MAX_BYTES {
            return Err(EmailError::TooLong);
        }
        let (local, domain) = text.split_once('@').ok_or(EmailError::Invalid)?;
        let local = parse_local(local)?;
        let domain_ascii = parse_domain(domain)?;
        let address = Self {
            typed: format!("{local}@{domain}"),
            mailbox: format!("{local}@{domain_ascii}"),
            canonical: format!("{}@{domain_ascii}", fold_case(&local)),
        };
        if [&address.typed, &address.mailbox, &address.canonical].iter().any(|form| form.len() > MAX_BYTES) {
            return Err(EmailError::TooLong);
        }
        Ok(address)
    }

    /// As its owner typed it: what pages and the API show, and what rows keep.
    pub fn as_typed(&self) -> &str {
        &self.typed
    }

    /// What mail is sent to: the local part as typed, the domain in its ASCII form.
    pub fn mailbox(&self) -> &str {
        &self.mailbox
    }

    /// The one spelling to compare and look up by: lower case, the domain in its ASCII form.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The part before the `@`, as typed.
    pub fn local_part(&self) -> &str {
        self.typed.split_once('@').map_or("", |(local, _)| local)
    }

    /// The part after the `@`, as typed.
    pub fn domain(&self) -> &str {
        self.typed.split_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress[redacted]")
    }
}

/// A dot-atom (RFC 5322 section 3.2.3) whose atoms may hold letters of any script (RFC 6531 section 3.3), in NFC.
fn parse_local(text: &str) -> Result<String, EmailError> {
    let local: String = text.nfc().collect();
    if local.len() > MAX_LOCAL_BYTES || fold_case(&local).len() > MAX_LOCAL_BYTES {
        return Err(EmailError::TooLong);
    }
    // A compatibility look-alike (full-width, ligature, superscript) of another address is not an address.
    if !local.nfkc().eq(local.chars()) {
        return Err(EmailError::Invalid);
    }
    let is_atom = |atom: &str| {
        atom.chars().next().is_some_and(|first| !is_combining_mark(first)) && atom.chars().all(is_local_letter)
    };
    if !local.split('.').all(is_atom) {
        return Err(EmailError::Invalid);
    }
    Ok(local)
}

fn is_local_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(letter) || is_letter_beyond_ascii(letter)
}

fn is_letter_beyond_ascii(letter: char) -> bool {
    !letter.is_ascii() && (letter.is_alphanumeric() || is_combining_mark(letter)) && !is_invisible(letter)
}

/// Letters and marks of Unicode that show nothing (`Default_Ignorable_Code_Point`).
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// The domain as lower-case A-labels (RFC 5890): at least two labels and not a number, or `localhost`.
fn parse_domain(text: &str) -> Result<String, EmailError> {
    if !text
        .chars()
        .all(|letter| matches!(letter, '.' | '-') || letter.is_ascii_alphanumeric() || is_letter_beyond_ascii(letter))
    {
        return Err(EmailError::Invalid);
    }
    let domain = Uts46::new()
        .to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| EmailError::Invalid)?;
    let is_local = domain == "localhost";
    let is_public = domain.rsplit_once('.').is_some_and(|(_, last)| !last.bytes().all(|byte| byte.is_ascii_digit()));
    if is_local || is_public { Ok(domain.into_owned()) } else { Err(EmailError::Invalid) }
}

/// Lower case letter by letter (so that the form does not depend on a letter's place), in NFC.
fn fold_case(local: &str) -> String {
    let lower = local.chars().flat_map(char::to_lowercase);
    // The two small sigmas are one letter; which one a word ends in is typography.
    lower.map(|letter| if letter == 'ς' { 'σ' } else { letter }).nfc().collect()
}

#[cfg(test)]
mod tests;
