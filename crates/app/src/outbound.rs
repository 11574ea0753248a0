//! What is asked of other servers while somebody waits. Who asks, and within which bounds, is the server's one client.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use thiserror::Error;

use crate::breached_passwords::BreachCheck;

/// Why a document of a client cannot be had.
#[derive(Debug, Error)]
pub enum NoDocument {
    /// Not in time, or too many are asked for at once.
    #[error("not in time")]
    TooLate,
    /// More than any honest document.
    #[error("too much of an answer")]
    TooLarge,
    /// An answer that is none; a redirect is not followed.
    #[error("an answer with status {0}")]
    Status(u16),
    /// The address is one that nothing is asked of.
    #[error("the address {0}")]
    Refused(&'static str),
    /// The connection could not be made, or broke.
    #[error("the connection failed")]
    Connection(#[source] Box<dyn Error + Send + Sync>),
}

/// A document, when it comes.
pub type DocumentAnswer<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, NoDocument>> + Send + 'a>>;

/// Reads documents that clients keep at addresses of their own. Bounded in time, size and number, and kept away from
/// networks that are nobody else's business, by whoever implements it.
pub trait ClientDocuments: Send + Sync {
    /// What speaks against an address, as far as that is known before anybody is asked: a continuation of its name.
    fn objection(&self, address: &str) -> Option<&'static str>;

    /// The document at the address.
    fn fetch<'a>(&'a self, address: &'a str) -> DocumentAnswer<'a>;
}

/// Other servers, as the use cases see them.
#[derive(Clone)]
pub struct Outbound {
    /// Which new passwords are known from breaches.
    pub breached: BreachCheck,
    /// What clients keep at addresses of their own.
    pub documents: Arc<dyn ClientDocuments>,
}

impl Default for Outbound {
    /// Asks nobody.
    fn default() -> Self {
        Self { breached: BreachCheck::default(), documents: Arc::new(Nowhere) }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("breached", &self.breached).finish_non_exhaustive()
    }
}

struct Nowhere;

const NOTHING_IS_FETCHED: &str = "cannot be read: nothing is fetched here";

impl ClientDocuments for Nowhere {
    fn objection(&self, _: &str) -> Option<&'static str> {
        Some(NOTHING_IS_FETCHED)
    }

    fn fetch<'a>(&'a self, _: &'a str) -> DocumentAnswer<'a> {
        Box::pin(std::future::ready(Err(NoDocument::Refused(NOTHING_IS_FETCHED))))
    }
}
