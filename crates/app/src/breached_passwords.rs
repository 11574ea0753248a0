//! Asking a service whether a new password is in a known breach, by k-anonymity: only the first five hex digits of its
//! SHA-1 leave the server, thousands of passwords share them, and what the service knows of these is compared here.
//!
//! Off unless an operator names a service. Nothing here is logged of a password, its hash or the five digits.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use doorward_model::password::Password;
use metrics::counter;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The digits that are sent.
const PREFIX_DIGITS: usize = 5;
/// The digits of a SHA-1 that are not.
const SUFFIX_DIGITS: usize = 35;
/// When to try again where a password may only be set with an answer.
const RETRY_AFTER_SECONDS: u32 = 30;

/// The first five hex digits of a password's SHA-1, in upper case.
#[derive(Clone)]
pub struct HashPrefix(Zeroizing<String>);

impl HashPrefix {
    /// The digits of this password.
    pub fn of(password: &Password) -> Self {
        halves(password).0
    }

    /// The digits: for the request to the service and for nothing else.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HashPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashPrefix[redacted]")
    }
}

/// Why there is no answer. No text of these holds anything of a password.
#[derive(Debug, Error)]
pub enum NoAnswer {
    /// Not in time, or too many are asking at once.
    #[error("not in time")]
    TooLate,
    /// More than any honest answer.
    #[error("too much of an answer")]
    TooLarge,
    /// An answer that is none.
    #[error("an answer with status {0}")]
    Status(u16),
    /// A line that is no digits and count.
    #[error("an answer that cannot be read")]
    Unreadable,
    /// The connection could not be made, or broke.
    #[error("the connection failed")]
    Connection(#[source] Box<dyn Error + Send + Sync>),
}

/// The answer to a range, when it comes.
pub type RangeAnswer<'a> = Pin<Box<dyn Future<Output = Result<Zeroizing<String>, NoAnswer>> + Send + 'a>>;

/// A service that knows breached passwords.
pub trait BreachedPasswords: Send + Sync {
    /// What it knows of the hashes that begin with `prefix`: a line `SUFFIX:COUNT` for each, where a count of 0 is
    /// padding. Bounded in time and size by whoever implements it.
    fn find_range<'a>(&'a self, prefix: &'a HashPrefix) -> RangeAnswer<'a>;
}

/// What happens to a new password when the service gives no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WithoutAnswer {
    /// It is accepted: whoever can stop the service must not stop sign-ups and resets.
    #[default]
    Accept,
    /// It is refused for now.
    Refuse,
}

/// The check of new passwords against a service; without one, it accepts them all.
#[derive(Clone, Default)]
pub struct BreachCheck {
    service: Option<Arc<dyn BreachedPasswords>>,
    without_answer: WithoutAnswer,
}

impl BreachCheck {
    /// Asks `service`.
    pub fn with(service: Arc<dyn BreachedPasswords>, without_answer: WithoutAnswer) -> Self {
        Self { service: Some(service), without_answer }
    }

    /// Whether the password is in a known breach.
    pub(crate) async fn is_breached(&self, password: &Password) -> Result<bool, Failure> {
        let Some(service) = &self.service else {
            return Ok(false);
        };
        let (prefix, suffix) = halves(password);
        let found = match service.find_range(&prefix).await {
            Ok(lines) => contains(&lines, &suffix),
            Err(none) => Err(none),
        };
        let outcome = match &found {
            Ok(true) => "breached",
            Ok(false) => "unknown",
            Err(_) => "no_answer",
        };
        counter!("breached_password_checks_total", "outcome" => outcome).increment(1);
        match (found, self.without_answer) {
            (Ok(is_breached), _) => Ok(is_breached),
            (Err(none), WithoutAnswer::Accept) => {
                tracing::error!(error = &none as &dyn Error, "a new password was accepted without asking for breaches");
                Ok(false)
            }
            (Err(none), WithoutAnswer::Refuse) => {
                Err(Failure::Unavailable { retry_after_seconds: RETRY_AFTER_SECONDS, source: Box::new(none) })
            }
        }
    }
}

impl fmt::Debug for BreachCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreachCheck")
            .field("asks", &self.service.is_some())
            .field("without_answer", &self.without_answer)
            .finish()
    }
}

/// What is sent and what stays here of a password's SHA-1, in hex. The services chose SHA-1; nothing depends on its
/// strength, since neither half is stored.
fn halves(password: &Password) -> (HashPrefix, Zeroizing<String>) {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.reveal().as_bytes());
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default().to_ascii_uppercase();
    let digits: Zeroizing<String> =
        Zeroizing::new(hash.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect());
    let (prefix, suffix) = digits.split_at(PREFIX_DIGITS);
    (HashPrefix(Zeroizing::new(prefix.to_owned())), Zeroizing::new(suffix.to_owned()))
}

/// Whether the lines hold the suffix with a count. One line that cannot be read makes all of them untrustworthy: it may
/// be the page of a captive portal, or an answer cut short.
fn contains(lines: &str, suffix: &str) -> Result<bool, NoAnswer> {
    let mut found = false;
    for line in lines.lines().filter(|line| !line.is_empty()) {
        let (digits, count) = line.split_once(':').ok_or(NoAnswer::Unreadable)?;
        let count: u64 = count.trim_end().parse().map_err(|_| NoAnswer::Unreadable)?;
        if digits.len() != SUFFIX_DIGITS || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NoAnswer::Unreadable);
        }
        found |= count > 0 && digits.eq_ignore_ascii_case(suffix);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash is the one of the services' own example.
    #[test]
    fn five_digits_leave_and_the_rest_is_compared() {
        let (prefix, suffix) = halves(&Password::new("password").unwrap());
        assert_eq!(prefix.as_str(), "5BAA6");
        assert_eq!(suffix.as_str(), "1E4C9B93F3F0682250B6CF8331B7EE68FD8");
        assert_eq!(format!("{prefix:?}"), "HashPrefix[redacted]");
        let other = "0018A45C4D1DEF81644B54AB7F969B88D65:3";
        for (lines, expected) in [
            (String::new(), false),
            (other.to_owned(), false),
            (format!("{other}\r\n{}:10434004\r\n", suffix.as_str()), true),
            (format!("{}:1", suffix.to_lowercase()), true),
            // Padding.
            (format!("{other}\n{}:0\n", suffix.as_str()), false),
        ] {
            assert_eq!(contains(&lines, &suffix).unwrap(), expected, "{lines}");
        }
    }

    #[test]
    fn an_answer_with_one_bad_line_is_no_answer() {
        let (_, suffix) = halves(&Password::new("password").unwrap());
        let good = format!("{}:7", suffix.as_str());
        for bad in [
            "<html>",
            ":",
            "1E4C9B93F3F0682250B6CF8331B7EE68FD8",
            "1E4C9B93F3F0682250B6CF8331B7EE68FD8:many",
            "1E4C9B93F3F0682250B6CF8331B7EE68FD8:-1",
            "1E4C9B93F3F0682250B6CF8331B7EE68FD:1",
            "ZE4C9B93F3F0682250B6CF8331B7EE68FD8:1",
            "1E4C9B93F3F0682250B6CF8331B7EE68FD8:99999999999999999999999",
        ] {
            for lines in [bad.to_owned(), format!("{good}\r\n{bad}\r\n"), format!("{bad}\n{good}")] {
                assert!(matches!(contains(&lines, &suffix), Err(NoAnswer::Unreadable)), "{lines}");
            }
        }
    }
}
