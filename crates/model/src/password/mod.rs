//! Passwords: how one is read, and which ones an account may have.
//!
//! Reading ([`Password::new`]) bounds and normalises; judging ([`Policy::check`]) refuses what attackers try first.
//! Sign-in reads only, so an account made under another policy can still sign in.

mod common;
mod coverage;
mod estimate;
mod fold;
mod policy;
mod walks;

use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use policy::{Context, Feedback, Policy, PolicyError, PolicyMark, Violation, ViolationCode};

/// The longest password, in Unicode code points after normalisation. A code point has at most four bytes, so
/// this is at most 1,024 bytes: what bounds the cost of hashing.
pub const MAX_CODE_POINTS: usize = 256;

/// The longest text that can become [`MAX_CODE_POINTS`]: a code point decomposes into at most four others.
const MAX_RAW_BYTES: usize = MAX_CODE_POINTS * 4 * 4;

/// A password in NFC (NIST SP 800-63B-4 section 3.1.1.2) and otherwise exactly as typed: never trimmed, cut or
/// folded. Memory is zeroed when it is dropped; there is no `==`, which would compare in variable time.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

impl Password {
    /// Reads a password; refuses one longer than [`MAX_CODE_POINTS`].
    pub fn new(text: &str) -> Result<Self, Violation> {
        const TOO_LONG: Violation = Violation::new(ViolationCode::TooLong, Feedback::Shorten);
        // Before any work on it.
        if text.len() > MAX_RAW_BYTES {
            return Err(TOO_LONG);
        }
        // One allocation, so that no part of the secret is left behind by a growing buffer.
        let mut normal = String::with_capacity(MAX_RAW_BYTES.min(text.len().saturating_mul(3)));
        if is_nfc_quick(text.chars()) == IsNormalized::Yes {
            normal.push_str(text);
        } else {
            normal.extend(text.nfc());
        }
        let password = Self(normal);
        if password.code_points() > MAX_CODE_POINTS {
            return Err(TOO_LONG);
        }
        Ok(password)
    }

    /// Its length in Unicode code points, as the policy counts.
    pub fn code_points(&self) -> usize {
        self.0.chars().count()
    }

    /// The password itself. Keep it out of logs, rows and errors.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password[redacted]")
    }
}

#[cfg(test)]
mod tests;
