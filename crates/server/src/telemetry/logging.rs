//! Log lines on standard error: JSON for machines, pretty for people.

use std::io::IsTerminal as _;
use std::str::FromStr as _;
use std::sync::{Arc, OnceLock};

use thiserror::Error;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::lines::{Lines, Sink};
use super::sources::SystemClock;
use crate::configuration::{Log, LogFormat};

/// The process's sink, once it logs JSON.
static SINK: OnceLock<Arc<Sink>> = OnceLock::new();

/// Why there is no log.
#[derive(Debug, Error)]
pub enum LoggingError {
    /// `log.level` cannot be read.
    #[error("log.level is not a level such as \"info\" or a list such as \"info,doorward_store=debug\"")]
    Level,
    /// The lines get no thread.
    #[error("the log gets no thread")]
    Thread(#[from] std::io::Error),
    /// Something else in this process already takes the log lines.
    #[error("logging is set up already")]
    Twice,
}

/// Reads `log.level`.
pub fn targets(level: &str) -> Result<Targets, LoggingError> {
    if level.trim().is_empty() {
        return Err(LoggingError::Level);
    }
    Targets::from_str(level).map_err(|_| LoggingError::Level)
}

/// Starts logging for the whole process.
pub fn start(log: &Log) -> Result<(), LoggingError> {
    let targets = targets(&log.level)?;
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let layer = if json {
        let sink = Sink::start()?;
        // Set up twice is refused below, and the first sink stays.
        let _ = SINK.set(Arc::clone(&sink));
        Lines::new(sink, SystemClock).with_filter(targets).boxed()
    } else {
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        lines.with_ansi(false).with_target(false).with_filter(targets).boxed()
    };
    tracing_subscriber::registry().with(layer).try_init().map_err(|_| LoggingError::Twice)
}

/// Writes what waits to be written: call it before the process ends.
pub fn flush() {
    if let Some(sink) = SINK.get() {
        sink.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_word_or_a_list() {
        for level in ["info", "WARN", "info,doorward_store=debug", "off"] {
            assert!(targets(level).is_ok(), "{level}");
        }
        for level in ["", "info,doorward=loud", "a=b=c"] {
            assert!(targets(level).is_err(), "{level}");
        }
    }
}
