//! What all pages share.

use std::borrow::Cow;
use std::fmt;

use doorward_app::text::{self, Argument, Texts};
use doorward_model::locale::Locale;
use doorward_model::time::Timestamp;

use super::assets::{Asset, MARK, SCRIPT, STYLESHEET};
use super::paths;

/// The colours a person chose in this browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the device is set.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Every choice, in the order it is offered.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The value in the cookie and the form.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads [`Theme::slug`].
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.slug() == slug)
    }

    /// The id of its name.
    pub const fn text_id(self) -> &'static str {
        match self {
            Self::System => "theme-system",
            Self::Light => "theme-light",
            Self::Dark => "theme-dark",
        }
    }

    /// The value of `color-scheme`.
    pub const fn color_scheme(self) -> &'static str {
        match self {
            Self::System => "light dark",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What all pages share.
#[derive(Clone)]
pub struct Page {
    /// The texts of the visitor's language.
    pub texts: &'static Texts,
    /// The visitor's colours.
    pub theme: Theme,
    /// The name of this deployment.
    pub site: String,
    /// The path of this page, to come back to after a change of language. Not the query, which can hold a token.
    pub path: String,
    /// The flow this page belongs to, sealed for this browser: its forms carry it, and a change of language comes back
    /// with it. Empty where nothing was begun.
    pub flow: String,
    /// The token that every form on the page carries; empty on pages without forms.
    pub csrf: String,
    /// The nonce of this answer's content security policy; empty when the policy names none.
    pub nonce: String,
    /// Whether the forms belong to a session.
    pub is_signed_in: bool,
}

impl Page {
    /// A text.
    pub fn say(&self, id: &str) -> Cow<'static, str> {
        self.texts.say(id)
    }

    /// A text with one value in it.
    pub fn say_with<'v>(&self, id: &str, name: &str, value: impl Into<Argument<'v>>) -> Cow<'static, str> {
        self.texts.say_with(id, &[(name, value.into())])
    }

    /// A text that names the deployment.
    pub fn say_site(&self, id: &str) -> Cow<'static, str> {
        self.say_with(id, "site", &self.site)
    }

    /// The content of the `title` element: what the page is about first, and before it the word "Error" when
    /// something needs to be corrected.
    pub fn title(&self, heading: impl AsRef<str>, has_problems: bool) -> String {
        let title =
            self.texts.say_with("page-title", &[("title", heading.as_ref().into()), ("site", (&self.site).into())]);
        if has_problems { self.say_with("error-title", "title", title).into_owned() } else { title.into_owned() }
    }

    /// The address of a page that goes on with what was begun.
    pub fn in_flow(&self, path: &str) -> String {
        if self.flow.is_empty() { path.to_owned() } else { format!("{path}?flow={}", self.flow) }
    }

    /// A time as people read it.
    pub fn moment(&self, at: &Timestamp) -> String {
        self.texts.moment(*at)
    }

    /// How long ago a time was, as people say it.
    pub fn ago(&self, at: &Timestamp, now: &Timestamp) -> String {
        self.texts.ago(*at, *now)
    }

    /// A span of seconds as people read it.
    pub fn span(&self, seconds: &u64) -> String {
        self.texts.span(*seconds)
    }

    /// A device label in the visitor's language.
    pub fn device(&self, label: &str) -> String {
        self.texts.device(label)
    }

    /// What stands before and after the value `name` in the text `id`, for templates that mark the value up.
    pub fn around(&self, id: &str, name: &str) -> (String, String) {
        self.texts.around(id, name, &[])
    }

    /// The count of characters while a password is still too short; the script puts the number in place of `%`.
    pub fn count_below(&self, min_length: &u64) -> Cow<'static, str> {
        self.texts.say_with("length-count", &[("count", "%".into()), ("min", (*min_length).into())])
    }

    /// The count of characters of a password that is long enough.
    pub fn count_enough(&self) -> Cow<'static, str> {
        self.say_with("length-enough", "count", "%")
    }

    /// The language of the page.
    pub fn locale(&self) -> Locale {
        self.texts.locale()
    }

    /// Which way it is written.
    pub fn direction(&self) -> &'static str {
        text::direction(self.locale())
    }

    /// The languages a visitor can change to: tag and own name.
    pub fn other_languages(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let current = self.locale();
        let others = Locale::ALL.into_iter().filter(move |locale| *locale != current);
        others.map(|locale| (locale.as_str(), text::own_name(locale)))
    }

    /// Where the choice of language and appearance is sent.
    pub fn preferences(&self) -> &'static str {
        if self.is_signed_in { paths::ACCOUNT_PREFERENCES } else { paths::PREFERENCES }
    }

    pub(super) fn stylesheet() -> &'static str {
        Asset::path(&STYLESHEET)
    }

    pub(super) fn script() -> &'static str {
        Asset::path(&SCRIPT)
    }

    pub(super) fn mark() -> &'static str {
        Asset::path(&MARK)
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("path", &self.path).field("locale", &self.locale()).finish_non_exhaustive()
    }
}
