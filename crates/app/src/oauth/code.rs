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
use serde::{Deserialize, Serialize};
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

/// What a code says. Names are short, because all of it travels in an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Code {
    /// The client it goes to.
    #[serde(rename = "c")]
    pub(super) client_id: String,
    /// Which life of the consent it belongs to.
    #[serde(rename = "a")]
    consent_generation: i64,
    /// Which life of the client.
    #[serde(rename = "b")]
    client_generation: i64,
    /// The session it comes from.
    #[serde(rename = "i")]
    pub(super) session_id: SessionId,
    /// What the grant will be called that its use makes.
    #[serde(rename = "g")]
    pub(super) grant_id: GrantId,
    /// The redirect URI it goes to.
    #[serde(rename = "u")]
    redirect_uri: String,
    /// The challenge of its request, as on the wire.
    #[serde(rename = "p")]
    challenge: Option<String>,
    /// The thumbprint of the key it is bound to, as on the wire.
    #[serde(rename = "k")]
    dpop_key: Option<String>,
    /// The `nonce` of its request.
    #[serde(rename = "n")]
    pub(super) nonce: Option<String>,
    /// What was granted, separated by spaces.
    #[serde(rename = "s")]
    pub(super) scope: String,
    /// The services it was asked for, as a JSON list.
    #[serde(rename = "r")]
    pub(super) resources: String,
    /// The names of the claims asked for in the ID token, as a JSON list.
    #[serde(rename = "d")]
    pub(super) claims: String,
    /// From when on it is refused, in milliseconds since 1970.
    #[serde(rename = "e")]
    expires_at_ms: i64,
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
            consent_generation: generations.consent,
            client_generation: generations.client,
            session_id,
            grant_id,
            redirect_uri: request.destination.redirect_uri.clone(),
            challenge: request.challenge.map(Challenge::to_text),
            dpop_key: request.dpop_key.map(|key| key.to_string()),
            nonce: request.nonce.clone(),
            scope: request.scope.to_string(),
            resources: serde_json::json!(resources).to_string(),
            claims: serde_json::json!(claims).to_string(),
            expires_at_ms: now.plus_ms(LIFETIME_MS).as_ms(),
        }
    }

    /// Which lives of consent and client it belongs to: once one is over it is good for nothing.
    pub(super) const fn generations(&self) -> Generations {
        Generations { consent: self.consent_generation, client: self.client_generation }
    }

    /// What it is bound to; none when it says something that we never say.
    pub(super) fn binding(&self, used: bool) -> Option<CodeBinding> {
        let challenge = self.challenge.as_deref().map(|text| Challenge::parse(text).ok_or(()));
        let dpop_key = self.dpop_key.as_deref().map(|text| Thumbprint::parse(text).ok_or(()));
        Some(CodeBinding {
            client_id: self.client_id.clone(),
            redirect_uri: self.redirect_uri.clone(),
            challenge: challenge.transpose().ok()?,
            dpop_key: dpop_key.transpose().ok()?,
            expires_at: Timestamp::from_ms(self.expires_at_ms),
            used,
        })
    }
}

impl App {
    /// The text of a code; none when it would be too long for an address.
    pub(super) fn seal_code(&self, op: &Op, code: &Code) -> Result<Option<Zeroizing<String>>, Failure> {
        let plain = serde_json::to_vec(code).map_err(|error| Failure::internal("writing a code", error))?;
        let plain = Zeroizing::new(plain);
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
        let plain = self.keys.masters().open(CODE, IDENTITY, &sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}
