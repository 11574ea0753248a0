//! What an operator may want to count.

use std::fmt::Debug;
use std::time::Duration;

/// Told of what happens, to count it. No method is given a token or a part of one. They are called on the path of
/// requests and must not block.
pub trait Observer: Debug + Send + Sync + 'static {
    /// Something happened to the keys of an issuer.
    fn keys(&self, issuer: &str, event: KeysEvent) {
        let _ = (issuer, event);
    }
}

/// What can happen to the keys of an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysEvent {
    /// They were fetched; how long it took, and how many there are.
    Fetched {
        /// From the request to the last byte.
        took: Duration,
        /// Keys that can be used.
        keys: usize,
    },
    /// They could not be fetched, or what came was no key set.
    FetchFailed,
    /// Keys whose time was over were used while newer ones are on their way.
    ServedStale,
    /// A token named a key that the issuer does not have, and it was not asked again so soon.
    UnknownKey,
}
