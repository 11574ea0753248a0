//! What a token says, read into types.

mod read;
mod shared;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};

pub(crate) use self::read::Raw;
pub(crate) use self::shared::{Pool, Shared};

/// Claims of which each token has its own, in the order in which they are kept.
#[derive(Clone, Copy)]
enum Own {
    Subject,
    ClientId,
    SessionId,
    GrantId,
    TokenId,
}

const OWN: [&str; 5] = ["sub", "client_id", "sid", "grant_id", "jti"];
/// A token whose other claims hold more values than this is not remembered: in memory each is many times its text.
const MAX_REMEMBERED_VALUES: usize = 256;

/// Counts a value and all in it down; false when there are too many.
fn take(value: &Value, left: &mut usize) -> bool {
    let Some(less) = left.checked_sub(1) else { return false };
    *left = less;
    match value {
        Value::Array(values) => values.iter().all(|value| take(value, left)),
        Value::Object(members) => members.values().all(|value| take(value, left)),
        _ => true,
    }
}

/// No such claim.
const ABSENT: u16 = u16::MAX;
/// No such time.
const NEVER: i64 = i64::MIN;

/// The claims of an access token (RFC 7519 section 4.1, RFC 9068 section 2.2). A hundred thousand of them are
/// remembered at once: what many tokens have in common is kept once, and the rest in one text.
pub struct Claims {
    /// The own claims, one behind the other.
    text: Box<str>,
    /// Where each begins and ends.
    spans: [(u16, u16); OWN.len()],
    /// Whether the token says `azp` instead of `client_id`.
    is_azp: bool,
    shared: Arc<Shared>,
    expires_at: i64,
    issued_at: i64,
    not_before: i64,
    auth_time: i64,
    /// Everything else.
    rest: Option<Box<Map<String, Value>>>,
}

impl Claims {
    /// Keeps what was read.
    pub(crate) fn new(raw: Raw<'_>, pool: &Pool) -> Self {
        let own = [raw.subject, raw.client_id, raw.session_id, raw.grant_id, raw.token_id];
        let mut text = String::with_capacity(own.iter().flatten().map(|value| value.len()).sum());
        // A token is at most 16 KiB long, so that every place in the text fits.
        let place = |length: usize| u16::try_from(length).unwrap_or(ABSENT);
        let spans = own.map(|value| {
            let start = place(text.len());
            value.map_or((ABSENT, ABSENT), |value| {
                text.push_str(&value);
                (start, place(text.len()))
            })
        });
        let (shared, rest) = (pool.share(raw.shared), (!raw.rest.is_empty()).then(|| Box::new(raw.rest)));
        let never = |time: Option<i64>| time.unwrap_or(NEVER);
        Self {
            text: text.into_boxed_str(),
            spans,
            is_azp: raw.is_azp,
            shared,
            expires_at: raw.expires_at,
            issued_at: never(raw.issued_at),
            not_before: never(raw.not_before),
            auth_time: never(raw.auth_time),
            rest,
        }
    }

    fn own(&self, which: Own) -> Option<&str> {
        let (start, end) = self.spans[which as usize];
        self.text.get(usize::from(start)..usize::from(end))
    }

    /// `iss`: who issued it.
    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// `sub`: whom it is about. The same text of two issuers is two subjects.
    pub fn subject(&self) -> Option<&str> {
        self.own(Own::Subject)
    }

    /// `client_id`, or `azp` where an issuer sends that: the application that the token was given to.
    pub fn client_id(&self) -> Option<&str> {
        self.own(Own::ClientId)
    }

    /// `sid`: the session that it comes from.
    pub fn session_id(&self) -> Option<&str> {
        self.own(Own::SessionId)
    }

    /// `grant_id`: what the person let the application have. Doorward's own claim.
    pub fn grant_id(&self) -> Option<&str> {
        self.own(Own::GrantId)
    }

    /// `jti`: the token's own id.
    pub fn token_id(&self) -> Option<&str> {
        self.own(Own::TokenId)
    }

