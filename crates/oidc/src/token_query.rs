//! Asking about a token (RFC 7662 section 2.1) and withdrawing it (RFC 7009 section 2.1).

use doorward_model::secret::SecretText;

use crate::error::OAuthError;
use crate::parameters::Parameters;

/// The `typ` of a signed answer (RFC 9701 section 5).
pub const INTROSPECTION_TYPE: &str = "token-introspection+jwt";

/// Which kind to look for first. A wrong hint costs time and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenTypeHint {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
}

/// A token somebody asks about.
#[derive(Clone, Debug)]
pub struct TokenQuery {
    /// The token.
    pub token: SecretText,
    /// Its kind, as far as the asker knows; unknown kinds are ignored (RFC 7009 section 2.1).
    pub hint: Option<TokenTypeHint>,
}

impl TokenQuery {
    /// Reads the parameters.
    pub fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        parameters.refuse_repeated()?;
        let token = parameters.find("token").ok_or(OAuthError::invalid_request("token is missing"))?;
        let hint = match parameters.find("token_type_hint") {
            Some("access_token") => Some(TokenTypeHint::AccessToken),
            Some("refresh_token") => Some(TokenTypeHint::RefreshToken),
            _ => None,
        };
        Ok(Self { token: SecretText::new(token.to_owned()), hint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_asked_about_once_and_an_unknown_hint_ignored() {
        let read = |text: &str| TokenQuery::read(&Parameters::parse(text.as_bytes()).unwrap());
        assert_eq!(read("token=a&token_type_hint=refresh_token").unwrap().hint, Some(TokenTypeHint::RefreshToken));
        assert_eq!(read("token=a&token_type_hint=saml").unwrap().hint, None);
        assert!(read("token_type_hint=access_token").is_err());
        assert!(read("token=").is_err());
        assert!(read("token=a&token=a").is_err());
    }
}
