//! The languages Doorward speaks, and which one a browser gets.

use serde::{Serialize, Serializer};

/// A language of pages and mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Locale {
    /// English, also for whoever asks for nothing we speak.
    #[default]
    English,
    /// German.
    German,
}

/// How many entries of an `Accept-Language` header are read; browsers send fewer.
const MAX_ENTRIES: usize = 20;

impl Locale {
    /// Every language, English first.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language tag (BCP 47).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language of a tag such as `de`, `de-AT` or `DE_at`; none if we do not speak it.
    pub fn parse(tag: &str) -> Option<Self> {
        let well_formed = !tag.is_empty() && tag.len() <= 35 && tag.split(['-', '_']).all(is_subtag);
        let language = tag.split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|locale| well_formed && locale.as_str().eq_ignore_ascii_case(language))
    }

    /// The language we speak that an `Accept-Language` header (RFC 9110 section 12.5.4) likes best.
    pub fn negotiate(accept_language: &str) -> Self {
        let mut best = (Self::default(), 0);
        for entry in accept_language.split(',').take(MAX_ENTRIES) {
            let (tag, quality) = match entry.split_once(';') {
                Some((tag, parameters)) => (tag.trim(), parse_quality(parameters)),
                None => (entry.trim(), Some(1_000)),
            };
            let locale = if tag == "*" { Some(Self::default()) } else { Self::parse(tag) };
            // Of equal ones the first wins, as the order of the header says.
            if let (Some(locale), Some(quality)) = (locale, quality)
                && quality > best.1
            {
                best = (locale, quality);
            }
        }
        best.0
    }
}

fn is_subtag(text: &str) -> bool {
    (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// `q=0.8` in thousandths (RFC 9110 section 12.4.2); none if malformed.
fn parse_quality(parameters: &str) -> Option<u32> {
    let value = parameters.trim().strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('=')?.trim_start();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u32 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", _) => Some(thousandths),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

impl Serialize for Locale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tag_names_its_language() {
        assert_eq!(Locale::parse("de"), Some(Locale::German));
        assert_eq!(Locale::parse("DE-at"), Some(Locale::German));
        assert_eq!(Locale::parse("en_GB"), Some(Locale::English));
        for tag in ["", "d", "deu", "fr", "de-", "-de", "de at", "de-<script>", "de\n"] {
            assert_eq!(Locale::parse(tag), None, "{tag:?}");
        }
    }

    #[test]
    fn the_best_language_we_speak_is_chosen() {
        for (header, expected) in [
            ("", Locale::English),
            ("de", Locale::German),
            ("de-AT,de;q=0.9,en;q=0.8", Locale::German),
            ("en;q=0.5, de;q=0.7", Locale::German),
            ("en, de", Locale::English),
            ("fr, de;q=0.3", Locale::German),
            ("fr, *;q=0.5, de;q=0.3", Locale::English),
            ("de;q=0, fr", Locale::English),
            ("de;q=2, en;q=0.1", Locale::English),
            ("de;q=0.0001, de;level=1", Locale::English),
            ("de ; Q = 1.000", Locale::German),
        ] {
            assert_eq!(Locale::negotiate(header), expected, "{header}");
        }
        let late = format!("{}de", "fr,".repeat(MAX_ENTRIES));
        assert_eq!(Locale::negotiate(&late), Locale::English);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in "[a-z;,=.*0-9 qé-]{0,60}") {
            let _ = Locale::negotiate(&header);
        }
    }
}
