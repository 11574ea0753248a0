//! Why there are no keys.

use thiserror::Error;

use super::KeySetError;
use crate::client::ClientError;

/// Why the keys of an issuer, or its metadata, cannot be had. A fault of the issuer, of the network or of the settings,
/// never of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeysUnavailable {
    /// The issuer did not answer.
    #[error("the issuer could not be asked: {0}")]
    Client(#[from] ClientError),
    /// It answered with another status than 200.
    #[error("the issuer answered with status {0}")]
    Status(u16),
    /// What came is no discovery document.
    #[error("what the issuer answered is no discovery document")]
    Document,
    /// The discovery document is another issuer's.
    #[error("the discovery document names another issuer")]
    Issuer,
    /// An address is not `https`, and not `http` on this machine.
    #[error("an address is not https")]
    Address,
    /// What came is no key set.
    #[error("the keys of the issuer cannot be used: {0}")]
    Keys(#[from] KeySetError),
    /// The answer did not come in the time that anybody waits.
    #[error("the issuer did not answer in time")]
    Timeout,
    /// The task that asked is gone: the runtime ends, or the HTTP client panicked.
    #[error("the request was interrupted")]
    Interrupted,
    /// There is no tokio runtime to ask from.
    #[error("keys are fetched within a tokio runtime")]
    NoRuntime,
}
