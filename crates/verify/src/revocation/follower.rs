//! Reading the feed, page after page, for as long as the verifier lives.

use std::sync::{Arc, Weak};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use serde::Deserialize;
use thiserror::Error;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::page::{PAGE_TYPE, Page, is_unreserved};
use super::{RevocationFeed, Revocations};
use crate::client::{ClientError, HttpClient, Limits};
use crate::clock::Clock;
use crate::keys::{IssuerKeys, Metadata};
use crate::observe::{FeedEvent, Observer};
use crate::refusal::Reason;
use crate::token::Compact;

/// The scope word that opens the feed.
const SCOPE: &str = "doorward:revocations";
/// How long the issuer may wait for something to list.
const WAIT_S: u64 = 10;
/// What a page may cost.
const PAGE_LIMITS: Limits = Limits { body_bytes: 1_024 * 1_024, time: Duration::from_secs(WAIT_S + 5) };
/// What a token may cost.
const TOKEN_LIMITS: Limits = Limits { body_bytes: 64 * 1_024, time: Duration::from_secs(5) };
/// The pauses after failures, one after the other.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];
/// From one request to the next while there is news: the issuer gathers what is revoked within a moment.
const NEWS_EVERY: Duration = Duration::from_millis(100);
/// The same after a page without news, which an issuer that is at its limits gives at once.
const ASKED_EVERY: Duration = Duration::from_secs(1);
/// A page that was signed longer ago was not made for this request.
const MAX_PAGE_AGE_S: i64 = 60;
/// A token is renewed this long before its end.
const RENEWED_BEFORE_MS: i64 = 30_000;
/// What the metadata and the keys may cost beside a page and a token.
const OTHER_TIME: Duration = Duration::from_secs(10);
/// From a panic of the client or the observer to the next attempt.
const PAUSE_AFTER_PANIC: Duration = Duration::from_secs(1);

