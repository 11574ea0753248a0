//! What the product says to people: every sentence is a Fluent message in `locales/<language>/*.ftl`, built into
//! the binary, looked up by id.

mod arguments;
mod language;
mod moments;

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use doorward_model::locale::Locale;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

pub use arguments::Argument;
pub use language::{direction, own_name};

macro_rules! sources {
    ($tag:literal) => {
        [
            include_str!(concat!("../../../locales/", $tag, "/shared.ftl")),
            include_str!(concat!("../../../locales/", $tag, "/pages.ftl")),
            include_str!(concat!("../../../locales/", $tag, "/account.ftl")),
            include_str!(concat!("../../../locales/", $tag, "/notices.ftl")),
            include_str!(concat!("../../../locales/", $tag, "/messages.ftl")),
            include_str!(concat!("../../../locales/", $tag, "/mails.ftl")),
        ]
    };
}

const ENGLISH_SOURCES: [&str; 6] = sources!("en");
const GERMAN_SOURCES: [&str; 6] = sources!("de");

// Read at the first use of a language, so that starting the server costs nothing.
static ENGLISH: LazyLock<Texts> = LazyLock::new(|| Texts::read(Locale::English, &ENGLISH_SOURCES));
static GERMAN: LazyLock<Texts> = LazyLock::new(|| Texts::read(Locale::German, &GERMAN_SOURCES));

/// All texts of one language.
pub struct Texts {
    locale: Locale,
    bundle: FluentBundle<FluentResource>,
}

impl Texts {
    /// The texts of `locale`.
    pub fn for_locale(locale: Locale) -> &'static Self {
        match locale {
            Locale::English => &ENGLISH,
            Locale::German => &GERMAN,
        }
    }

    fn read(locale: Locale, sources: &[&str]) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![language::identifier(locale)]);
        // Fluent would put invisible isolation marks around every value. They help only where languages of both
        // directions meet in one sentence, and would stand in subjects, titles and what people copy. Values a
        // person chose stand in <bdi> on pages, and names cannot hold direction marks.
        bundle.set_use_isolating(false);
        for source in sources {
            let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(resource, errors)| {
                tracing::error!(locale = locale.as_str(), ?errors, "a text file has mistakes");
                resource
            });
            if let Err(errors) = bundle.add_resource(resource) {
                tracing::error!(locale = locale.as_str(), ?errors, "a text is defined twice");
            }
        }
        Self { locale, bundle }
    }

    /// The language of these texts.
    pub fn locale(&self) -> Locale {
        self.locale
    }

    /// The text `id`. An unknown id is logged and shown between brackets: a test looks for them, and a visitor
    /// still gets the page.
    pub fn say(&self, id: &str) -> Cow<'_, str> {
        self.say_with(id, &[])
    }

    /// The text `id` with values in it.
    pub fn say_with(&self, id: &str, values: &[(&str, Argument<'_>)]) -> Cow<'_, str> {
        let Some(pattern) = self.bundle.get_message(id).and_then(|message| message.value()) else {
            tracing::error!(locale = self.locale.as_str(), id, "a text is missing");
            return Cow::Owned(format!("⟦{id}⟧"));
        };
        let mut arguments = FluentArgs::with_capacity(values.len());
        for (name, value) in values {
            arguments.set(*name, value.to_fluent());
        }
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&arguments), &mut errors);
        if !errors.is_empty() {
            tracing::error!(locale = self.locale.as_str(), id, ?errors, "a text cannot be filled in");
        }
        text
    }

    /// The text `id` with `values` in it, cut where one more value, `name`, belongs: for callers that mark that
    /// one up.
    pub fn around(&self, id: &str, name: &str, values: &[(&str, Argument<'_>)]) -> (String, String) {
        // A noncharacter: no text contains it.
        const GAP: &str = "\u{fdd0}";
        let mut all = values.to_vec();
        all.push((name, GAP.into()));
        let text = self.say_with(id, &all);
        let (before, after) = text.split_once(GAP).unwrap_or((&text, ""));
        (before.to_owned(), after.to_owned())
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").field("locale", &self.locale).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
