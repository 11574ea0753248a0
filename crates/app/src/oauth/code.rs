//! Authorization codes: sealed instead of stored. Nothing is written until one is used, and the grant that its use makes is
//! what a second use finds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::id::{GrantId, SessionId};
use doorward_model::time::Timestamp;
use doorward_oidc::authorize::AuthorizationRequest;
use doorward_oidc::code::{CodeBinding, LIFETIME_MS};
use doorward_oidc::jose::Thumbprint;
use doorward_oidc::pkce::Challenge;
use doorward_oidc::resource::Resource;
use doorward_store::consents::Generations;
use zeroize::Zeroizing;

use crate::App;
use crate::failure::Failure;
use crate::keys::sealing::Purpose;
use crate::op::Op;

const CODE: Purpose = Purpose::new("authorization_code");
/// There is one kind of sealed code, and it belongs to no row.
const IDENTITY: &str = "code";
/// What every code begins with, so that scanners find a leaked one and none is taken for a token of another kind.
const PREFIX: &str = "dwac_";
/// No code is longer: it stands in an address, and proxies take few kibibytes of one.
const MOST_TEXT_BYTES: usize = 4096;

/// How what a code says is written, should that ever change.
const FORMAT: u8 = 1;

/// What a code says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Code {
    /// The client it goes to.
    pub(super) client_id: String,
    /// Which lives of consent and client it belongs to: once one is over it is good for nothing.
    pub(super) generations: Generations,
    /// The session it comes from.
    pub(super) session_id: SessionId,
    /// What the grant will be called that its use makes.
    pub(super) grant_id: GrantId,
    /// The redirect URI it goes to.
    redirect_uri: String,
    /// The challenge of its request.
    challenge: Option<Challenge>,
    /// The key it is bound to.
    dpop_key: Option<Thumbprint>,
    /// The `nonce` of its request.
    pub(super) nonce: Option<String>,
    /// What was granted, separated by spaces.
    pub(super) scope: String,
    /// The services it was asked for, as a JSON list.
    pub(super) resources: String,
    /// The names of the claims asked for in the ID token, as a JSON list.
    pub(super) claims: String,
    /// From when on it is refused.
    expires_at: Timestamp,
}

impl Code {
    /// The answer to `request`, which comes from this session.
    pub(super) fn new(
        request: &AuthorizationRequest,
        client_id: &str,
        generations: Generations,
        session_id: SessionId,
        grant_id: GrantId,
        now: Timestamp,
    ) -> Self {
        let resources: Vec<&str> = request.resources.iter().map(Resource::as_str).collect();
        let claims: Vec<&str> = request.claims.id_token.keys().map(String::as_str).collect();
        Self {
            client_id: client_id.to_owned(),
            generations,
            session_id,
            grant_id,
            redirect_uri: request.destination.redirect_uri.clone(),
            challenge: request.challenge,
            dpop_key: request.dpop_key,
            nonce: request.nonce.clone(),
            scope: request.scope.to_string(),
            resources: serde_json::json!(resources).to_string(),
            claims: serde_json::json!(claims).to_string(),
            expires_at: now.plus_ms(LIFETIME_MS),
        }
    }

    /// What it is bound to.
    pub(super) fn binding(&self, used: bool) -> CodeBinding {
        CodeBinding {
            client_id: self.client_id.clone(),
            redirect_uri: self.redirect_uri.clone(),
            challenge: self.challenge,
            dpop_key: self.dpop_key,
            expires_at: self.expires_at,
            used,
        }
    }

    /// All of it in few bytes, because it travels in an address; none when a text is too long for that.
    fn to_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(512));
        bytes.push(FORMAT);
        for number in [self.generations.consent, self.generations.client, self.expires_at.as_ms()] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(self.session_id.uuid());
        bytes.extend_from_slice(self.grant_id.uuid());
        for hash in [self.challenge.as_ref().map(Challenge::as_bytes), self.dpop_key.as_ref().map(Thumbprint::as_bytes)]
        {
            bytes.push(hash.is_some().into());
            bytes.extend_from_slice(hash.map_or(&[], |hash| hash.as_slice()));
        }
        bytes.push(self.nonce.is_some().into());
        let nonce = self.nonce.as_deref().unwrap_or_default();
        for text in [nonce, &self.client_id, &self.redirect_uri, &self.scope, &self.resources, &self.claims] {
            bytes.extend_from_slice(&u16::try_from(text.len()).ok()?.to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        Some(bytes)
    }

    /// What [`Self::to_bytes`] wrote.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.take()? != [FORMAT] {
            return None;
        }
        let generations = Generations { consent: reader.number()?, client: reader.number()? };
        let expires_at = Timestamp::from_ms(reader.number()?);
        let (session_id, grant_id) = (SessionId::from_uuid(reader.take()?), GrantId::from_uuid(reader.take()?));
        let challenge = if reader.flag()? { Some(Challenge::from_bytes(reader.take()?)) } else { None };
        let dpop_key = if reader.flag()? { Some(Thumbprint::from_bytes(reader.take()?)) } else { None };
        let has_nonce = reader.flag()?;
        let nonce = Some(reader.text()?).filter(|_| has_nonce);
        let (client_id, redirect_uri) = (reader.text()?, reader.text()?);
        let (scope, resources, claims) = (reader.text()?, reader.text()?, reader.text()?);
        reader.0.is_empty().then_some(Self {
            client_id,
            generations,
            session_id,
            grant_id,
            redirect_uri,
            challenge,
            dpop_key,
            nonce,
            scope,
            resources,
            claims,
            expires_at,
        })
    }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    fn flag(&mut self) -> Option<bool> {
        self.take().map(|[byte]| byte == 1)
    }

    fn text(&mut self) -> Option<String> {
        let length = u16::from_be_bytes(self.take()?);
        let (text, rest) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

impl App {
    /// The text of a code; none when it would be too long for an address.
    pub(super) fn seal_code(&self, op: &Op, code: &Code) -> Result<Option<Zeroizing<String>>, Failure> {
        let Some(plain) = code.to_bytes() else { return Ok(None) };
        let sealed = self.keys.masters().seal(CODE, IDENTITY, &plain, op.random.as_ref());
        let sealed = sealed.map_err(Failure::cryptography)?;
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + sealed.len().div_ceil(3) * 4));
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(&sealed, &mut text);
        Ok((text.len() <= MOST_TEXT_BYTES).then_some(text))
    }

    /// What a code says; none when we never gave it to anybody.
    pub(super) fn open_code(&self, text: &str) -> Option<Code> {
        if text.len() > MOST_TEXT_BYTES {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        Code::from_bytes(&self.keys.masters().open(CODE, IDENTITY, &sealed).ok()?)
    }
}

#[cfg(test)]
mod tests;
