//! What an operator may want to count.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use crate::refusal::{Reason, Unavailable};

/// Told of what happens, to count it. No method is given a token or a part of one. They are called on the path of
/// requests and must not block.
pub trait Observer: Debug + Send + Sync + 'static {
    /// A token was looked at, and how long that took.
    fn token(&self, event: TokenEvent, took: Duration) {
        let _ = (event, took);
    }

    /// Something happened to the keys of an issuer.
    fn keys(&self, issuer: &str, event: KeysEvent) {
        let _ = (issuer, event);
    }

    /// Something happened to the feed of what an issuer revoked.
    fn feed(&self, issuer: &str, event: FeedEvent) {
        let _ = (issuer, event);
    }

    /// The moment from which [`Observer::since`] counts.
    #[expect(clippy::disallowed_methods, reason = "how long a check takes is told to the observer only")]
    fn start(&self) -> Instant {
        Instant::now()
    }

    /// How long it took.
    #[expect(clippy::disallowed_methods, reason = "how long a check takes is told to the observer only")]
    fn since(&self, start: Instant) -> Duration {
        start.elapsed()
    }
}

/// What can come of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenEvent {
    /// It is good, and its signature was checked just now.
    Verified,
    /// It is good, and its signature was checked before.
    Remembered,
    /// It is not believed.
    Refused(Reason),
    /// Nobody can tell now.
    Unavailable(Unavailable),
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

/// What can happen to the feed of what an issuer revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedEvent {
    /// A page came.
    Page {
        /// What was revoked, in this page.
        entries: usize,
        /// What is remembered.
        remembered: usize,
        /// How old the issuer's knowledge was when the page came.
        lag: Duration,
    },
    /// No page came, or what came was none.
    Failed,
    /// Nothing has been known for too long: tokens are refused, unless the settings say otherwise.
    Lost,
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unobserved;

impl Observer for Unobserved {}
