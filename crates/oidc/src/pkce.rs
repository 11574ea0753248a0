//! Proof Key for Code Exchange (RFC 7636): S256 and nothing else (RFC 9700 section 2.1.1).

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::OAuthError;
use crate::parameters::Parameters;
use crate::sha256::Sha256;

/// The one method.
pub const METHOD: &str = "S256";

/// The hash of a secret that only the client knows until it redeems the code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Challenge(Sha256);

impl Challenge {
    /// Reads the one spelling of 32 bytes in base64url (RFC 7636 section 4.2).
    pub fn parse(text: &str) -> Option<Self> {
        Sha256::parse(text).map(Self)
    }

    /// Of a row.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Sha256(bytes))
    }

    /// For a row.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0.0
    }

    /// The challenge of an authorization request, if it has one.
    ///
    /// A missing method means `plain` (RFC 7636 section 4.3), and `plain` is refused; so is a method without a
    /// challenge, which would be a downgrade (RFC 9700 section 2.1.1).
    pub fn requested(parameters: &Parameters) -> Result<Option<Self>, OAuthError> {
        match (parameters.find("code_challenge"), parameters.find("code_challenge_method")) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(OAuthError::invalid_request("code_challenge_method is sent without code_challenge")),
            (Some(challenge), Some(METHOD)) => {
                let malformed =
                    OAuthError::invalid_request("code_challenge is not the SHA-256 of a verifier in base64url");
                Self::parse(challenge).map(Some).ok_or(malformed)
            }
            (Some(_), _) => Err(OAuthError::invalid_request("code_challenge_method must be S256")),
        }
    }

    /// Whether the verifier is the secret behind this challenge (RFC 7636 section 4.6); compares in constant time.
    pub fn verifies(&self, verifier: &Verifier) -> bool {
        self.0.ct_eq(&Sha256::of(&verifier.0)).into()
    }

    /// As on the wire.
    pub fn to_text(self) -> String {
        self.0.to_string()
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Challenge({})", self.to_text())
    }
}

/// The secret itself.
#[derive(Clone)]
pub struct Verifier(Zeroizing<String>);

impl Verifier {
    /// Reads 43 to 128 unreserved characters (RFC 7636 section 4.1).
    pub fn parse(text: &str) -> Option<Self> {
        let is_verifier = (43..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'));
        is_verifier.then(|| Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorCode;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    /// Proves: A-85, V10.4.6
    #[test]
    fn the_example_of_the_standard_verifies_and_others_do_not() {
        let challenge = Challenge::parse(CHALLENGE).unwrap();
        assert!(challenge.verifies(&Verifier::parse(VERIFIER).unwrap()));
        for other in [CHALLENGE, &VERIFIER.to_lowercase(), &format!("{VERIFIER}a"), &"a".repeat(43)] {
            assert!(!challenge.verifies(&Verifier::parse(other).unwrap()), "{other}");
        }
    }

    /// Proves: A-85, V10.4.6
    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        for (length, accepted) in [(0, false), (42, false), (43, true), (128, true), (129, false)] {
            assert_eq!(Verifier::parse(&"a".repeat(length)).is_some(), accepted, "{length}");
        }
        for letter in [" ", "+", "/", "=", "%", "\n", "\u{e4}"] {
            assert!(Verifier::parse(&format!("{}{letter}", "a".repeat(43))).is_none(), "{letter:?}");
        }
    }

    /// Proves: A-85, V10.4.6
    #[test]
    fn only_s256_with_a_well_formed_challenge_is_taken() {
        let requested = |text: &str| Challenge::requested(&Parameters::parse(text.as_bytes()).unwrap());
        assert_eq!(requested("state=1"), Ok(None));
        let accepted = requested(&format!("code_challenge={CHALLENGE}&code_challenge_method=S256"));
        assert_eq!(accepted, Ok(Challenge::parse(CHALLENGE)));
        for text in [
            format!("code_challenge={CHALLENGE}"),
            format!("code_challenge={CHALLENGE}&code_challenge_method="),
            format!("code_challenge={CHALLENGE}&code_challenge_method=plain"),
            format!("code_challenge={CHALLENGE}&code_challenge_method=S512"),
            format!("code_challenge={CHALLENGE}&code_challenge_method=s256"),
            "code_challenge=&code_challenge_method=S256".to_owned(),
            "code_challenge_method=S256".to_owned(),
            format!("code_challenge={CHALLENGE}a&code_challenge_method=S256"),
            format!("code_challenge={CHALLENGE}=&code_challenge_method=S256"),
            format!("code_challenge={}&code_challenge_method=S256", &CHALLENGE[1..]),
            // The last digit carries two spare bits, which must be zero.
            format!("code_challenge={}N&code_challenge_method=S256", &CHALLENGE[..42]),
        ] {
            assert_eq!(requested(&text).map_err(|error| error.code), Err(ErrorCode::InvalidRequest), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_challenge_has_one_spelling(text in "[A-Za-z0-9_=-]{42,44}") {
            if let Some(challenge) = Challenge::parse(&text) {
                prop_assert_eq!(challenge.to_text(), text);
            }
        }

        /// Proves: A-85
        #[test]
        fn only_its_own_verifier_opens_a_challenge(a in "[A-Za-z0-9._~-]{43,50}", b in "[A-Za-z0-9._~-]{43,50}") {
            let hash = digest(&SHA256, a.as_bytes());
            let challenge = Challenge::parse(&URL_SAFE_NO_PAD.encode(hash)).unwrap();
            prop_assert!(challenge.verifies(&Verifier::parse(&a).unwrap()));
            prop_assert_eq!(challenge.verifies(&Verifier::parse(&b).unwrap()), a == b);
        }
    }
}