/// Why there is no page.
#[derive(Debug, Error)]
enum FeedError {
    #[error("the issuer's metadata cannot be had")]
    Metadata,
    #[error("the issuer has no feed of revocations")]
    NoFeed,
    #[error("the issuer has no token endpoint, or an address is none")]
    Address,
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the token endpoint answered {0}")]
    Token(StatusCode),
    #[error("the feed answered {0}")]
    Feed(StatusCode),
    #[error("the page is not believed: {0}")]
    Page(#[from] Reason),
}

/// Where pages come from.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) issuer: Box<str>,
    pub(crate) feed: RevocationFeed,
    pub(crate) keys: IssuerKeys,
    pub(crate) client: Arc<dyn HttpClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// Follows until it is dropped.
pub(crate) struct Follower(AbortHandle);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Follower {
    /// Begins to follow; within a tokio runtime.
    pub(crate) fn start(source: Source, revocations: &Arc<Revocations>) -> Self {
        let revocations = Arc::downgrade(revocations);
        Self(tokio::spawn(follow(source, revocations)).abort_handle())
    }
}

/// Begins anew whenever the task that follows fails: a client or an observer that panics must not be the end of all
/// news.
async fn follow(source: Source, revocations: Weak<Revocations>) {
    let mut has_failed = false;
    loop {
        // A set ends its tasks when it is dropped.
        let mut tasks = JoinSet::new();
        let follow = Follow { source: source.clone(), cursor: None, token: None };
        tasks.spawn(follow.run(Weak::clone(&revocations), has_failed));
        match tasks.join_next().await {
            Some(Err(error)) if error.is_panic() => {
                tracing::error!(issuer = %source.issuer, "what reads the feed of revocations panicked and begins anew");
            }
            // Nobody is left who would ask, or the runtime ends.
            _ => return,
        }
        has_failed = true;
        sleep(PAUSE_AFTER_PANIC).await;
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: Option<i64>,
}

/// A token for the feed, and until when it is used.
struct FeedToken {
    header: HeaderValue,
    until_ms: i64,
}

struct Follow {
    source: Source,
    cursor: Option<String>,
    token: Option<FeedToken>,
}

impl Follow {
    async fn run(mut self, revocations: Weak<Revocations>, has_failed: bool) {
        let (mut failures, mut was_lost) = (0, false);
        if has_failed {
            let Some(list) = revocations.upgrade() else { return };
            self.tell(FeedEvent::Failed);
            was_lost = self.tell_lost(&list, was_lost);
        }
        loop {
            let asked = Instant::now();
            let page = self.next_page_in_time(&revocations).await;
            // Nobody is left who would ask.
            let Some(list) = revocations.upgrade() else { return };
            let mut is_reading = false;
            let next = match page {
                Ok(page) => {
                    (failures, is_reading) = (0, page.more && !list.has_begun());
                    self.take(&page, &list);
                    asked + pause_after(&page)
                }
                Err(error) => {
                    tracing::warn!(issuer = %self.source.issuer, %error, "revocations cannot be followed");
                    self.tell(FeedEvent::Failed);
                    let pause = PAUSES[failures];
                    failures = (failures + 1).min(PAUSES.len() - 1);
                    Instant::now() + pause
                }
            };
            // Also after a page: an issuer that lost its database says that it knows nothing new.
            if !is_reading {
                was_lost = self.tell_lost(&list, was_lost);
            }
            drop(list);
            sleep_until(next).await;
        }
    }

    /// The limits are the client's to keep; the time is kept here too, so that no client ends the news.
    async fn next_page_in_time(&mut self, revocations: &Weak<Revocations>) -> Result<Page, FeedError> {
        match timeout(PAGE_LIMITS.time + TOKEN_LIMITS.time + OTHER_TIME, self.next_page(revocations)).await {
            Ok(page) => page,
            Err(_) => Err(FeedError::Client(ClientError::Timeout)),
        }
    }

    /// Says once that nothing is known any longer.
    fn tell_lost(&self, list: &Revocations, was_lost: bool) -> bool {
        let is_lost = list.is_lost(self.source.clock.now_ms());
        if is_lost && !was_lost {
            tracing::error!(issuer = %self.source.issuer, "what was revoked is not known: tokens are refused");
            self.tell(FeedEvent::Lost);
        }
        is_lost
    }

    fn tell(&self, event: FeedEvent) {
        if let Some(observer) = &self.source.observer {
            observer.feed(&self.source.issuer, event);
        }
    }

    fn take(&mut self, page: &Page, list: &Revocations) {
        let age_ms = page.issued_at.saturating_mul(1_000).saturating_sub(page.as_of_ms).max(0);
        let lag = Duration::from_millis(age_ms.unsigned_abs());
        if list.is_ahead_of(page) {
            tracing::warn!(issuer = %self.source.issuer, "the clock was set back: the feed is read from its beginning");
            list.set_complete_since(page);
            self.cursor = None;
        } else {
            self.cursor = Some(page.cursor.clone());
        }
        list.apply(page, self.source.clock.now_ms(), lag);
        self.tell(FeedEvent::Page { entries: page.revoked.len(), remembered: list.len(), lag });
    }

    async fn next_page(&mut self, revocations: &Weak<Revocations>) -> Result<Page, FeedError> {
        let metadata = self.source.keys.metadata().await.map_err(|_| FeedError::Metadata)?;
        let endpoint = metadata.doorward_revocation_feed_endpoint.as_deref().ok_or(FeedError::NoFeed)?;
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        let address = match &self.cursor {
            Some(cursor) => format!("{endpoint}{separator}wait={WAIT_S}&cursor={cursor}"),
            // The first page is wanted at once, also when it lists nothing.
            None => endpoint.to_owned(),
        };
        let mut request = Request::get(address).header(ACCEPT, "application/doorward-revocations+jwt");
        if let Some(authorization) = self.authorization(&metadata).await? {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Bytes::new()).map_err(|_| FeedError::Address)?;
        let response = self.source.client.send(request, PAGE_LIMITS).await?;
        match response.status() {
            StatusCode::OK => self.read(response.body(), revocations).await,
            status => {
                // A token that is no longer good is not sent again; a cursor that is not understood neither.
                self.token = None;
                if status == StatusCode::BAD_REQUEST {
                    self.cursor = None;
                }
                Err(FeedError::Feed(status))
            }
        }
    }

    /// The page, if one of the issuer's keys signed it, lately. What a revoked key signed is worth nothing.
    async fn read(&self, body: &Bytes, revocations: &Weak<Revocations>) -> Result<Page, FeedError> {
        let text = std::str::from_utf8(body).map_err(|_| Reason::Malformed)?;
        let page = Compact::parse_long(text)?;
        if &*page.header.kind != PAGE_TYPE {
            return Err(Reason::Type.into());
        }
        let (algorithm, kid) = (page.header.algorithm, page.header.kid.as_deref());
        let keys = self.source.keys.find_for_issuer(algorithm, kid).await.map_err(|_| FeedError::Metadata)?;
        let mut candidates = keys.candidates(algorithm, kid);
        let Some(key) = candidates.find(|key| key.verify(algorithm, page.signing_input, &page.signature)) else {
            return Err(Reason::Signature.into());
        };
        if revocations.upgrade().is_none_or(|list| list.is_revoked_key(key)) {
            return Err(Reason::Revoked.into());
        }
        let page = Page::parse(&page.payload)?;
        if *page.issuer != *self.source.issuer {
            return Err(Reason::Issuer.into());
        }
        let age = self.source.clock.now_seconds().saturating_sub(page.issued_at);
        if !(-MAX_PAGE_AGE_S..=MAX_PAGE_AGE_S).contains(&age) {
            return Err(Reason::Expired.into());
        }
        Ok(page)
    }

    /// The credentials for the feed: a token that client credentials are exchanged for (RFC 6749 section 4.4).
    async fn authorization(&mut self, metadata: &Metadata) -> Result<Option<HeaderValue>, FeedError> {
        let Some((client_id, client_secret)) = &self.source.feed.credentials else { return Ok(None) };
        let now_ms = self.source.clock.now_ms();
        if let Some(token) = self.token.as_ref().filter(|token| now_ms < token.until_ms) {
            return Ok(Some(token.header.clone()));
        }
        let endpoint = metadata.token_endpoint.as_deref().ok_or(FeedError::Address)?;
        let body = format!("grant_type=client_credentials&scope={}", form_encode(SCOPE));
        // RFC 6749 section 2.3.1: both are form-encoded before they are joined.
        let pair = STANDARD.encode(format!("{}:{}", form_encode(client_id), form_encode(client_secret)));
        let request = Request::builder()
            .method(Method::POST)
            .uri(endpoint)
            .header(AUTHORIZATION, sensitive(&format!("Basic {pair}"))?)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(Bytes::from(body))
            .map_err(|_| FeedError::Address)?;
        let response = self.source.client.send(request, TOKEN_LIMITS).await?;
        if response.status() != StatusCode::OK {
            return Err(FeedError::Token(response.status()));
        }
        let answer: TokenAnswer = serde_json::from_slice(response.body()).map_err(|_| Reason::Malformed)?;
        let header = sensitive(&format!("Bearer {}", answer.access_token))?;
        let life_ms = answer.expires_in.unwrap_or(60).clamp(0, 86_400) * 1_000;
        // Of a token that lives shorter than twice the margin, half its life.
        let until_ms = now_ms + (life_ms - RENEWED_BEFORE_MS).max(life_ms / 2);
        self.token = Some(FeedToken { header: header.clone(), until_ms });
        Ok(Some(header))
    }
}

/// How long after one request the next is sent, at the earliest.
const fn pause_after(page: &Page) -> Duration {
    if page.more {
        Duration::ZERO
    } else if page.revoked.is_empty() {
        ASKED_EVERY
    } else {
        NEWS_EVERY
    }
}

/// A header that no log shows.
fn sensitive(text: &str) -> Result<HeaderValue, FeedError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Reason::Malformed)?;
    value.set_sensitive(true);
    Ok(value)
}

/// `application/x-www-form-urlencoded`, for any text.
fn form_encode(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) {
            encoded.push(char::from(byte));
        } else {
            let digits = [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
            encoded.extend(['%', digits[0], digits[1]]);
        }
    }
    encoded
}
