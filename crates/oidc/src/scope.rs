//! What a token allows: a set of words (RFC 6749 section 3.3).

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// The sign-in itself (OpenID Connect Core 3.1.2.1).
pub const OPENID: &str = "openid";
/// Name and language (OpenID Connect Core 5.4).
pub const PROFILE: &str = "profile";
/// The e-mail address (OpenID Connect Core 5.4).
pub const EMAIL: &str = "email";
/// A grant that outlives the session (OpenID Connect Core 11).
pub const OFFLINE_ACCESS: &str = "offline_access";

/// The feed of revocations: for clients that act for themselves, never for one that a person lets in.
pub const REVOCATIONS: &str = "doorward:revocations";

/// The longest scope in bytes.
pub const MAX_BYTES: usize = 1_000;

/// A text that is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is not a list of scope words separated by single spaces")]
pub struct InvalidScope;

/// A set of scope words in the order they were first named. Case counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    words: Vec<String>,
}

impl Scope {
    /// Reads words separated by single spaces; at least one. A word named twice counts once.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        if text.len() > MAX_BYTES {
            return Err(InvalidScope);
        }
        let mut scope = Self::default();
        for word in text.split(' ') {
            if !is_word(word) {
                return Err(InvalidScope);
            }
            scope.insert(word);
        }
        Ok(scope)
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// Whether it has a word.
    pub fn contains(&self, word: &str) -> bool {
        self.words().any(|own| own == word)
    }

    /// Whether `other` allows all of it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.words().all(|word| other.contains(word))
    }

    /// What both allow, in this one's order.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self { words: self.words.iter().filter(|word| other.contains(word)).cloned().collect() }
    }

    /// What either allows, this one's words first.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        for word in other.words() {
            self.insert(word);
        }
        self
    }

    /// With one more word.
    #[must_use]
    pub fn with(mut self, word: &str) -> Self {
        self.insert(word);
        self
    }

    /// All words but one.
    #[must_use]
    pub fn without(&self, word: &str) -> Self {
        Self { words: self.words.iter().filter(|own| *own != word).cloned().collect() }
    }

    /// The words that mean something without a person.
    #[must_use]
    pub fn without_personal(&self) -> Self {
        let is_personal = |word: &&String| [OPENID, PROFILE, EMAIL, OFFLINE_ACCESS].contains(&word.as_str());
        Self { words: self.words.iter().filter(|word| !is_personal(word)).cloned().collect() }
    }

    fn insert(&mut self, word: &str) {
        if !self.contains(word) {
            self.words.push(word.to_owned());
        }
    }
}

/// `NQCHAR` of RFC 6749 appendix A.4: printable ASCII without space, quote and backslash.
fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(" "))
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Proves: A-91
    #[test]
    fn only_words_separated_by_single_spaces_are_read() {
        for text in ["", " ", " openid", "openid ", "openid  email", "openid\temail", "a\"b", "a\\b", "\u{e4}", "a\nb"]
        {
            assert_eq!(Scope::parse(text), Err(InvalidScope), "{text:?}");
        }
        assert_eq!(Scope::parse(&"a".repeat(MAX_BYTES + 1)), Err(InvalidScope));
    }

    /// Proves: A-91
    #[test]
    fn case_stars_and_encodings_are_words_of_their_own() {
        let allowed = Scope::parse("openid orders").unwrap();
        for text in ["OpenID", "*", "orders*", "openid%20orders", "orders,openid", "openid orders admin"] {
            assert!(!Scope::parse(text).unwrap().is_within(&allowed), "{text}");
        }
        let repeated = Scope::parse("openid orders openid").unwrap();
        assert!(repeated.is_within(&allowed));
        assert_eq!(repeated.to_string(), "openid orders");
    }

    proptest! {
        #[test]
        fn an_intersection_is_within_both(a in "[a-d]( [a-d]){0,4}", b in "[a-d]( [a-d]){0,4}") {
            let (a, b) = (Scope::parse(&a).unwrap(), Scope::parse(&b).unwrap());
            let both = a.intersection(&b);
            prop_assert!(both.is_within(&a) && both.is_within(&b));
            prop_assert_eq!(both == a, a.is_within(&b));
        }

        #[test]
        fn what_is_read_is_written_the_same(text: String) {
            if let Ok(scope) = Scope::parse(&text) {
                prop_assert_eq!(Scope::parse(&scope.to_string()), Ok(scope));
            }
        }
    }
}
