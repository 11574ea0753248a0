//! The token request (RFC 6749 section 3.2), one shape for each grant.

use doorward_model::secret::SecretText;

use crate::client::{Client, Grant};
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::pkce::Verifier;
use crate::resource::{self, Resource};
use crate::scope::Scope;
use crate::token_exchange::ExchangeRequest;

/// No code or token is longer.
const MAX_CREDENTIAL_BYTES: usize = 8 * 1024;

/// What a client that has proved who it is asks the token endpoint for.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// RFC 6749 section 4.1.3.
    AuthorizationCode {
        /// The code.
        code: SecretText,
        /// The redirect URI, if it is sent.
        redirect_uri: Option<String>,
        /// The secret behind the challenge, if it is sent.
        verifier: Option<Verifier>,
        /// The services the access token is for, of those the client may name; the use case holds them against the
        /// grant's own (RFC 8707 section 2.2).
        resources: Vec<Resource>,
    },
    /// RFC 6749 section 6.
    RefreshToken {
        /// The token.
        refresh_token: SecretText,
        /// What is asked for; what the grant has, when none is named.
        scope: Option<Scope>,
        /// As with a code.
        resources: Vec<Resource>,
    },
    /// RFC 6749 section 4.4.
    ClientCredentials {
        /// What is asked for, all of it allowed for the client and none of it about a person.
        scope: Scope,
        /// The services, all of them allowed for the client.
        resources: Vec<Resource>,
    },
    /// RFC 8628 section 3.4.
    DeviceCode {
        /// The code.
        device_code: SecretText,
        /// As with a code.
        resources: Vec<Resource>,
    },
    /// RFC 8693 section 2.1.
    TokenExchange(ExchangeRequest),
}

impl TokenRequest {
    /// Reads a request. A grant that does not exist is `unsupported_grant_type`, one that the client is not registered
    /// for `unauthorized_client` (RFC 6749 section 5.2).
    pub fn read(parameters: &Parameters, client: &Client) -> Result<Self, OAuthError> {
        parameters.refuse_repeated()?;
        let name = parameters.find("grant_type").ok_or(OAuthError::invalid_request("grant_type is missing"))?;
        let unsupported = OAuthError::new(ErrorCode::UnsupportedGrantType, "this grant does not exist");
        let grant = Grant::parse(name).ok_or(unsupported)?;
        if !client.may_use(grant) {
            let description = "the client is not registered for this grant";
            return Err(OAuthError::new(ErrorCode::UnauthorizedClient, description));
        }
        let allowed = &client.metadata().resources;
        Ok(match grant {
            Grant::AuthorizationCode => Self::AuthorizationCode {
                code: credential(parameters, "code", "code is missing")?,
                redirect_uri: parameters.find("redirect_uri").map(str::to_owned),
                verifier: verifier(parameters)?,
                resources: resource::requested(parameters, allowed)?,
            },
            Grant::RefreshToken => Self::RefreshToken {
                refresh_token: credential(parameters, "refresh_token", "refresh_token is missing")?,
                scope: scope(parameters)?,
                resources: resource::requested(parameters, allowed)?,
            },
            Grant::ClientCredentials => Self::ClientCredentials {
                scope: machine_scope(parameters, client)?,
                resources: resource::requested(parameters, allowed)?,
            },
            Grant::DeviceCode => Self::DeviceCode {
                device_code: credential(parameters, "device_code", "device_code is missing")?,
                resources: resource::requested(parameters, allowed)?,
            },
            Grant::TokenExchange => Self::TokenExchange(ExchangeRequest::read(parameters, allowed)?),
        })
    }
}

/// The scope of a renewal: what is asked for, which must be within what was granted (RFC 6749 section 6).
pub fn renewed_scope(asked: Option<&Scope>, granted: &Scope) -> Result<Scope, OAuthError> {
    match asked {
        None => Ok(granted.clone()),
        Some(asked) if asked.is_within(granted) => Ok(asked.clone()),
        Some(_) => Err(OAuthError::new(ErrorCode::InvalidScope, "the scope is more than was granted")),
    }
}

fn credential(parameters: &Parameters, name: &str, missing: &'static str) -> Result<SecretText, OAuthError> {
    let text = parameters.find(name).ok_or(OAuthError::invalid_request(missing))?;
    // It is wrong as any other that we did not issue.
    if text.len() > MAX_CREDENTIAL_BYTES {
        return Err(OAuthError::new(ErrorCode::InvalidGrant, "no code or token is that long"));
    }
    Ok(SecretText::new(text.to_owned()))
}

/// One that is malformed cannot be the right one: `invalid_grant` (RFC 7636 section 4.6).
fn verifier(parameters: &Parameters) -> Result<Option<Verifier>, OAuthError> {
    let malformed = OAuthError::new(ErrorCode::InvalidGrant, "code_verifier is malformed");
    parameters.find("code_verifier").map(|text| Verifier::parse(text).ok_or(malformed)).transpose()
}

fn scope(parameters: &Parameters) -> Result<Option<Scope>, OAuthError> {
    let malformed = OAuthError::new(ErrorCode::InvalidScope, "the scope is malformed");
    parameters.find("scope").map(|text| Scope::parse(text).map_err(|_| malformed)).transpose()
}

