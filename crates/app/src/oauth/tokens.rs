//! The tokens that clients get: access tokens (RFC 9068) and ID tokens (OpenID Connect Core 2).

use doorward_model::id::{SessionId, TokenId};
use doorward_model::secret::SecretText;
use doorward_model::time::{SECOND_MS, Timestamp};
use doorward_model::token::{TOKEN_TYPE, parse_object};
use doorward_oidc::claims_request::Wish;
use doorward_oidc::client::{Client, SubjectType};
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::id_token::{self, IdToken, Person};
use doorward_oidc::jose::{Algorithm, Thumbprint};
use doorward_oidc::resource::Resource;
use doorward_oidc::scope::{OPENID, Scope};
use doorward_store::grants::Grant;
use doorward_store::users::User;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{TokenAnswer, TokenRefusal, TokenScheme, paths};
use crate::App;
use crate::failure::Failure;
use crate::keys::OWN_ALGORITHM;
use crate::op::Op;

/// What is read of an ID token of ours that somebody brings back.
#[derive(Deserialize)]
pub(super) struct HintClaims {
    iss: String,
    pub(super) sub: String,
    pub(super) aud: String,
    pub(super) sid: Option<String>,
}

/// What tokens are made from.
pub(super) struct Basis<'a> {
    pub(super) client: &'a Client,
    pub(super) grant: &'a Grant,
    pub(super) user: &'a User,
    /// What of the grant the tokens are for.
    pub(super) scope: &'a Scope,
    /// Where the access token is to be good.
    pub(super) resources: Vec<String>,
    /// What ties the ID token to the request.
    pub(super) nonce: Option<&'a str>,
    /// The session that the person signed in with, also where the grant outlives it.
    pub(super) session_id: Option<SessionId>,
    /// The key that whoever uses the access token must prove to hold.
    pub(super) dpop_key: Option<Thumbprint>,
}

/// What an access token says besides what every one says.
pub(super) struct AccessToken<'a> {
    pub(super) client: &'a Client,
    /// Whom it is about, as the client knows them.
    pub(super) subject: String,
    /// Where it is good.
    pub(super) audience: Vec<String>,
    /// What it allows; may be nothing.
    pub(super) scope: &'a Scope,
    /// When it ends at the latest, if not with its lifetime alone.
    pub(super) latest: Option<Timestamp>,
    /// What it came from.
    pub(super) about: Map<String, Value>,
    /// The key that whoever uses it must prove to hold.
    pub(super) dpop_key: Option<Thumbprint>,
}

impl App {
    /// The audience of tokens that are good for the `UserInfo` endpoint. It is never the audience of our own API's tokens,
    /// and always one of a list, so that no client's token is read as a first-party one.
    pub(super) fn userinfo_audience(&self) -> String {
        format!("{}{}", self.settings.public_url, paths::USERINFO)
    }

    /// An access token, and an ID token where the scope asks for one.
    pub(super) fn sign_tokens(&self, op: &Op, basis: &Basis<'_>) -> Result<TokenAnswer, TokenRefusal> {
        let answer = self.sign_access_token(op, self.about_grant(basis)?)?;
        let id_token = self.sign_id_token(op, basis, answer.access_token.reveal())?;
        Ok(TokenAnswer { id_token, ..answer })
    }

