//! Which passwords an account may have (NIST SP 800-63B-4 section 3.1.1.2, OWASP ASVS 6.2).

use std::fmt;

use thiserror::Error;

use super::fold::{self, Skeleton};
use super::{Password, coverage, estimate};
use crate::email::EmailAddress;
use crate::name::DisplayName;

/// What a deployment asks of passwords. No expiry, and no rules on kinds of characters unless it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    min_length: u32,
    composition: bool,
}

/// A policy that would be unsafe or unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("password.min_length must be at least {} and at most {}", Policy::FLOOR, Policy::CEILING)]
pub struct PolicyError;

impl Policy {
    /// The least a policy may ask for, and only where everyone has a second factor.
    pub const FLOOR: u32 = 8;
    /// The most a policy may ask for: passwords of 64 code points are always long enough (ASVS 6.2.9).
    pub const CEILING: u32 = 64;
    /// For passwords that are the only factor.
    pub const DEFAULT: Self = Self { min_length: 15, composition: false };

    /// At least `min_length` code points; with `composition` also a lower-case and an upper-case letter, a digit and a
    /// symbol (for deployments that an outside rule binds: it makes passwords worse).
    pub const fn new(min_length: u32, composition: bool) -> Result<Self, PolicyError> {
        if min_length < Self::FLOOR || min_length > Self::CEILING {
            return Err(PolicyError);
        }
        Ok(Self { min_length, composition })
    }

    /// The fewest code points.
    pub const fn min_length(&self) -> u32 {
        self.min_length
    }

    /// Whether kinds of characters are asked for.
    pub const fn asks_for_composition(&self) -> bool {
        self.composition
    }

    /// Judges a password. Takes up to some ten milliseconds: not for a thread that must not wait.
    pub fn check(&self, password: &Password, context: &Context) -> Result<PolicyMark, Vec<Violation>> {
        let text = password.reveal();
        let mut violations = Vec::new();
        let is_short = password.code_points() < self.min_length as usize;
        if is_short {
            violations.push(Violation::new(ViolationCode::TooShort, Feedback::Lengthen));
        }
        if self.composition && !has_every_kind(text) {
            violations.push(Violation::new(ViolationCode::Composition, Feedback::Composition));
        }
        if let Some(reason) = coverage::find_reason(text, &context.skeletons) {
            violations.push(Violation::new(ViolationCode::Blocklisted, reason));
        } else if !is_short && let Some(weakness) = estimate::find_weakness(text, &context.estimator_words()) {
            violations.push(Violation::new(ViolationCode::TooWeak, weakness));
        }
        if violations.is_empty() { Ok(PolicyMark { policy: *self }) } else { Err(violations) }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

fn has_every_kind(text: &str) -> bool {
    let has = |kind: fn(char) -> bool| text.chars().any(kind);
    has(char::is_lowercase)
        && has(char::is_uppercase)
        && has(char::is_numeric)
        && has(|letter| !letter.is_alphanumeric())
}

/// That a password met a policy: what its row records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyMark {
    policy: Policy,
}

impl PolicyMark {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (length, composition) = match text.strip_suffix("+composition") {
            Some(length) => (length, true),
            None => (text, false),
        };
        let mark = Self { policy: Policy::new(length.strip_prefix("min")?.parse().ok()?, composition).ok()? };
        (mark.to_string() == text).then_some(mark)
    }

    /// Whether a password with this mark is long enough for `policy` as well.
    pub const fn meets(&self, policy: &Policy) -> bool {
        self.policy.min_length >= policy.min_length && (self.policy.composition || !policy.composition)
    }
}

impl fmt::Display for PolicyMark {
    /// `min15` or `min15+composition`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "min{}{}", self.policy.min_length, if self.policy.composition { "+composition" } else { "" })
    }
}

/// One reason why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What the wire shows.
    pub code: ViolationCode,
    /// What the person is told.
    pub feedback: Feedback,
}

impl Violation {
    /// The password is in a known breach, as a service says that no policy knows of.
    pub const BREACHED: Self = Self::new(ViolationCode::Blocklisted, Feedback::Breached);

    pub(super) const fn new(code: ViolationCode, feedback: Feedback) -> Self {
        Self { code, feedback }
    }
}

