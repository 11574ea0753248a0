//! The check of a token, from its text to its claims.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::cache::TokenCache;
use crate::claims::{Claims, Pool, Raw};
use crate::clock::Clock;
use crate::issuer::Issuer;
use crate::keys::{IssuerKeys, KeySet, VerifyingKey};
use crate::observe::{Observer, TokenEvent};
use crate::refusal::{Reason, Refusal, Unavailable};
use crate::requirement::holds;
use crate::revocation::{Follower, Revocations};
use crate::token::Compact;

/// The most keys that a token without a key id is tried with: each costs as much as the whole check.
const MAX_TRIED_KEYS: usize = 8;

/// A longer token is not remembered: an issuer of long ones does not use up the memory.
const MAX_REMEMBERED_BYTES: usize = 4 * 1_024;

/// An issuer with what is known of it.
pub(crate) struct Trusted {
    pub(crate) rules: Issuer,
    pub(crate) keys: IssuerKeys,
    /// None when nobody follows what it revokes.
    pub(crate) revocations: Option<Arc<Revocations>>,
    /// Follows until the verifier is gone.
    #[expect(dead_code, reason = "held for as long as the list is")]
    pub(crate) follower: Option<Follower>,
}

/// A token that was verified, and everything that makes it good or no longer good.
pub(crate) struct Verified {
    claims: Claims,
    pub(crate) key: Arc<VerifyingKey>,
    pub(crate) issuer: Arc<Trusted>,
    /// The generation of the issuer's keys that its signature was checked with.
    keys_generation: u64,
    /// The version of the list of revocations that it was last held against.
    pub(crate) checked_version: AtomicU64,
}

/// An access token that was good when it was handed to you. It is cheap to clone.
#[derive(Clone)]
pub struct AccessToken(pub(crate) Arc<Verified>);

impl Deref for AccessToken {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        &self.0.claims
    }
}

/// The claims, as they stand in the token.
impl serde::Serialize for AccessToken {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.claims.serialize(serializer)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.claims.fmt(formatter)
    }
}

impl AccessToken {
    /// The claims.
    pub fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// Whether a role is among those of the token, at the place that the issuer's settings name.
    pub fn has_role(&self, role: &str) -> bool {
        holds(self.at(&self.0.issuer.rules.places.roles), role)
    }

    /// Whether a permission is among those of the token.
    pub fn has_permission(&self, permission: &str) -> bool {
        holds(self.at(&self.0.issuer.rules.places.permissions), permission)
    }

    /// The organization that the token is good for.
    pub fn organization(&self) -> Option<&str> {
        self.at(&self.0.issuer.rules.places.organization).and_then(Value::as_str)
    }
}

/// Checks access tokens. It is cheap to clone; all clones share keys, cache and revocations.
#[derive(Clone)]
pub struct Verifier(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) issuers: HashMap<Box<str>, Arc<Trusted>>,
    pub(crate) cache: TokenCache,
    pub(crate) pool: Pool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) proofs: Option<crate::request::Proofs>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<_> = self.0.issuers.keys().collect();
        formatter.debug_struct("Verifier").field("issuers", &issuers).field("cache", &self.0.cache).finish()
    }
}

/// What a look at a token without waiting comes to.
enum Glance {
    Good(AccessToken),
    /// Something has to be fetched first.
    Wait(Arc<Trusted>),
}

impl Verifier {
    /// The token behind a text, if it is good now. Waits only while no key of its issuer is known, for a key that the
    /// token names and nobody knows yet, and for the first list of revocations.
    ///
    /// A token that is bound to a key (RFC 9449) is good only with its proof: [`Verifier::verify_request`] asks for it
    /// and this method refuses such a token.
    pub async fn verify(&self, text: &str) -> Result<AccessToken, Refusal> {
        let token = self.read(text).await?;
        match token.confirmation() {
            None if !token.0.issuer.rules.needs_proof => Ok(token),
            _ => Err(self.refused(&token, Reason::Proof.into())),
        }
    }

