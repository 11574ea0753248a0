//! What can be wrong with the configuration before any setting is judged. No message shows a value: any of them
//! may be a secret in the wrong place.

use std::fmt;
use std::path::PathBuf;

use figment::error::{Error as FigmentError, Kind};
use thiserror::Error;

use super::settings::{self, Shape};

/// One thing that is wrong, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file with the line, the environment, or the command line.
    pub place: String,
    /// The setting as it is spelt there.
    pub name: String,
    /// What is wrong with it.
    pub fault: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.place, self.name, self.fault)
    }
}

/// The configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigurationError {
    /// The file is not there, or not readable.
    #[error("{path} cannot be read")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{path} is not valid TOML: {fault}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line and reason, without the text of the line.
        fault: String,
    },
    /// Names that do not exist, or values of the wrong kind.
    #[error("{}", list(.0))]
    Settings(Vec<Problem>),
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What a value of the wrong kind should have been.
pub(super) fn problem(error: &FigmentError, place: String, name: String) -> Problem {
    let shape = settings::find(&name).map(|setting| setting.shape);
    let fault = match &error.kind {
        Kind::Message(ours) => ours.clone(),
        Kind::UnknownVariant(_, known) => {
            format!("must be one of {}", known.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", "))
        }
        Kind::InvalidValue(..) | Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => "is out of range".to_owned(),
        Kind::InvalidType(_, expected) => match shape {
            Some(Shape::Number) if expected.starts_with('u') => "must be a whole number".to_owned(),
            Some(Shape::Number) => "must be a number".to_owned(),
            Some(Shape::Boolean) => "must be true or false".to_owned(),
            Some(Shape::List) => "must be a list of texts".to_owned(),
            Some(Shape::Text) => "must be a text in quotes".to_owned(),
            None => "is not a table of settings".to_owned(),
        },
        _ => "has a value of the wrong kind".to_owned(),
    };
    Problem { place, name, fault }
}

/// What the TOML parser says, without the line it quotes: that line may hold a secret.
pub(super) fn without_quoted_line(message: &str) -> String {
    let kept: Vec<&str> =
        message.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.contains('|')).collect();
    kept.join(": ")
}