/// The kinds of violations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViolationCode {
    /// Fewer code points than the policy asks for.
    TooShort,
    /// More than [`super::MAX_CODE_POINTS`].
    TooLong,
    /// Mostly a common password, the person's or the service's own words, or a run over the keyboard; or known from a
    /// breach.
    Blocklisted,
    /// Too easy to guess.
    TooWeak,
    /// A kind of characters is missing.
    Composition,
}

impl ViolationCode {
    /// The stable code on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Blocklisted => "password_blocklisted",
            Self::TooWeak => "password_too_weak",
            Self::Composition => "password_composition",
        }
    }
}

/// What to tell the person: a key of the translations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// Use more characters.
    Lengthen,
    /// Use fewer characters.
    Shorten,
    /// Use all four kinds of characters.
    Composition,
    /// Common passwords are tried first, also with digits and symbols around or in them.
    Common,
    /// Your address, your name and ours are tried first.
    Context,
    /// Rows of keys, sequences and repeated letters are tried first.
    Pattern,
    /// Repeating something adds little.
    Repeat,
    /// Dates and years are tried first.
    Date,
    /// Names by themselves are tried first.
    PersonName,
    /// Add another word or two, uncommon ones.
    MoreWords,
    /// Stolen passwords are tried first.
    Breached,
}

impl Feedback {
    /// All of them, for tests of the translations.
    pub const ALL: [Self; 11] = [
        Self::Lengthen,
        Self::Shorten,
        Self::Composition,
        Self::Common,
        Self::Context,
        Self::Pattern,
        Self::Repeat,
        Self::Date,
        Self::PersonName,
        Self::MoreWords,
        Self::Breached,
    ];

    /// The key of the translation. `password-lengthen` takes `min`, `password-shorten` takes `max`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Lengthen => "password-lengthen",
            Self::Shorten => "password-shorten",
            Self::Composition => "password-composition",
            Self::Common => "password-common",
            Self::Context => "password-context",
            Self::Pattern => "password-pattern",
            Self::Repeat => "password-repeat",
            Self::Date => "password-date",
            Self::PersonName => "password-person-name",
            Self::MoreWords => "password-more-words",
            Self::Breached => "password-breached",
        }
    }
}

/// Words that are no secret around this password: the person's address and name, the service's name and host.
#[derive(Clone, Default)]
pub struct Context {
    words: Vec<String>,
    skeletons: Vec<Skeleton>,
}

/// Shorter words occur by chance in good passwords.
const MIN_WORD: usize = 3;

impl Context {
    /// The words of a deployment: its name and the host of its public URL.
    pub fn of_service(name: &str, public_host: &str) -> Self {
        let mut context = Self::default();
        context.add("doorward");
        context.add_with_pieces(name);
        context.add_domain(public_host);
        context
    }

    /// These words and those of a person's address.
    #[must_use]
    pub fn with_address(mut self, address: &EmailAddress) -> Self {
        self.add(address.as_typed());
        self.add_with_pieces(address.local_part());
        self.add_domain(address.domain());
        self
    }

    /// These words and those of a person's name.
    #[must_use]
    pub fn with_name(mut self, name: &DisplayName) -> Self {
        self.add_with_pieces(name.as_str());
        self
    }

    /// Every label of a domain except the last one, which says nothing.
    fn add_domain(&mut self, domain: &str) {
        self.add(domain);
        let labels = domain.rsplit_once('.').map_or(domain, |(labels, _)| labels);
        labels.split('.').for_each(|label| self.add_with_pieces(label));
    }

    fn add_with_pieces(&mut self, text: &str) {
        self.add(text);
        self.add(&text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>());
        for piece in text.split(|letter: char| !letter.is_alphanumeric()) {
            self.add(piece);
            // "anna1987" and its owner's next password "anna1988".
            self.add(piece.trim_matches(char::is_numeric));
        }
    }

    fn add(&mut self, word: &str) {
        let skeleton = fold::skeleton(word);
        if skeleton.len() >= MIN_WORD && !self.skeletons.contains(&skeleton) {
            self.skeletons.push(skeleton);
            self.words.push(word.to_owned());
        }
    }

    fn estimator_words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context[redacted]")
    }
}
