//! The name a person wants to be shown as. Any script; stored as given, escaped where it is shown.

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// The longest name, in what a reader would call letters (extended grapheme clusters, UAX #29).
pub const MAX_GRAPHEMES: usize = 100;
/// The longest name in bytes.
pub const MAX_BYTES: usize = 400;
/// How many combining marks may follow each other. Written languages need three or four.
const MAX_MARKS: usize = 4;

/// A text that cannot be shown as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing that can be seen.
    #[error("the name is empty")]
    TooShort,
    /// Longer than [`MAX_GRAPHEMES`] or [`MAX_BYTES`].
    #[error("the name is too long")]
    TooLong,
    /// Holds characters that disturb the text around it: control, direction override, piles of marks.
    #[error("the name holds characters that cannot be shown")]
    Invalid,
}

impl NameError {
    /// The stable code of this error on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Invalid => "invalid_name",
        }
    }
}

/// A person's name: 1 to [`MAX_GRAPHEMES`] graphemes on one line, without white space around it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DisplayName(String);

impl DisplayName {
    /// Reads a name; white space around it is dropped.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        // Before the trim: a line break is never part of a name, not even at its end.
        let text = text.trim_matches(' ');
        if text.chars().any(disturbs_its_surroundings) || has_pile_of_marks(text) {
            return Err(NameError::Invalid);
        }
        let text = text.trim();
        if !text.chars().any(is_visible) {
            return Err(NameError::TooShort);
        }
        if text.len() > MAX_BYTES || text.graphemes(true).nth(MAX_GRAPHEMES).is_some() {
            return Err(NameError::TooLong);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, line and paragraph separators, direction overrides, embeddings and isolates (UAX #9),
/// byte order marks, tags and noncharacters.
fn disturbs_its_surroundings(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}' | '\u{e0000}'..='\u{e007f}')
        || (u32::from(letter) & 0xfffe) == 0xfffe
        || matches!(letter, '\u{fdd0}'..='\u{fdef}')
}

fn has_pile_of_marks(text: &str) -> bool {
    let mut marks = 0;
    text.chars().any(|letter| {
        marks = if is_combining_mark(letter) { marks + 1 } else { 0 };
        marks > MAX_MARKS
    })
}

fn is_visible(letter: char) -> bool {
    let shows_nothing = letter.is_whitespace()
        || is_combining_mark(letter)
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{200b}'..='\u{200f}'
            | '\u{2060}'..='\u{2065}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}');
    !shows_nothing
}

impl fmt::Debug for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DisplayName[redacted]")
    }
}

impl Serialize for DisplayName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<String, NameError> {
        DisplayName::parse(text).map(|name| name.as_str().to_owned())
    }

    /// Proves: S-37
    #[test]
    fn names_of_people_are_kept_as_given() {
        for name in [
            "李",
            "O",
            "O'Brien",
            "Anna-Lena Müller",
            "محمد علی",
            "עִבְרִית",
            "Nguyễn Thị Ánh",
            "क्षितिज",
            "สุภาพร",
            "<b>Bob</b>",
            "می\u{200c}خواهم",
            "Jose\u{301}",
            "X Æ A-12",
            "👩\u{200d}💻 Ada",
            "Robert'); DROP TABLE users;--",
        ] {
            assert_eq!(parse(name).as_deref(), Ok(name), "{name}");
        }
        assert_eq!(parse("  Ada Lovelace \u{a0}").as_deref(), Ok("Ada Lovelace"));
    }

    /// Proves: S-37
    #[test]
    fn characters_that_disturb_the_page_are_refused() {
        for name in [
            "a\nb",
            "a\r\nBcc: x",
            "Ada\n",
            "a\tb",
            "a\0b",
            "a\u{7f}",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{202e}cba",
            "\u{202a}a",
            "a\u{2066}b\u{2069}",
            "a\u{feff}",
            "a\u{e0041}",
            "a\u{fffe}",
            "a\u{1ffff}",
            "Z\u{300}\u{301}\u{302}\u{303}\u{304}algo",
        ] {
            assert_eq!(parse(name), Err(NameError::Invalid), "{name:?}");
        }
        for name in ["", "   ", "\u{a0}\u{3000}", "\u{200b}", "\u{3164}", "\u{200d}\u{200d}"] {
            assert_eq!(parse(name), Err(NameError::TooShort), "{name:?}");
        }
    }

    /// Proves: S-46
    #[test]
    fn length_limits_hold_exactly() {
        assert!(parse(&"n".repeat(100)).is_ok());
        assert_eq!(parse(&"n".repeat(101)), Err(NameError::TooLong));
        assert!(parse(&"𝒩".repeat(100)).is_ok());
        assert!(parse(&"e\u{301}".repeat(100)).is_ok());
        assert_eq!(parse(&"👩\u{200d}💻".repeat(40)), Err(NameError::TooLong));
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_one_line_and_reads_back(text: String) {
            if let Ok(name) = parse(&text) {
                prop_assert!(!name.chars().any(char::is_control));
                prop_assert!(name.len() <= MAX_BYTES);
                prop_assert_eq!(parse(&name), Ok(name));
            }
        }
    }
}