/// What a client asks for itself: everything registered that is not about a person, when it names nothing.
fn machine_scope(parameters: &Parameters, client: &Client) -> Result<Scope, OAuthError> {
    let own = client.metadata().scopes.without_personal();
    match scope(parameters)? {
        None => Ok(own),
        Some(asked) if asked.is_within(&own) => Ok(asked),
        Some(_) => Err(OAuthError::new(ErrorCode::InvalidScope, "the scope is not allowed for this client")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::tests::{client, shop, shop_fields, with};

    fn read(text: &str, client: &Client) -> Result<TokenRequest, ErrorCode> {
        let parameters = Parameters::parse(text.as_bytes()).unwrap();
        TokenRequest::read(&parameters, client).map_err(|error| error.code)
    }

    fn everything() -> Client {
        let grants: Vec<&str> = Grant::ALL.iter().map(|grant| grant.as_str()).collect();
        client(&with(&shop_fields(), "grant_types", json!(grants)))
    }

    #[test]
    fn each_grant_has_its_shape() {
        let exchange = "subject_token=a&subject_token_type=urn:ietf:params:oauth:token-type:access_token";
        for (grant, rest) in [
            (Grant::AuthorizationCode, "code=c&redirect_uri=u&resource=https://api.example"),
            (Grant::RefreshToken, "refresh_token=r&scope=openid"),
            (Grant::ClientCredentials, "scope=orders"),
            (Grant::DeviceCode, "device_code=d"),
            (Grant::TokenExchange, exchange),
        ] {
            let request = read(&format!("grant_type={}&{rest}", grant.as_str()), &everything()).unwrap();
            let found = match request {
                TokenRequest::AuthorizationCode { .. } => Grant::AuthorizationCode,
                TokenRequest::RefreshToken { .. } => Grant::RefreshToken,
                TokenRequest::ClientCredentials { .. } => Grant::ClientCredentials,
                TokenRequest::DeviceCode { .. } => Grant::DeviceCode,
                TokenRequest::TokenExchange(_) => Grant::TokenExchange,
            };
            assert_eq!(found, grant);
        }
    }

    /// Proves, V10.4.4, V10.4.11
    #[test]
    fn what_is_wrong_has_the_code_of_the_standard() {
        let long = "x".repeat(MAX_CREDENTIAL_BYTES + 1);
        for (text, code) in [
            ("", ErrorCode::InvalidRequest),
            ("grant_type=", ErrorCode::InvalidRequest),
            ("grant_type=password&username=a&password=b", ErrorCode::UnsupportedGrantType),
            ("grant_type=implicit", ErrorCode::UnsupportedGrantType),
            ("grant_type=urn:example:unknown", ErrorCode::UnsupportedGrantType),
            ("grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=d", ErrorCode::UnauthorizedClient),
            ("grant_type=urn:ietf:params:oauth:grant-type:token-exchange", ErrorCode::UnauthorizedClient),
            ("grant_type=authorization_code", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code&code=a&code=b", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code&code=a&code_verifier=short", ErrorCode::InvalidGrant),
            ("grant_type=authorization_code&code=a&resource=https://x.example", ErrorCode::InvalidTarget),
            ("grant_type=refresh_token", ErrorCode::InvalidRequest),
            ("grant_type=refresh_token&refresh_token=a&scope=a++b", ErrorCode::InvalidScope),
            ("grant_type=client_credentials&scope=admin", ErrorCode::InvalidScope),
            ("grant_type=client_credentials&scope=openid", ErrorCode::InvalidScope),
            ("grant_type=client_credentials&scope=email", ErrorCode::InvalidScope),
            ("grant_type=client_credentials&scope=offline_access", ErrorCode::InvalidScope),
        ] {
            assert_eq!(read(text, &shop()).err(), Some(code), "{text}");
        }
        assert_eq!(
            read(&format!("grant_type=refresh_token&refresh_token={long}"), &shop()).err(),
            Some(ErrorCode::InvalidGrant)
        );
        for length in [42, 129] {
            let text = format!("grant_type=authorization_code&code=a&code_verifier={}", "a".repeat(length));
            assert_eq!(read(&text, &shop()).err(), Some(ErrorCode::InvalidGrant), "{length}");
        }
    }

    #[test]
    fn a_machine_that_names_nothing_gets_what_is_not_about_a_person() {
        let Ok(TokenRequest::ClientCredentials { scope, .. }) = read("grant_type=client_credentials", &shop()) else {
            panic!("not read")
        };
        assert_eq!(scope.to_string(), "orders");
    }

    /// Proves: A-91
    #[test]
    fn a_renewal_never_widens_the_scope() {
        let scope = |text: &str| Scope::parse(text).unwrap();
        let granted = scope("openid orders");
        assert_eq!(renewed_scope(None, &granted), Ok(granted.clone()));
        assert_eq!(renewed_scope(Some(&scope("orders")), &granted), Ok(scope("orders")));
        assert!(renewed_scope(Some(&scope("orders email")), &granted).is_err());
        assert!(renewed_scope(Some(&scope("Orders")), &granted).is_err());
    }
}
