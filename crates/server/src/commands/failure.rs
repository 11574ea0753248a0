//! How a command fails: words for a person, and exit code 1.

/// Why a command failed, with its causes.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// These words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The words.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let words = cause.to_string();
            // Transparent errors repeat the words of their cause.
            if !text.ends_with(&words) {
                text.push_str(": ");
                text.push_str(&words);
            }
            source = cause.source();
        }
        Self(text)
    }
}
