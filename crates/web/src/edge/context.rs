//! What is known about one request: made first, read by every check, by the extractors and by the presenter.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::extract::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use doorward_app::authentication::Principal;
use doorward_app::op::{Actor, Op};
use doorward_model::id::RequestId;
use doorward_model::random::{self, Random};
use doorward_model::secret::PlainToken;
use doorward_model::time::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Arrival, PeerAddress, Station, address};
use crate::body::FormFields;
use crate::cookies::{Cookies, PreNonce, pre_cookie};
use crate::csrf::Source;
use crate::gateway::Gateway;
use crate::route::Door;

const MAX_USER_AGENT_BYTES: usize = 256;

/// Everything the edge knows about a request.
pub(crate) struct RequestContext {
    pub(crate) request_id: RequestId,
    pub(crate) now: Timestamp,
    pub(crate) address: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
    pub(crate) door: Door,
    pub(crate) cookies: Cookies,
    pub(crate) body_timeout: std::time::Duration,
    random: Arc<dyn Random>,
    nonce: OnceLock<String>,
    pre: OnceLock<PreNonce>,
    source: OnceLock<Source>,
    is_browser: bool,
    is_token_origin: bool,
    has_authorization: bool,
    allowed_origin: OnceLock<HeaderValue>,
    principal: OnceLock<Principal>,
    form: Mutex<Option<FormFields>>,
    answer_headers: Mutex<Vec<(HeaderName, HeaderValue)>>,
}

impl RequestContext {
    pub(crate) fn begin<G: Gateway>(station: &Station<G>, request: &Request) -> Self {
        let edge = &station.edge;
        let headers = request.headers();
        let peer = request.extensions().get::<PeerAddress>().map(|peer| peer.0);
        let now = edge.gateway.clock().now();
        let random = edge.gateway.random();
        let request_id = address::given_request_id(peer, headers, &edge.settings)
            .unwrap_or_else(|| RequestId::new(now, random.as_ref()));
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        Self {
            request_id,
            now,
            address: address::client_address(peer, headers, &edge.settings),
            user_agent: headers.get(header::USER_AGENT).map(shortened),
            door: door(&station.arrival, request.uri().path(), headers),
            cookies: Cookies::read(headers),
            body_timeout: edge.settings.timeouts.body,
            random,
            nonce: OnceLock::new(),
            pre: OnceLock::new(),
            source: OnceLock::new(),
            is_browser: crate::csrf::says_browser(headers),
            is_token_origin: origin.is_some_and(|origin| edge.settings.lists_origin(origin)),
            has_authorization: headers.contains_key(header::AUTHORIZATION),
            allowed_origin: OnceLock::new(),
            principal: OnceLock::new(),
            form: Mutex::new(None),
            answer_headers: Mutex::new(Vec::new()),
        }
    }

    /// The operation this request asks for, acting as whoever is signed in.
    pub(crate) fn op(&self) -> Op {
        let actor = self
            .principal
            .get()
            .map_or(Actor::Anonymous, |principal| Actor::User { id: principal.user_id, session: principal.session_id });
        Op {
            actor,
            now: self.now,
            random: Arc::clone(&self.random),
            request_id: self.request_id,
            address: self.address,
            user_agent: self.user_agent.clone(),
        }
    }

    pub(crate) fn principal(&self) -> Option<&Principal> {
        self.principal.get()
    }

    pub(crate) fn sign_in(&self, principal: Principal) {
        // Set once per request, by the guard; a second call would find it set and change nothing.
        self.principal.get_or_init(|| principal);
    }

    pub(crate) fn source(&self) -> Option<Source> {
        self.source.get().copied()
    }

    pub(crate) fn comes_from(&self, source: Source) {
        self.source.get_or_init(|| source);
    }

    /// The other origin whose scripts may read the answer.
    pub(crate) fn allowed_origin(&self) -> Option<&HeaderValue> {
        self.allowed_origin.get()
    }

    pub(crate) fn allow_origin(&self, origin: HeaderValue) {
        self.allowed_origin.get_or_init(|| origin);
    }

    pub(crate) fn has_authorization(&self) -> bool {
        self.has_authorization
    }

    /// The session cookie, unless an `Authorization` header speaks instead of it.
    pub(crate) fn session_cookie(&self) -> Option<&PlainToken> {
        self.cookies.session.present().filter(|_| !self.has_authorization)
    }

    /// Whether a refresh token may be handed out in a body: to what is no browser, and to origins the operator listed.
    pub(crate) fn may_hold_refresh_tokens(&self) -> bool {
        !self.is_browser || self.is_token_origin
    }

    /// The nonce of this answer's Content-Security-Policy.
    pub(crate) fn nonce(&self) -> &str {
        self.nonce.get_or_init(|| STANDARD_NO_PAD.encode(random::bytes::<18>(self.random.as_ref())))
    }

    /// The browser's `pre` nonce; a browser that has none gets one with this answer.
    pub(crate) fn pre_nonce(&self) -> &PreNonce {
        if let Some(nonce) = self.cookies.pre.present() {
            return nonce;
        }
        self.pre.get_or_init(|| {
            let nonce = PreNonce::new(self.random.as_ref());
            match pre_cookie(&nonce) {
                Ok(cookie) => self.add_header(header::SET_COOKIE, cookie),
                Err(error) => tracing::error!(%error, "the pre cookie could not be written"),
            }
            nonce
        })
    }

    pub(crate) fn add_header(&self, name: HeaderName, value: HeaderValue) {
        self.answer_headers.lock().unwrap_or_else(PoisonError::into_inner).push((name, value));
    }

    pub(crate) fn take_headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        std::mem::take(&mut *self.answer_headers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn keep_form(&self, form: FormFields) {
        *self.form.lock().unwrap_or_else(PoisonError::into_inner) = Some(form);
    }

    pub(crate) fn take_form(&self) -> Option<FormFields> {
        self.form.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn door(arrival: &Arrival, path: &str, headers: &HeaderMap) -> Door {
    match arrival {
        Arrival::Route(route) | Arrival::OtherMethod { path: route, .. } => route.door,
        Arrival::Nowhere if path == "/api" || path.starts_with("/api/") => Door::Api,
        Arrival::Nowhere if path.starts_with("/oauth2/") => Door::OAuth,
        Arrival::Nowhere if path.starts_with("/.well-known/") => Door::Metadata,
        Arrival::Nowhere if asks_for_json(headers) => Door::Api,
        Arrival::Nowhere => Door::Page,
    }
}

fn asks_for_json(headers: &HeaderMap) -> bool {
    let accepted = |text: &str| {
        headers.get_all(header::ACCEPT).iter().any(|value| value.to_str().is_ok_and(|value| value.contains(text)))
    };
    (accepted("application/json") || accepted("application/problem+json")) && !accepted("text/html")
}

/// A user agent as events and pages may hold it: no control characters, at most 256 bytes.
fn shortened(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    let mut shortened = String::new();
    for character in text.chars().filter(|character| !character.is_control()) {
        if shortened.len() + character.len_utf8() > MAX_USER_AGENT_BYTES {
            break;
        }
        shortened.push(character);
    }
    shortened
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: A-149
    #[test]
    fn a_user_agent_is_cut_at_256_bytes_and_has_no_control_characters() {
        let long = format!("{}\u{e9}", "x".repeat(255));
        assert_eq!(shortened(&HeaderValue::from_bytes(long.as_bytes()).unwrap()).len(), 255);
        let bytes = HeaderValue::from_bytes("a\tb\u{85}c\u{9b}[31m".as_bytes()).unwrap();
        assert_eq!(shortened(&bytes), "abc[31m");
    }
}
