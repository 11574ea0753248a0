//! The breached-password service over HTTP.

use std::time::Duration;

use doorward_app::breached_passwords::{BreachedPasswords, HashPrefix, NoAnswer, RangeAnswer};
use http::{HeaderName, HeaderValue, StatusCode};
use zeroize::Zeroizing;

#[cfg(test)]
use super::client::OutboundUrlError;
use super::client::{Client, Limits, OutboundError, OutboundUrl};

/// A person waits for the answer.
const TIME: Duration = Duration::from_secs(2);
/// Padded answers have about 1,000 lines of 45 bytes.
const MOST_BYTES: usize = 256 * 1024;
/// More would be a flood of sign-ups.
const AT_ONCE: usize = 16;
/// Asks for lines that mean nothing, so that the length of an encrypted answer does not tell the range.
const PADDING: (HeaderName, HeaderValue) = (HeaderName::from_static("add-padding"), HeaderValue::from_static("true"));

/// A service that answers `GET base/PREFIX`.
#[derive(Debug)]
pub struct BreachedPasswordService {
    client: Client,
    base: OutboundUrl,
}

impl BreachedPasswordService {
    /// The service at `base`.
    pub fn new(base: OutboundUrl) -> Result<Self, rustls::Error> {
        let client = Client::new(Limits { time: TIME, bytes: MOST_BYTES, at_once: AT_ONCE })?;
        Ok(Self { client, base })
    }

    async fn ask(&self, prefix: &HashPrefix) -> Result<Zeroizing<String>, NoAnswer> {
        let (status, body) =
            self.client.get(&self.base, prefix.as_str(), &[PADDING]).await.map_err(|error| match error {
                OutboundError::TooLate => NoAnswer::TooLate,
                OutboundError::TooLong => NoAnswer::TooLarge,
                other @ (OutboundError::OutOfReach | OutboundError::Connect(_) | OutboundError::Exchange(_)) => {
                    NoAnswer::Connection(Box::new(other))
                }
            })?;
        if status != StatusCode::OK {
            return Err(NoAnswer::Status(status.as_u16()));
        }
        String::from_utf8(body.to_vec()).map(Zeroizing::new).map_err(|_| NoAnswer::Unreadable)
    }
}

impl BreachedPasswords for BreachedPasswordService {
    fn find_range<'a>(&'a self, prefix: &'a HashPrefix) -> RangeAnswer<'a> {
        Box::pin(self.ask(prefix))
    }
}

#[cfg(test)]
mod tests;
