//! What went wrong, in words for the person at the terminal.

use std::fmt;

/// A failed command: a sentence and whether the command line itself was at fault.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    usage: bool,
}

impl Failure {
    /// Something did not work.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), usage: false }
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), usage: true }
    }

    /// 1 for a failure, 2 for a wrong command line.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.usage { 2 } else { 1 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// Says what was being done when an input or output failed.
pub(crate) trait Context<T> {
    /// Turns the error into a failure that begins with `action`.
    fn context(self, action: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn context(self, action: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("{action}: {error}")))
    }
}
