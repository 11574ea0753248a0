//! Who is asking. A Bearer token counts alone, also when it is invalid; else the session cookie.

use doorward_app::authentication::{AuthenticationError, Principal};
use doorward_app::op::Op;
use http::{HeaderMap, header};
use tokio::time::Instant;

use crate::cookies::{Cookies, Sent};
use crate::gateway::Gateway;
use crate::rate_limit::Refused;

/// The longest access token that is looked at, in bytes.
const MAX_BEARER_BYTES: usize = 4096;

/// What a request presents.
pub(crate) enum Presented<'a> {
    Nothing,
    Bearer(&'a str),
    Cookie(&'a Sent<doorward_model::secret::PlainToken>),
    /// An `Authorization` header that is no readable Bearer: counts, and is invalid.
    Unreadable,
}

impl<'a> Presented<'a> {
    pub(crate) fn by(headers: &'a HeaderMap, cookies: &'a Cookies) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) if matches!(cookies.session, Sent::Absent) => Self::Nothing,
            (None, _) => Self::Cookie(&cookies.session),
            (Some(value), None) => value.to_str().ok().and_then(bearer).map_or(Self::Unreadable, Self::Bearer),
            (Some(_), Some(_)) => Self::Unreadable,
        }
    }

    /// What it counts as when it is refused.
    pub(crate) fn refused(&self) -> Refused {
        if self.is_header() { Refused::Invalid } else { Refused::Stale }
    }

    /// Whether the `Authorization` header alone decides, so that cookies carry no authority.
    pub(crate) fn is_header(&self) -> bool {
        matches!(self, Self::Bearer(_) | Self::Unreadable)
    }
}

/// RFC 6750 section 2.1; the scheme's case does not matter (RFC 9110 section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let is_token = !token.is_empty() && token.len() <= MAX_BEARER_BYTES && token.bytes().all(is_token68);
    (scheme.eq_ignore_ascii_case("bearer") && is_token).then_some(token)
}

fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

/// Asks the application whom the credential belongs to; nobody when there is none. How long that takes is what every
/// request of a signed-in caller pays.
pub(crate) async fn authenticate<G: Gateway>(
    gateway: &G,
    op: &Op,
    presented: &Presented<'_>,
) -> Result<Option<Principal>, AuthenticationError> {
    // For the duration only; no decision depends on it.
    let begun = Instant::now();
    let (credential, found) = match presented {
        Presented::Nothing => return Ok(None),
        Presented::Bearer(token) => ("access_token", gateway.authenticate_bearer(op, token).await),
        Presented::Cookie(Sent::Present(cookie)) => ("cookie", gateway.authenticate_cookie(op, cookie.clone()).await),
        Presented::Cookie(_) => ("cookie", Err(AuthenticationError::Invalid)),
        Presented::Unreadable => ("access_token", Err(AuthenticationError::Invalid)),
    };
    let outcome = match &found {
        Ok(_) => "valid",
        Err(AuthenticationError::Unchecked(_)) => "unavailable",
        Err(_) => "refused",
    };
    metrics::histogram!("token_validation_seconds", "credential" => credential, "outcome" => outcome)
        .record(begun.elapsed().as_secs_f64());
    found.map(Some)
}