    /// The token without regard to the key it is bound to.
    pub(crate) async fn read(&self, text: &str) -> Result<AccessToken, Refusal> {
        let started = self.0.observer.as_ref().map(|observer| (observer, observer.start()));
        let (outcome, cached) = self.look(text).await;
        if let Some((observer, start)) = started {
            let event = match &outcome {
                Ok(_) if cached => TokenEvent::Remembered,
                Ok(_) => TokenEvent::Verified,
                Err(Refusal::Token(reason)) => TokenEvent::Refused(*reason),
                Err(Refusal::Unavailable(what)) => TokenEvent::Unavailable(*what),
                Err(_) => TokenEvent::Refused(Reason::Malformed),
            };
            observer.token(event, observer.since(start));
        }
        outcome
    }

    async fn look(&self, text: &str) -> (Result<AccessToken, Refusal>, bool) {
        let key = self.0.cache.key(text);
        if let Some(token) = self.0.cache.find(key) {
            match self.still_good(&token) {
                Some(Ok(())) => return (Ok(token), true),
                Some(Err(refusal)) => {
                    if matches!(refusal, Refusal::Token(_)) {
                        self.0.cache.remove(key);
                    }
                    return (Err(refusal), true);
                }
                // Keys have moved, or nothing is known yet: from the beginning.
                None => {}
            }
        }
        let outcome = match self.glance(text) {
            Ok(Glance::Good(token)) => Ok(token),
            Ok(Glance::Wait(issuer)) => self.wait(text, &issuer).await,
            Err(refusal) => Err(refusal),
        };
        if let Ok(token) = &outcome
            && text.len() <= MAX_REMEMBERED_BYTES
            && token.is_small()
        {
            self.0.cache.insert(key, token.clone());
        }
        (outcome, false)
    }

    /// Whether a token that was good is so now; None when it has to be looked at anew.
    fn still_good(&self, token: &AccessToken) -> Option<Result<(), Refusal>> {
        let Verified { claims, issuer, keys_generation, .. } = &*token.0;
        let now_ms = self.0.clock.now_ms();
        if let Err(reason) = issuer.rules.check_time(claims, now_ms.div_euclid(1_000)) {
            return Some(Err(reason.into()));
        }
        if issuer.keys.current_at(now_ms)?.generation() != *keys_generation {
            return None;
        }
        match &issuer.revocations {
            None => Some(Ok(())),
            Some(revocations) if revocations.is_waiting(now_ms) => None,
            Some(revocations) => Some(revocations.check(token, now_ms)),
        }
    }

    /// How long a token is good yet, if it is good now.
    pub(crate) fn time_left(&self, token: &AccessToken) -> Result<Duration, Refusal> {
        let Trusted { rules, keys, revocations, .. } = &*token.0.issuer;
        let now_ms = self.0.clock.now_ms();
        rules.check_time(token, now_ms.div_euclid(1_000))?;
        if let Some(revocations) = revocations {
            revocations.check(token, now_ms)?;
        }
        let keys = keys.current_at(now_ms).ok_or(Refusal::Unavailable(Unavailable::Keys))?;
        if !keys.keys().contains(&token.0.key) {
            return Err(Reason::UnknownKey.into());
        }
        let end_s = token.expires_at().saturating_add(rules.leeway_seconds());
        Ok(Duration::from_millis(end_s.saturating_mul(1_000).saturating_sub(now_ms).max(1).unsigned_abs()))
    }

    /// Everything, with what is known already.
    fn glance(&self, text: &str) -> Result<Glance, Refusal> {
        let token = Compact::parse(text)?;
        let raw = Raw::parse(&token.payload)?;
        let issuer = self.trusted(&token, &raw)?;
        let is_waiting = |list: &Arc<Revocations>| list.is_waiting(self.0.clock.now_ms());
        if issuer.revocations.as_ref().is_some_and(is_waiting) {
            return Ok(Glance::Wait(Arc::clone(issuer)));
        }
        match issuer.keys.current() {
            Some(keys) if has_candidate(&keys, &token) => self.finish(&token, raw, issuer, &keys).map(Glance::Good),
            _ => Ok(Glance::Wait(Arc::clone(issuer))),
        }
    }

