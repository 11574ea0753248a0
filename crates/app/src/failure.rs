//! What no caller can act on: one type for every use case, with its source for the log.

use doorward_store::StoreError;
use thiserror::Error;

use crate::hashing::HashingError;
use crate::keys::KeysError;
use crate::keys::sealing::CryptographyFailed;

/// The use case could not be carried out, through no fault of the caller.
#[derive(Debug, Error)]
pub enum Failure {
    /// Something the server needs is missing or saturated for the moment; trying later may work.
    #[error("the server cannot do this now")]
    Unavailable {
        /// When to try again, in seconds.
        retry_after_seconds: u32,
        /// What is missing.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The hash pool has all it can take.
    #[error("too many passwords are being hashed")]
    TooBusy {
        /// When to try again, in seconds.
        retry_after_seconds: u32,
    },
    /// A fault.
    #[error("internal fault: {doing}")]
    Internal {
        /// What was being done.
        doing: &'static str,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A change was about to be committed without the event that records it.
    #[error("a change recorded {recorded} events instead of one")]
    Unrecorded {
        /// How many it recorded.
        recorded: u32,
    },
}

impl Failure {
    /// A fault while `doing` something.
    pub(crate) fn internal(doing: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal { doing, source: source.into() }
    }
}

impl Failure {
    /// The cryptographic library failed.
    pub(crate) fn cryptography(error: CryptographyFailed) -> Self {
        Self::internal("using the cryptographic library", error)
    }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Store(error) => error.into(),
            KeysError::WrongMasterKey { .. } | KeysError::Unusable(_) | KeysError::Cryptography(_) => {
                Self::internal("reading the keys", error)
            }
        }
    }
}

impl From<HashingError> for Failure {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::TooBusy { retry_after_seconds } => Self::TooBusy { retry_after_seconds },
            HashingError::Closed => Self::Unavailable { retry_after_seconds: 5, source: Box::new(error) },
            HashingError::UnreadableHash | HashingError::Failed => {
                Self::Internal { doing: "hashing a password", source: Box::new(error) }
            }
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Unavailable | StoreError::Closed) {
            Self::Unavailable { retry_after_seconds: 2, source: Box::new(error) }
        } else {
            Self::Internal { doing: "using the database", source: Box::new(error) }
        }
    }
}