    /// `aud`: for whom it is.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.shared.audiences.iter().map(|audience| &**audience)
    }

    /// `scope`: what it allows, word by word.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.shared.scopes.iter().map(|word| &**word)
    }

    /// Whether a scope word is among what it allows.
    pub fn has_scope(&self, word: &str) -> bool {
        self.scopes().any(|own| own == word)
    }

    /// `acr`: how surely the person was known.
    pub fn authentication_class(&self) -> Option<&str> {
        self.shared.acr.as_deref()
    }

    /// `amr`: how they signed in.
    pub fn authentication_methods(&self) -> impl Iterator<Item = &str> {
        self.shared.amr.iter().map(|method| &**method)
    }

    /// `exp`: when it ends, in seconds since 1970.
    pub const fn expires_at(&self) -> i64 {
        self.expires_at
    }

    /// `iat`: when it was issued, in seconds since 1970.
    pub fn issued_at(&self) -> Option<i64> {
        (self.issued_at != NEVER).then_some(self.issued_at)
    }

    /// `nbf`: before when it is not good, in seconds since 1970.
    pub fn not_before(&self) -> Option<i64> {
        (self.not_before != NEVER).then_some(self.not_before)
    }

    /// `auth_time`: when the person last signed in, in seconds since 1970.
    pub fn auth_time(&self) -> Option<i64> {
        (self.auth_time != NEVER).then_some(self.auth_time)
    }

    /// A claim that has no method here.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.rest.as_ref()?.get(name)
    }

    /// What a JSON pointer (RFC 6901) leads to among the claims that have no method here.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        let path = pointer.strip_prefix('/')?;
        let (first, deeper) = path.split_at(path.find('/').unwrap_or(path.len()));
        self.get(&first.replace("~1", "/").replace("~0", "~"))?.pointer(deeper)
    }

    /// The thumbprint of the key that it is bound to (RFC 9449 section 6.1, RFC 8705 section 3.1). A confirmation that
    /// is not understood fits no key.
    pub(crate) fn confirmation(&self) -> Option<&str> {
        self.get("cnf").map(|confirmation| confirmation.get("jkt").and_then(Value::as_str).unwrap_or_default())
    }

    /// Whether it takes so little memory that many of its like can be remembered.
    pub(crate) fn is_small(&self) -> bool {
        let mut left = MAX_REMEMBERED_VALUES;
        self.rest.iter().flat_map(|rest| rest.values()).all(|value| take(value, &mut left))
    }

    /// The claims as they stand in the token, read into a type of your own.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(serde_json::to_value(self)?)
    }
}

/// The token's claims as JSON: `aud` as a list, `scope` (or `scp`) as words in one text, as RFC 9068 has them, and whole
/// seconds; all else as it came.
impl Serialize for Claims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("iss", self.issuer())?;
        map.serialize_entry("aud", &self.shared.audiences)?;
        for (name, (start, end)) in OWN.iter().zip(self.spans) {
            let name = if self.is_azp && *name == "client_id" { "azp" } else { name };
            if let Some(value) = self.text.get(usize::from(start)..usize::from(end)) {
                map.serialize_entry(name, value)?;
            }
        }
        map.serialize_entry("exp", &self.expires_at)?;
        for (name, time) in [("iat", self.issued_at()), ("nbf", self.not_before()), ("auth_time", self.auth_time())] {
            if let Some(time) = time {
                map.serialize_entry(name, &time)?;
            }
        }
        if !self.shared.scopes.is_empty() {
            map.serialize_entry("scope", &self.shared.scopes.join(" "))?;
        }
        if let Some(acr) = self.authentication_class() {
            map.serialize_entry("acr", acr)?;
        }
        if !self.shared.amr.is_empty() {
            map.serialize_entry("amr", &self.shared.amr)?;
        }
        for (name, value) in self.rest.iter().flat_map(|rest| rest.iter()) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Who and when; what else a token says may be personal.
impl std::fmt::Debug for Claims {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Claims")
            .field("issuer", &self.issuer())
            .field("client_id", &self.client_id())
            .field("token_id", &self.token_id())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
