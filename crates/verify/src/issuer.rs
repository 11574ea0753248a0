//! Whose tokens are trusted, and what they must look like.

use std::time::Duration;

use serde_json::Value;

use crate::claims::{Claims, Raw};
use crate::keys::Algorithm;
use crate::refusal::Reason;
use crate::revocation::RevocationFeed;
use crate::token::Header;

/// What is taken when nothing else is said: the signatures that RFC 8725 section 3.2 has nothing against.
const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Es384, Algorithm::Ps256, Algorithm::Rs256];
/// How far two clocks may be apart.
const LEEWAY: Duration = Duration::from_secs(5);
/// Clocks that are further apart are to be set right.
const MAX_LEEWAY: Duration = Duration::from_mins(1);

/// By what an access token is known from the other tokens that the same keys sign.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// `typ: at+jwt` in the header (RFC 9068 section 2.1).
    AccessToken,
    /// A claim with this value, of issuers that send no `typ`.
    Claim(Box<str>, Box<str>),
    /// An ID token, whose `typ` is absent or `JWT` (OpenID Connect Core section 2).
    IdToken,
}

/// Where the token says for whom it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AudienceIn {
    /// In `aud` (RFC 9068 section 4).
    Audience,
    /// In `client_id`, of issuers that send no `aud`.
    ClientId,
}

/// Where roles and permissions stand, as JSON pointers (RFC 6901) into the claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) roles: Box<str>,
    pub(crate) permissions: Box<str>,
    pub(crate) organization: Box<str>,
}

/// An issuer whose tokens are trusted, for an audience.
///
/// ```
/// use doorward_verify::Issuer;
///
/// let ours = Issuer::new("https://auth.example.com").audience("https://orders.example.com");
/// let theirs = Issuer::keycloak("https://sso.example.org/realms/staff", "orders");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    pub(crate) url: Box<str>,
    pub(crate) audiences: Vec<Box<str>>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) leeway: Duration,
    pub(crate) jwks_uri: Option<Box<str>>,
    pub(crate) places: Places,
    pub(crate) needs_proof: bool,
    pub(crate) feed: Option<RevocationFeed>,
    kind: Kind,
    audience_in: AudienceIn,
}

