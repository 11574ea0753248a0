//! A mail as bytes: header fields and two alternative parts (RFC 5322, RFC 2045 to 2047, RFC 6532).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_model::time::Timestamp;
use time::OffsetDateTime;

use super::{Mail, MessageId, Sender};

/// Base64 in lines of 76 characters (RFC 2045 section 6.8).
const BASE64_LINE_BYTES: usize = 57;
/// An encoded word is at most 75 characters long (RFC 2047 section 2): `=?utf-8?B?`, 60 of base64, `?=`.
const ENCODED_WORD_BYTES: usize = 45;
/// Longer plain header values are folded as encoded words.
const PLAIN_LINE_CHARACTERS: usize = 60;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What a mail needs besides its content to be sent.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// Its identity.
    pub id: &'a MessageId,
    /// When it was written.
    pub date: Timestamp,
    /// Who sends it.
    pub from: &'a Sender,
}

impl Mail {
    /// The complete message, lines ending in CRLF.
    ///
    /// The plain-text part is sent as it is (7bit or 8bit), so that the link in it stays whole on its line; the
    /// HTML part is base64.
    pub fn to_eml(&self, envelope: &Envelope<'_>) -> String {
        let boundary = boundary(&self.text);
        let mut eml = String::with_capacity(1024 + self.text.len() + self.html.len() * 3 / 2);
        let from = format!("{} <{}>", phrase(envelope.from.name.as_str()), envelope.from.address.as_str());
        let encoding = if self.text.is_ascii() { "7bit" } else { "8bit" };
        for (name, value) in [
            ("From", from.as_str()),
            ("To", self.to.as_str()),
            ("Subject", &unstructured(self.subject.as_str())),
            ("Date", &date(envelope.date)),
            ("Message-ID", &format!("<{}>", envelope.id.as_str())),
            // Asks out-of-office programs to stay silent (RFC 3834 section 5).
            ("Auto-Submitted", "auto-generated"),
            ("Content-Language", content_language(&self.language)),
            ("MIME-Version", "1.0"),
            ("Content-Type", &format!("multipart/alternative; boundary=\"{boundary}\"")),
        ] {
            field(&mut eml, name, value);
        }
        line(&mut eml, "");
        line(&mut eml, &format!("--{boundary}"));
        field(&mut eml, "Content-Type", "text/plain; charset=utf-8");
        field(&mut eml, "Content-Transfer-Encoding", encoding);
        line(&mut eml, "");
        for text in self.text.lines() {
            line(&mut eml, text.trim_end_matches('\r'));
        }
        line(&mut eml, &format!("--{boundary}"));
        field(&mut eml, "Content-Type", "text/html; charset=utf-8");
        field(&mut eml, "Content-Transfer-Encoding", "base64");
        line(&mut eml, "");
        for chunk in self.html.as_bytes().chunks(BASE64_LINE_BYTES) {
            line(&mut eml, &STANDARD.encode(chunk));
        }
        line(&mut eml, &format!("--{boundary}--"));
        eml
    }
}

fn line(eml: &mut String, text: &str) {
    eml.push_str(text);
    eml.push_str("\r\n");
}

fn field(eml: &mut String, name: &str, value: &str) {
    eml.push_str(name);
    eml.push_str(": ");
    line(eml, value);
}

/// The language as a header value; a stored mail could hold anything, a tag has letters and hyphens only.
fn content_language(tag: &str) -> &str {
    let is_tag = !tag.is_empty() && tag.len() <= 35 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_tag { tag } else { "und" }
}

/// A line that separates parts and occurs in neither: base64 has no hyphen, and the text is asked.
fn boundary(text: &str) -> String {
    let mut number = 0u32;
    loop {
        let candidate = format!("=_doorward_{number}");
        if !text.contains(&candidate) {
            return candidate;
        }
        number += 1;
    }
}

/// A header value of free text: as it is when short and ASCII, otherwise in encoded words.
fn unstructured(text: &str) -> String {
    let plain = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    // What looks like an encoded word must not be decoded at the other end.
    if plain && text.len() <= PLAIN_LINE_CHARACTERS && !text.contains("=?") {
        text.to_owned()
    } else {
        encoded_words(text)
    }
}

/// A display name: encoded unless it consists of letters, digits and spaces.
fn phrase(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c == ' ' || c.is_ascii_alphanumeric());
    if plain && text.len() <= PLAIN_LINE_CHARACTERS { text.to_owned() } else { encoded_words(text) }
}

/// RFC 2047 section 4.1, each word whole characters, one word a line.
fn encoded_words(text: &str) -> String {
    let mut words = vec![String::new()];
    for character in text.chars() {
        let last = words.len() - 1;
        if words[last].len() + character.len_utf8() > ENCODED_WORD_BYTES {
            words.push(character.to_string());
        } else {
            words[last].push(character);
        }
    }
    let encoded: Vec<_> = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    encoded.join("\r\n ")
}

/// RFC 5322 section 3.3.
fn date(at: Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.as_seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let day = DAYS[usize::from(at.weekday().number_days_from_monday())];
    let month = MONTHS[usize::from(u8::from(at.month())) - 1];
    format!("{day}, {} {month} {:04} {:02}:{:02}:{:02} +0000", at.day(), at.year(), at.hour(), at.minute(), at.second())
}
