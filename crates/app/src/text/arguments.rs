//! Values that stand in texts.

use std::borrow::Cow;

use fluent_bundle::FluentValue;

/// A value in a text.
#[derive(Clone, Debug)]
pub enum Argument<'a> {
    /// Shown as it is.
    Text(Cow<'a, str>),
    /// Shown as digits; decides between singular and plural.
    Count(u64),
}

impl Argument<'_> {
    pub(super) fn to_fluent(&self) -> FluentValue<'_> {
        match self {
            Self::Text(text) => FluentValue::from(text.as_ref()),
            Self::Count(count) => FluentValue::from(*count),
        }
    }
}

impl<'a> From<&'a str> for Argument<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a String> for Argument<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Argument<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Argument<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Argument<'_> {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<&u64> for Argument<'_> {
    fn from(count: &u64) -> Self {
        Self::Count(*count)
    }
}
