//! A page of the feed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::list::{Item, Kind};
use crate::refusal::Reason;

/// The type of a page in its header (RFC 8725 section 3.11).
pub(super) const PAGE_TYPE: &str = "doorward-revocations+jwt";
/// The most entries that are taken of a page.
const MAX_ENTRIES: usize = 10_000;
/// Entries are dated so far ahead of their page at most: those of removed applications are, by seconds.
const MAX_AHEAD_S: i64 = 60;
/// How far ahead of its page `complete_since` may lie, in seconds. A node that had to drop entries which are dated ahead
/// says a little more than a minute; whoever says more would have every token refused, and for as long as it likes.
const MAX_COMPLETE_AHEAD_S: i64 = 120;
/// The longest cursor.
const MAX_CURSOR_BYTES: usize = 200;

/// What an issuer says that it revoked.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) issuer: String,
    /// When it was signed, in seconds.
    pub(crate) issued_at: i64,
    /// Until when everything is listed, in milliseconds of the issuer's clock.
    pub(crate) as_of_ms: i64,
    pub(crate) complete_since: i64,
    pub(crate) cursor: String,
    pub(crate) more: bool,
    /// With the seconds in which they were revoked.
    pub(crate) revoked: Vec<(Item, i64)>,
}

#[derive(Deserialize)]
struct Text {
    iss: String,
    iat: i64,
    as_of: i64,
    complete_since: i64,
    cursor: String,
    more: bool,
    revoked: Vec<(String, String, i64)>,
}

impl Page {
    /// Reads the payload of a page. Kinds that this version does not know are left out.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Reason> {
        let text: Text = serde_json::from_slice(payload).map_err(|_| Reason::Malformed)?;
        let is_cursor = text.cursor.len() <= MAX_CURSOR_BYTES && text.cursor.bytes().all(is_unreserved);
        if !is_cursor || text.revoked.len() > MAX_ENTRIES {
            return Err(Reason::Malformed);
        }
        if is_to_come(text.complete_since, text.iat) {
            return Err(Reason::NotYet);
        }
        // What is dated further ahead would be kept for ever.
        let latest = text.iat.saturating_add(MAX_AHEAD_S);
        let mut revoked = Vec::with_capacity(text.revoked.len());
        for (kind, hash, at) in text.revoked {
            let Some(kind) = Kind::parse(&kind) else { continue };
            let hash = URL_SAFE_NO_PAD.decode(hash).ok().and_then(|hash| hash.try_into().ok());
            let at = at.div_euclid(1_000).min(latest);
            revoked.push((Item { kind, hash: hash.ok_or(Reason::Malformed)? }, at));
        }
        let Text { iss: issuer, iat: issued_at, as_of: as_of_ms, complete_since, cursor, more, .. } = text;
        Ok(Self { issuer, issued_at, as_of_ms, complete_since, cursor, more, revoked })
    }
}

/// Whether `complete_since` is a time that no page signed at `issued_at` can name.
pub(super) const fn is_to_come(complete_since: i64, issued_at: i64) -> bool {
    complete_since > issued_at.saturating_add(MAX_COMPLETE_AHEAD_S)
}

/// RFC 3986 section 2.3: a cursor goes into an address as it is.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