impl Issuer {
    /// An issuer that names its access tokens as RFC 9068 says: Doorward, and others that keep to it. `url` is what
    /// `iss` says, to the letter; keys are found at `<url>/.well-known/openid-configuration`.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.into(),
            audiences: Vec::new(),
            algorithms: ALGORITHMS.to_vec(),
            leeway: LEEWAY,
            jwks_uri: None,
            places: Places {
                roles: "/roles".into(),
                permissions: "/permissions".into(),
                organization: "/org_id".into(),
            },
            needs_proof: false,
            feed: None,
            kind: Kind::AccessToken,
            audience_in: AudienceIn::Audience,
        }
    }

    /// A user pool of Amazon Cognito, for an app client: its access tokens have neither `typ` nor `aud`, so that they
    /// are known by `token_use` and `client_id`.
    pub fn cognito(url: &str, client_id: &str) -> Self {
        let mut issuer = Self::new(url).audience(client_id).known_by_claim("token_use", "access");
        issuer.audience_in = AudienceIn::ClientId;
        issuer.roles_at("/cognito:groups")
    }

    /// A realm of Keycloak: its access tokens say `typ: Bearer` among the claims.
    pub fn keycloak(url: &str, audience: &str) -> Self {
        Self::new(url).audience(audience).known_by_claim("typ", "Bearer").roles_at("/realm_access/roles")
    }

    /// Google, whose access tokens nobody else can read: these are its ID tokens for one of your OAuth clients. A
    /// client that sends its ID token as a credential gives it to whoever it calls: take this only for your own.
    pub fn google(client_id: &str) -> Self {
        Self::new("https://accounts.google.com").audience(client_id).id_tokens()
    }

    /// Adds an audience: one of them must be among the token's (RFC 9068 section 4). There must be one at least.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The only algorithms that are taken.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// How far the issuer's clock may be from this one's: 5 seconds unless said, 60 at most.
    #[must_use]
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Where the keys are, of an issuer that has no discovery document.
    #[must_use]
    pub fn jwks_uri(mut self, url: &str) -> Self {
        self.jwks_uri = Some(url.into());
        self
    }

    /// Access tokens of this issuer have no `typ: at+jwt`; they are known by a claim. Without either, an ID token of
    /// somebody would pass for an access token (RFC 8725 section 3.11).
    #[must_use]
    pub fn known_by_claim(mut self, name: &str, value: &str) -> Self {
        self.kind = Kind::Claim(name.into(), value.into());
        self
    }

    /// Takes ID tokens instead of access tokens.
    #[must_use]
    pub fn id_tokens(mut self) -> Self {
        self.kind = Kind::IdToken;
        self
    }

    /// Where roles stand among the claims, as a JSON pointer (RFC 6901): a list, or an object whose names are the roles.
    /// `/roles` unless said.
    #[must_use]
    pub fn roles_at(mut self, pointer: &str) -> Self {
        self.places.roles = pointer.into();
        self
    }

    /// Where permissions stand. `/permissions` unless said.
    #[must_use]
    pub fn permissions_at(mut self, pointer: &str) -> Self {
        self.places.permissions = pointer.into();
        self
    }

    /// Where the organization stands that the token is good for. `/org_id` unless said.
    #[must_use]
    pub fn organization_at(mut self, pointer: &str) -> Self {
        self.places.organization = pointer.into();
        self
    }

    /// Takes only tokens that are bound to a key, with a proof of it (RFC 9449).
    #[must_use]
    pub const fn only_with_proof(mut self) -> Self {
        self.needs_proof = true;
        self
    }

    /// Follows what the issuer revokes: a token is refused within two seconds of the end of its session.
    #[must_use]
    pub fn follow(mut self, feed: RevocationFeed) -> Self {
        self.feed = Some(feed);
        self
    }

    /// What is wrong with the settings.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if self.url.is_empty() {
            return Some("an issuer has no address");
        }
        if self.audiences.is_empty() || self.audiences.iter().any(|audience| audience.is_empty()) {
            return Some("an issuer has no audience: any token of it would be taken, whoever it is for");
        }
        if self.algorithms.is_empty() {
            return Some("an issuer has no algorithm");
        }
        if self.leeway > MAX_LEEWAY {
            return Some("the leeway of an issuer is longer than 60 seconds");
        }
        let places = [&self.places.roles, &self.places.permissions, &self.places.organization];
        places.iter().any(|place| !place.starts_with('/')).then_some("a place of roles is no JSON pointer")
    }

    /// Whether it is the kind of token, and for whom it should be.
    pub(crate) fn check_purpose(&self, header: &Header, raw: &Raw<'_>) -> Result<(), Reason> {
        let is_kind = match &self.kind {
            Kind::AccessToken => &*header.kind == "at+jwt",
            Kind::Claim(name, value) => {
                ["", "jwt", "at+jwt"].contains(&&*header.kind)
                    && raw.rest.get(&**name).and_then(Value::as_str) == Some(value)
            }
            Kind::IdToken => ["", "jwt"].contains(&&*header.kind),
        };
        if !is_kind {
            return Err(Reason::Type);
        }
        let is_ours = |audience: &str| self.audiences.iter().any(|own| &**own == audience);
        let is_for_us = match self.audience_in {
            AudienceIn::Audience => raw.shared.audiences.iter().any(|audience| is_ours(audience)),
            AudienceIn::ClientId => raw.client_id.as_deref().is_some_and(is_ours),
        };
        is_for_us.then_some(()).ok_or(Reason::Audience)
    }

    /// How far two clocks may be apart.
    pub(crate) fn leeway_seconds(&self) -> i64 {
        i64::try_from(self.leeway.as_secs()).unwrap_or_default()
    }

    /// Whether its time is now. Tokens without `iat` are taken from issuers that send none.
    pub(crate) fn check_time(&self, claims: &Claims, now: i64) -> Result<(), Reason> {
        let leeway = self.leeway_seconds();
        if now >= claims.expires_at().saturating_add(leeway) {
            return Err(Reason::Expired);
        }
        let is_ahead = |time: Option<i64>| time.is_some_and(|time| time > now.saturating_add(leeway));
        if is_ahead(claims.not_before()) || is_ahead(claims.issued_at()) {
            return Err(Reason::NotYet);
        }
        Ok(())
    }
}
