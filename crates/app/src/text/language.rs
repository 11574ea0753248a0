//! What texts need to know about a language besides its tag.

use doorward_model::locale::Locale;
use unic_langid::LanguageIdentifier;

/// What its speakers call a language.
pub const fn own_name(locale: Locale) -> &'static str {
    match locale {
        Locale::English => "English",
        Locale::German => "Deutsch",
    }
}

/// Which way a language is written: the value of HTML's `dir` attribute.
pub const fn direction(locale: Locale) -> &'static str {
    match locale {
        Locale::English | Locale::German => "ltr",
    }
}

pub(super) fn identifier(locale: Locale) -> LanguageIdentifier {
    // The tags are well-formed; the default is the undetermined language.
    locale.as_str().parse().unwrap_or_default()
}
