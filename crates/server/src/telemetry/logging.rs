//! Log lines on standard error: JSON for machines, pretty for people.

use std::io::IsTerminal as _;
use std::str::FromStr as _;

use thiserror::Error;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::configuration::{Log, LogFormat};

/// Why there is no log.
#[derive(Debug, Error)]
pub enum LoggingError {
    /// `log.level` cannot be read.
    #[error("log.level is not a level such as \"info\" or a list such as \"info,doorward_store=debug\"")]
    Level,
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
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = if json {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).with_filter(targets).boxed()
    } else {
        lines.with_ansi(false).with_target(false).with_filter(targets).boxed()
    };
    tracing_subscriber::registry().with(layer).try_init().map_err(|_| LoggingError::Twice)
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
