//! The token of a request: where it stands, and the proof that belongs to it.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Uri};

use crate::dpop::{DpopRefusal, Proof, ProofSettings, ReplayStore};
use crate::refusal::{Reason, Refusal, Scheme, Unavailable};
use crate::verifier::{AccessToken, Verifier};

/// How proofs are checked (RFC 9449).
pub(crate) struct Proofs {
    /// What clients know this service by: scheme and host of every address that they sign.
    pub(crate) public_url: Box<str>,
    pub(crate) settings: ProofSettings,
    pub(crate) replays: Box<dyn ReplayStore>,
}

/// The one token that a request presents, and how.
struct Presented<'a> {
    scheme: Scheme,
    token: &'a str,
}

/// Reads the `Authorization` header (RFC 6750 section 2.1, RFC 9449 section 7.1). Tokens in bodies and addresses are
/// not looked for: addresses end up in logs (RFC 6750 section 5.3).
fn presented(headers: &HeaderMap) -> Result<Option<Presented<'_>>, Refusal> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(Refusal::Request);
    }
    let text = value.to_str().map_err(|_| Refusal::Request)?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    // RFC 9110 section 11.1: the scheme in any case.
    let scheme = if scheme.eq_ignore_ascii_case("Bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case("DPoP") {
        Scheme::Dpop
    } else {
        // Another way to say who one is; not ours to judge.
        return Ok(None);
    };
    let token = token.trim_start_matches(' ');
    let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    is_token.then_some(Some(Presented { scheme, token })).ok_or(Refusal::Request)
}

/// Whom a proof is counted for: one client for one person, however many keys it makes. Unknown when the token does not
/// name both.
fn holder(token: &AccessToken) -> Option<String> {
    let (client_id, subject) = (token.client_id()?, token.subject()?);
    // Quoted, so that nothing can move from one part to the other.
    Some(format!("{:?}", [token.issuer(), client_id, subject]))
}

impl Verifier {
    /// The token of a request, if it is good: in the `Authorization` header as `Bearer`, or as `DPoP` with a proof of
    /// the key that it is bound to.
    pub async fn verify_request(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<AccessToken, Refusal> {
        let Some(Presented { scheme, token: text }) = presented(headers)? else { return Err(Refusal::Missing) };
        if scheme == Scheme::Bearer {
            // A token that is bound to a key is refused there (RFC 9449 section 7.2).
            return self.verify(text).await;
        }
        let token = self.read(text).await?;
        let (Some(jkt), Some(proofs)) = (token.confirmation(), &self.0.proofs) else {
            return Err(self.refused(&token, Reason::Proof.into()));
        };
        let mut all = headers.get_all("dpop").iter();
        let (Some(proof), None) = (all.next().and_then(|value| value.to_str().ok()), all.next()) else {
            return Err(self.refused(&token, Reason::Proof.into()));
        };
        let address = format!("{}{}", proofs.public_url, uri.path());
        let holder = holder(&token);
        let proof = Proof {
            text: proof,
            method: method.as_str(),
            uri: &address,
            access_token: text,
            thumbprint: jkt,
            holder: holder.as_deref(),
        };
        match proof.check(self.0.clock.now_seconds(), &proofs.settings, &*proofs.replays).await {
            Ok(()) => Ok(token),
            Err(DpopRefusal::Full) => Err(Refusal::Unavailable(Unavailable::Proofs)),
            Err(_) => Err(self.refused(&token, Reason::Proof.into())),
        }
    }

    /// How clients are asked to present tokens.
    pub(crate) fn scheme(&self, headers: &HeaderMap) -> Scheme {
        match presented(headers) {
            Ok(Some(Presented { scheme, .. })) => scheme,
            _ if self.0.issuers.values().all(|issuer| issuer.rules.needs_proof) => Scheme::Dpop,
            _ => Scheme::Bearer,
        }
    }
}