    /// The same after what lacks has been fetched.
    async fn wait(&self, text: &str, issuer: &Arc<Trusted>) -> Result<AccessToken, Refusal> {
        if let Some(revocations) = &issuer.revocations {
            revocations.wait_for_first().await;
        }
        let token = Compact::parse(text)?;
        let found = issuer.keys.find(token.header.algorithm, token.header.kid.as_deref()).await;
        let keys = found.map_err(|_| Refusal::Unavailable(Unavailable::Keys))?;
        if !has_candidate(&keys, &token) {
            return Err(Reason::UnknownKey.into());
        }
        self.finish(&token, Raw::parse(&token.payload)?, issuer, &keys)
    }

    /// How many tokens are remembered.
    pub fn remembered_tokens(&self) -> usize {
        self.0.cache.len()
    }

    /// How many revocations are remembered, of all issuers that are followed.
    pub fn remembered_revocations(&self) -> usize {
        self.0.issuers.values().filter_map(|issuer| issuer.revocations.as_ref()).map(|list| list.len()).sum()
    }

    /// What costs little comes first: most of what is refused is refused here.
    fn trusted(&self, token: &Compact<'_>, raw: &Raw<'_>) -> Result<&Arc<Trusted>, Reason> {
        let issuer = self.0.issuers.get(&*raw.shared.issuer).ok_or(Reason::Issuer)?;
        issuer.rules.check_purpose(&token.header, raw)?;
        let is_accepted = issuer.rules.algorithms.contains(&token.header.algorithm);
        is_accepted.then_some(issuer).ok_or(Reason::Algorithm)
    }

    /// Signature, time, revocation.
    fn finish(
        &self,
        token: &Compact<'_>,
        raw: Raw<'_>,
        issuer: &Arc<Trusted>,
        keys: &KeySet,
    ) -> Result<AccessToken, Refusal> {
        let Compact { signing_input, header, signature, .. } = token;
        let signed_it = |key: &&Arc<VerifyingKey>| key.verify(header.algorithm, signing_input, signature);
        let mut candidates = keys.candidates(header.algorithm, header.kid.as_deref()).take(MAX_TRIED_KEYS);
        let key = candidates.find(signed_it).ok_or(Reason::Signature)?;
        let claims = Claims::new(raw, &self.0.pool);
        let now_ms = self.0.clock.now_ms();
        issuer.rules.check_time(&claims, now_ms.div_euclid(1_000))?;
        let (key, issuer) = (Arc::clone(key), Arc::clone(issuer));
        let checked_version = AtomicU64::new(Revocations::NEVER_CHECKED);
        let token = AccessToken(Arc::new(Verified {
            claims,
            key,
            issuer,
            keys_generation: keys.generation(),
            checked_version,
        }));
        if let Some(revocations) = &token.0.issuer.revocations {
            revocations.check(&token, now_ms)?;
        }
        Ok(token)
    }

    /// Tells the observer that a token was refused after it had been read.
    pub(crate) fn refused(&self, token: &AccessToken, refusal: Refusal) -> Refusal {
        tracing::debug!(issuer = token.issuer(), token_id = token.token_id(), %refusal, "a token was refused");
        if let (Some(observer), Refusal::Token(reason)) = (&self.0.observer, &refusal) {
            observer.token(TokenEvent::Refused(*reason), Duration::ZERO);
        }
        refusal
    }
}

fn has_candidate(keys: &KeySet, token: &Compact<'_>) -> bool {
    keys.candidates(token.header.algorithm, token.header.kid.as_deref()).next().is_some()
}

impl Verified {
    /// Whether it was held against this version of the list already.
    pub(crate) fn was_checked(&self, version: u64) -> bool {
        self.checked_version.load(Ordering::Relaxed) == version
    }

    /// Notes that it was.
    pub(crate) fn note_checked(&self, version: u64) {
        self.checked_version.store(version, Ordering::Relaxed);
    }
}