    /// What the access token of a grant says.
    fn about_grant<'a>(&self, basis: &Basis<'a>) -> Result<AccessToken<'a>, Failure> {
        let Basis { client, grant, user, scope, resources, dpop_key, .. } = basis;
        let mut audience = resources.clone();
        if scope.contains(OPENID) || audience.is_empty() {
            audience.push(self.userinfo_audience());
        }
        let about = [
            ("grant_id", Some(json!(grant.id))),
            ("sid", grant.session_id.map(|id| json!(id))),
            ("auth_time", Some(json!(grant.authenticated_at.as_seconds()))),
            ("acr", Some(json!(grant.acr))),
            ("amr", Some(json!(read_list(&grant.amr)?))),
        ];
        Ok(AccessToken {
            client,
            subject: self.subject_for(client, user.id),
            audience,
            scope,
            latest: Some(grant.expires_at),
            about: about.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
            dpop_key: *dpop_key,
        })
    }

    /// An access token (RFC 9068 section 2.2), bound to a key where there is one.
    pub(super) fn sign_access_token(&self, op: &Op, token: AccessToken<'_>) -> Result<TokenAnswer, TokenRefusal> {
        let metadata = token.client.metadata();
        // What was registered when tokens lived longer counts no more: keys, and what was revoked, are kept for as long as
        // tokens live now.
        let lifetime_ms = i64::from(metadata.lifetimes.access_token_seconds) * SECOND_MS;
        let end = op.now.plus_ms(lifetime_ms.min(self.keys.settings().access_token_ms));
        let end = token.latest.map_or(end, |latest| latest.min(end)).as_seconds();
        let issued_at = op.now.as_seconds();
        if end <= issued_at {
            return Err(OAuthError::new(ErrorCode::InvalidGrant, "what was granted is over").into());
        }
        let mut claims = token.about;
        // The session is the same for every client: it would tell two sectors that they know the same person.
        if metadata.subject_type == SubjectType::Pairwise {
            claims.remove("sid");
        }
        let own = [
            ("iss", Some(json!(self.keys.settings().issuer))),
            ("aud", Some(json!(token.audience))),
            ("sub", Some(json!(token.subject))),
            ("client_id", Some(json!(token.client.id()))),
            ("jti", Some(json!(TokenId::new(op.now, op.random.as_ref())))),
            ("iat", Some(json!(issued_at))),
            ("exp", Some(json!(end))),
            ("scope", (!token.scope.is_empty()).then(|| json!(token.scope))),
            // RFC 9449 section 6.1.
            ("cnf", token.dpop_key.map(|key| json!({ "jkt": key.to_string() }))),
        ];
        claims.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Ok(TokenAnswer {
            access_token: self.sign(OWN_ALGORITHM, TOKEN_TYPE, &Value::Object(claims))?,
            scheme: TokenScheme::of(token.dpop_key),
            issued_token_type: None,
            expires_in: end - issued_at,
            scope: token.scope.to_string(),
            refresh_token: None,
            id_token: None,
        })
    }

    /// The ID token, where the scope asks for one. One of a renewal has no `nonce` (OpenID Connect Core 12.2).
    fn sign_id_token(
        &self,
        op: &Op,
        basis: &Basis<'_>,
        access_token: &str,
    ) -> Result<Option<SecretText>, TokenRefusal> {
        let Basis { client, grant, user, scope, nonce, session_id, .. } = basis;
        if !scope.contains(OPENID) {
            return Ok(None);
        }
        let metadata = client.metadata();
        let lifetime_ms = i64::from(metadata.lifetimes.id_token_seconds) * SECOND_MS;
        let (subject, amr) = (self.subject_for(client, user.id), read_list(&grant.amr)?);
        let wishes = read_list(&grant.claims)?.into_iter().map(|name| (name, Wish::default())).collect();
        let session_id = session_id.map(|id| self.session_for(client, id));
        let token = IdToken {
            issuer: &self.keys.settings().issuer,
            subject: &subject,
            client_id: client.id().as_str(),
            issued_at: op.now,
            expires_at: op.now.plus_ms(lifetime_ms),
            authenticated_at: grant.authenticated_at,
            nonce: *nonce,
            acr: &grant.acr,
            amr: &amr,
            session_id: session_id.as_deref(),
            access_token: Some(access_token),
        };
        let claims = token.claims(metadata.id_token_algorithm, person(user).in_id_token(scope, &wishes));
        Ok(Some(self.sign(metadata.id_token_algorithm, id_token::TOKEN_TYPE, &Value::Object(claims))?))
    }

    pub(super) fn sign(&self, algorithm: Algorithm, kind: &'static str, claims: &Value) -> Result<SecretText, Failure> {
        let signed = self.keys.sign_claims_with(algorithm, kind, claims.to_string().as_bytes());
        Ok(SecretText::new(signed.map_err(|error| Failure::internal("signing a token", error))?))
    }

    /// Whom an ID token of ours is about, whether or not its time is over (OpenID Connect Core 3.1.2.1).
    pub(super) fn subject_of_hint(&self, text: &str, now: Timestamp) -> Option<String> {
        self.read_hint(text, now).map(|claims| claims.sub)
    }

    /// What an ID token of ours says, whether or not its time is over.
    pub(super) fn read_hint(&self, text: &str, now: Timestamp) -> Option<HintClaims> {
        let payload = self.keys.verified_claims(text, id_token::TOKEN_TYPE, &Algorithm::SIGNING, now)?;
        let claims: HintClaims = parse_object(&payload)?;
        (claims.iss == self.keys.settings().issuer).then_some(claims)
    }
}

/// What is known about a user.
pub(super) fn person(user: &User) -> Person<'_> {
    Person {
        name: user.name.as_deref(),
        locale: user.locale.as_deref(),
        updated_at: Some(user.updated_at),
        email: Some(&user.email),
        email_verified: user.email_verified_at.is_some(),
    }
}

/// The claims about a person that a scope allows, with `sub`.
pub(super) fn userinfo(user: &User, subject: &str, scope: &Scope) -> Map<String, Value> {
    let mut claims = person(user).userinfo(scope);
    claims.insert("sub".to_owned(), json!(subject));
    claims
}

/// A scope as it was stored.
pub(super) fn read_scope(text: &str) -> Result<Scope, Failure> {
    Scope::parse(text).map_err(|error| Failure::internal("reading what was granted", error))
}

/// A list of words as it was stored.
pub(super) fn read_list(json: &str) -> Result<Vec<String>, Failure> {
    serde_json::from_str(json).map_err(|error| Failure::internal("reading what was granted", error))
}

/// What of a request the client is still registered for; none when it asked for some scope and none of it is left.
pub(super) fn still_registered(
    client: &Client,
    scope: &str,
    resources: &str,
) -> Result<Option<(Scope, Vec<Resource>)>, Failure> {
    let (asked, names, metadata) = (read_scope(scope)?, read_list(resources)?, client.metadata());
    let scope = asked.intersection(&metadata.scopes);
    if scope.is_empty() && !asked.is_empty() {
        return Ok(None);
    }
    let own = metadata.resources.iter();
    let resources = own.filter(|resource| names.iter().any(|name| name == resource.as_str())).cloned().collect();
    Ok(Some((scope, resources)))
}
