//! Answers on standard output: text for people, JSON for machines.

use std::io::Write as _;

use serde::Serialize;

use super::failure::Failure;

/// How to answer.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Whether a machine reads it.
    pub json: bool,
}

impl Output {
    /// Answers with one or the other.
    pub fn answer<T: Serialize>(self, json: &T, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.json { serde_json::to_string_pretty(json)? + "\n" } else { text() };
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        Ok(stdout.flush()?)
    }
}
