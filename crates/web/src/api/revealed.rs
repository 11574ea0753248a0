//! A secret on its way to whom it belongs.

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

/// The text of a token in an answer: the one kind of secret that is written out. No `Debug`; wiped when dropped.
pub(crate) struct Revealed(Zeroizing<String>);

impl Revealed {
    /// The text as given.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }
}

impl From<Zeroizing<String>> for Revealed {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl Serialize for Revealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
