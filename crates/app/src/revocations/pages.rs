//! Pages as followers get them: cut from the log, signed, and signed once for all who are at the same place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::time::{MINUTE_MS, Timestamp};
use serde::Serialize;
use tokio::sync::OnceCell;

use super::cursor::Cursor;
use super::log::{Entry, Excerpt};
use super::waiters::Place;
use crate::App;
use crate::failure::Failure;
use crate::op::Op;

/// The `typ` of a page.
pub(crate) const PAGE_TYPE: &str = "doorward-revocations+jwt";
/// How far behind its time a cursor of another node is continued: rows are dated when their request began, and clocks
/// differ.
const OVERLAP_MS: i64 = 2 * MINUTE_MS;
/// Pages that are kept, of one look.
const MOST_PAGES: usize = 64;

/// Why there is no page.
#[derive(Debug)]
pub(crate) enum PageError {
    /// This node has not looked yet.
    TooEarly,
    /// It could not be signed.
    Failure(Failure),
}

/// What a page is cut for.
type Key = (u64, Option<Cursor>);
type Slot = Arc<OnceCell<Arc<str>>>;

/// The pages of the latest look.
#[derive(Default)]
pub(super) struct Pages(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    as_of: Option<Timestamp>,
    slots: HashMap<Key, Slot>,
}

impl Pages {
    /// The place of a page among those of the look that it is of; one of its own when there are many.
    fn slot(&self, as_of: Timestamp, key: Key) -> Slot {
        // Nothing in it panics between two steps.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_of != Some(as_of) {
            *kept = Kept { as_of: Some(as_of), slots: HashMap::new() };
        }
        if kept.slots.len() >= MOST_PAGES && !kept.slots.contains_key(&key) {
            return Slot::default();
        }
        Arc::clone(kept.slots.entry(key).or_default())
    }
}

/// The payload.
#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    iat: i64,
    as_of: i64,
    complete_since: i64,
    cursor: String,
    more: bool,
    revoked: Vec<(&'static str, String, i64)>,
}

impl App {
    /// The page behind `cursor`, from the beginning without one. With nothing new it waits for up to `wait`, if there is room
    /// for one more who does on behalf of `name`.
    pub(crate) async fn revocation_page(
        &self,
        op: &Op,
        name: &str,
        cursor: Option<Cursor>,
        wait: Duration,
    ) -> Result<Arc<str>, PageError> {
        let position = self.position_of(cursor.as_ref()).ok_or(PageError::TooEarly)?;
        if !wait.is_zero() && position == self.revocations.log().end() {
            self.wait_for_news(name, position, wait).await;
        }
        let excerpt = self.revocations.log().excerpt(position).ok_or(PageError::TooEarly)?;
        let slot = self.revocations.pages.slot(excerpt.as_of, (position, cursor.clone()));
        let page = slot.get_or_try_init(async || self.sign_page(op, &excerpt, cursor.as_ref())).await;
        page.map(Arc::clone).map_err(PageError::Failure)
    }

    /// Where in this node's log a cursor is; none before the first look.
    fn position_of(&self, cursor: Option<&Cursor>) -> Option<u64> {
        let log = self.revocations.log();
        let instance = log.instance()?;
        let Some(cursor) = cursor else { return Some(log.clamp(0)) };
        let overlapping = || log.position_at(cursor.seen().plus_ms(-OVERLAP_MS));
        // One that is ahead of this very run was made up.
        let own = cursor.position_in(instance).filter(|position| *position <= log.end());
        Some(own.map_or_else(overlapping, |position| log.clamp(position)))
    }

    async fn wait_for_news(&self, name: &str, position: u64, wait: Duration) {
        let mut tip = self.revocations.tip.subscribe();
        let place: Option<Place> = self.revocations.waiters.enter(name);
        if place.is_none() {
            return;
        }
        let news = tip.wait_for(|tip| tip.end > position || tip.is_closing);
        // In vain, or because the process ends: the page says that there is nothing.
        let _: Result<_, tokio::time::error::Elapsed> = tokio::time::timeout(wait, news).await.map(drop);
    }

    fn sign_page(&self, op: &Op, excerpt: &Excerpt, cursor: Option<&Cursor>) -> Result<Arc<str>, Failure> {
        let Excerpt { instance, entries, next, has_more, as_of, complete_since } = excerpt;
        let told = entries.last().map_or(Timestamp::from_ms(0), Entry::at);
        let seen = if *has_more { told.min(*as_of) } else { *as_of };
        let cursor = match cursor {
            None => Cursor::new(*instance, *next, seen),
            Some(cursor) => cursor.moved(*instance, *next, seen),
        };
        let payload = Payload {
            iss: &self.keys.settings().issuer,
            // Whoever waited began long before.
            iat: op.now.max(*as_of).as_seconds(),
            as_of: as_of.as_ms(),
            complete_since: *complete_since,
            cursor: cursor.to_text(),
            more: *has_more,
            revoked: entries.iter().map(tell).collect(),
        };
        let payload =
            serde_json::to_vec(&payload).map_err(|error| Failure::internal("writing a page of revocations", error))?;
        let signed = self.keys.sign_claims(PAGE_TYPE, &payload);
        let signed = signed.map_err(|error| Failure::internal("signing a page of revocations", error))?;
        metrics::counter!("revocation_pages_signed_total").increment(1);
        Ok(signed.into())
    }
}

fn tell(entry: &Entry) -> (&'static str, String, i64) {
    (entry.kind(), URL_SAFE_NO_PAD.encode(entry.hash), entry.at().as_ms())
}
