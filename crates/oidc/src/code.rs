//! Authorization codes: what one is bound to and what redeeming it does (RFC 6749 section 4.1.3).

use doorward_model::time::{SECOND_MS, Timestamp};

use crate::jose::Thumbprint;
use crate::pkce::{Challenge, Verifier};

/// How long a code lives (FAPI 2.0 section 5.3.2.1: at most 60 s).
pub const LIFETIME_MS: i64 = 60 * SECOND_MS;

/// What a code was issued for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeBinding {
    /// The client it went to.
    pub client_id: String,
    /// The redirect URI it went to.
    pub redirect_uri: String,
    /// The challenge of its request.
    pub challenge: Option<Challenge>,
    /// The key of its request (RFC 9449 section 10).
    pub dpop_key: Option<Thumbprint>,
    /// From when on it is refused.
    pub expires_at: Timestamp,
    /// Whether it has been redeemed before.
    pub used: bool,
}

/// What a client presents to redeem a code.
#[derive(Clone, Copy, Debug)]
pub struct Redeemer<'a> {
    /// The client, which has proved who it is (a public one: says).
    pub client_id: &'a str,
    /// `redirect_uri`, if it is sent.
    pub redirect_uri: Option<&'a str>,
    /// `code_verifier`, if it is sent.
    pub verifier: Option<&'a Verifier>,
    /// The key of its DPoP proof, if there is one.
    pub dpop_key: Option<Thumbprint>,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// Tokens, if this is the first time: the use case makes sure with a conditional write.
    Grant,
    /// `invalid_grant`, and what the first use gave is revoked: two parties hold the code *and* the verifier (RFC 6749
    /// section 4.1.2).
    Replay,
    /// `invalid_grant` and nothing else: whoever sent it lacks something, so a code that was merely seen cannot be used
    /// to end somebody's grant (OAuth 2.1 draft section 7.5.2).
    Refused(&'static str),
}

impl CodeBinding {
    /// Decides. The bindings come first, then the use, then the time.
    pub fn redeem(&self, redeemer: &Redeemer<'_>, now: Timestamp) -> Redemption {
        if let Err(description) = self.check(redeemer) {
            return Redemption::Refused(description);
        }
        if self.used {
            return Redemption::Replay;
        }
        if now >= self.expires_at {
            return Redemption::Refused("the code is over");
        }
        Redemption::Grant
    }

    fn check(&self, redeemer: &Redeemer<'_>) -> Result<(), &'static str> {
        if redeemer.client_id != self.client_id {
            return Err("the code is another client's");
        }
        match redeemer.redirect_uri {
            Some(uri) if uri == self.redirect_uri => {}
            Some(_) => return Err("redirect_uri is not that of the request"),
            // RFC 6749 section 4.1.3 asks for it; with PKCE it adds nothing (OAuth 2.1 draft section 10.2).
            None if self.challenge.is_some() => {}
            None => return Err("redirect_uri is missing"),
        }
        match (&self.challenge, redeemer.verifier) {
            (Some(challenge), Some(verifier)) if challenge.verifies(verifier) => {}
            (None, None) => {}
            (Some(_), Some(_)) => return Err("code_verifier is not the one behind code_challenge"),
            (Some(_), None) => return Err("code_verifier is missing"),
            // RFC 9700 section 2.1.1: a verifier without a challenge is a downgrade by somebody in between.
            (None, Some(_)) => return Err("code_verifier is sent, and the request had no code_challenge"),
        }
        // RFC 9449 section 10: the key that was named when the code was asked for.
        if self.dpop_key.is_some() && self.dpop_key != redeemer.dpop_key {
            return Err("the DPoP proof is missing or of another key than the request's");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const URI: &str = "https://shop.example/cb";

    fn binding() -> CodeBinding {
        CodeBinding {
            client_id: "shop".to_owned(),
            redirect_uri: URI.to_owned(),
            challenge: Challenge::parse(CHALLENGE),
            dpop_key: None,
            expires_at: Timestamp::from_ms(LIFETIME_MS),
            used: false,
        }
    }

    /// Proves, V10.4.2, V10.4.3, V10.4.6
    #[test]
    fn a_code_is_redeemed_by_whom_it_was_issued_to() {
        let (right, wrong) = (Verifier::parse(VERIFIER).unwrap(), Verifier::parse(CHALLENGE).unwrap());
        let (key, other_key) = (Thumbprint::from_bytes([1; 32]), Thumbprint::from_bytes([2; 32]));
        let honest = Redeemer { client_id: "shop", redirect_uri: Some(URI), verifier: Some(&right), dpop_key: None };
        let without_pkce = CodeBinding { challenge: None, ..binding() };
        let bound = CodeBinding { dpop_key: Some(key), ..binding() };
        for (what, binding, redeemer, grants) in [
            ("all right", binding(), honest, true),
            ("without redirect_uri", binding(), Redeemer { redirect_uri: None, ..honest }, true),
            ("another client", binding(), Redeemer { client_id: "other", ..honest }, false),
            ("another redirect_uri", binding(), Redeemer { redirect_uri: Some("https://x.example"), ..honest }, false),
            ("another verifier", binding(), Redeemer { verifier: Some(&wrong), ..honest }, false),
            ("no verifier", binding(), Redeemer { verifier: None, ..honest }, false),
            ("a verifier without a challenge", without_pkce.clone(), honest, false),
            ("no challenge", without_pkce.clone(), Redeemer { verifier: None, ..honest }, true),
            ("neither", without_pkce, Redeemer { verifier: None, redirect_uri: None, ..honest }, false),
            ("the key", bound.clone(), Redeemer { dpop_key: Some(key), ..honest }, true),
            ("another key", bound.clone(), Redeemer { dpop_key: Some(other_key), ..honest }, false),
            ("no key", bound, honest, false),
            ("a key of its own choice", super::tests::binding(), Redeemer { dpop_key: Some(key), ..honest }, true),
        ] {
            let now = Timestamp::from_ms(LIFETIME_MS - 1);
            assert_eq!(binding.redeem(&redeemer, now) == Redemption::Grant, grants, "{what}");
            // The same again: only what would have been right is a replay.
            let used = CodeBinding { used: true, ..binding.clone() };
            assert_eq!(used.redeem(&redeemer, now) == Redemption::Replay, grants, "{what}");
            let late = Timestamp::from_ms(LIFETIME_MS);
            assert_eq!(used.redeem(&redeemer, late) == Redemption::Replay, grants, "{what}");
            assert!(matches!(binding.redeem(&redeemer, late), Redemption::Refused(_)), "{what}");
        }
    }
}
