//! How a client says who it is (RFC 6749 section 2.3, RFC 7521 section 4.2): in exactly one way, and the one it
//! registered. Whether what it presents is right is for the use case to find out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_model::secret::SecretText;

use crate::client::{AuthenticationMethod, Client};
use crate::client_assertion;
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::{Parameters, form};

/// Nobody has a longer `Authorization` header.
const MAX_BASIC_BYTES: usize = 2 * 1024;

/// What a client presents.
#[derive(Clone, Debug)]
pub enum Presented {
    /// Its id only.
    Nothing,
    /// A secret in the `Authorization` header.
    BasicSecret(SecretText),
    /// A secret in the body.
    PostedSecret(SecretText),
    /// A signed assertion.
    Assertion(SecretText),
}

/// Who a client says it is, and what it presents for it.
#[derive(Clone, Debug)]
pub struct ClientAuthentication {
    /// Unproved.
    pub client_id: String,
    /// What is to be checked.
    pub presented: Presented,
}

impl ClientAuthentication {
    /// Reads a request's `Authorization` headers and its body.
    ///
    /// More than one way at once is `invalid_request` (RFC 6749 section 2.3); a way that is malformed is
    /// `invalid_client`.
    pub fn read<'a>(authorization: impl IntoIterator<Item = &'a str>, body: &Parameters) -> Result<Self, OAuthError> {
        body.refuse_repeated()?;
        let mut headers = authorization.into_iter();
        let header = headers.next();
        if headers.next().is_some() {
            return Err(OAuthError::invalid_request("more than one Authorization header"));
        }
        let has_assertion = body.contains("client_assertion") || body.contains("client_assertion_type");
        let ways = [header.is_some(), body.contains("client_secret"), has_assertion];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            return Err(OAuthError::invalid_request("the client authenticates in more than one way"));
        }
        let (client_id, presented) = match header {
            Some(header) => {
                let (client_id, secret) = read_basic(header).ok_or(invalid_client("Authorization is malformed"))?;
                (Some(client_id), Presented::BasicSecret(secret))
            }
            None if has_assertion => {
                let (client_id, assertion) = read_assertion(body)?;
                (Some(client_id), Presented::Assertion(assertion))
            }
            None => (None, body.find("client_secret").map_or(Presented::Nothing, posted)),
        };
        Ok(Self { client_id: one_client(client_id, body.find("client_id"))?, presented })
    }

    /// The method presented.
    pub const fn method(&self) -> AuthenticationMethod {
        match self.presented {
            Presented::Nothing => AuthenticationMethod::None,
            Presented::BasicSecret(_) => AuthenticationMethod::ClientSecretBasic,
            Presented::PostedSecret(_) => AuthenticationMethod::ClientSecretPost,
            Presented::Assertion(_) => AuthenticationMethod::PrivateKeyJwt,
        }
    }

    /// Whether the client authenticates in the way it registered; anything else is `invalid_client`, whether or not
    /// what it presents would be right (OpenID Connect Core 9).
    pub fn check_method(&self, client: &Client) -> Result<(), OAuthError> {
        if self.client_id == client.id().as_str() && self.method() == client.metadata().authentication {
            return Ok(());
        }
        Err(invalid_client("the client must authenticate in the way it is registered with"))
    }

    /// Whether a refusal must bring `WWW-Authenticate: Basic` (RFC 6749 section 5.2).
    pub const fn answers_with_basic(&self) -> bool {
        matches!(self.presented, Presented::BasicSecret(_))
    }
}

const fn invalid_client(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, description)
}

fn posted(secret: &str) -> Presented {
    Presented::PostedSecret(SecretText::new(secret.to_owned()))
}

/// Base64 around form-encoded id and secret (RFC 6749 section 2.3.1). Another scheme is no authentication of a client.
fn read_basic(header: &str) -> Option<(String, SecretText)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || header.len() > MAX_BASIC_BYTES {
        return None;
    }
    let decoded = zeroize::Zeroizing::new(STANDARD.decode(encoded.trim_matches(' ')).ok()?);
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (client_id, secret) = (form::decode(&decoded[..colon])?, form::decode(&decoded[colon + 1..])?);
    (!client_id.is_empty() && !secret.is_empty()).then(|| (client_id, SecretText::new(secret)))
}

fn read_assertion(body: &Parameters) -> Result<(String, SecretText), OAuthError> {
    if body.find("client_assertion_type") != Some(client_assertion::TYPE) {
        return Err(invalid_client("client_assertion_type must be the one for JWT"));
    }
    let text = body.find("client_assertion").ok_or(invalid_client("client_assertion is missing"))?;
    let client_id = client_assertion::claimed_client_id(text).ok_or(invalid_client("client_assertion is malformed"))?;
    Ok((client_id, SecretText::new(text.to_owned())))
}

/// RFC 6749 section 2.3.1 and RFC 7521 section 4.2: an id in the body beside another must be the same.
fn one_client(authenticated: Option<String>, named: Option<&str>) -> Result<String, OAuthError> {
    match (authenticated, named) {
        (Some(client_id), None) => Ok(client_id),
        (Some(client_id), Some(named)) if client_id == named => Ok(client_id),
        (Some(_), Some(_)) => Err(OAuthError::invalid_request("client_id is not the one that authenticates")),
        (None, Some(named)) => Ok(named.to_owned()),
        (None, None) => Err(invalid_client("the client does not say who it is")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::client::tests::{client, shop, shop_fields, with};
    use crate::jose::Algorithm;
    use crate::jose::test_keys::TestKey;

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    fn read(headers: &[&str], body: &str) -> Result<ClientAuthentication, ErrorCode> {
        let body = Parameters::parse(body.as_bytes()).unwrap();
        ClientAuthentication::read(headers.iter().copied(), &body).map_err(|error| error.code)
    }

    fn secret(read: ClientAuthentication) -> (String, String) {
        match read.presented {
            Presented::BasicSecret(secret) | Presented::PostedSecret(secret) => {
                (read.client_id, secret.reveal().to_owned())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_way_is_read() {
        let header = basic("shop:s%3Acret%2B+%C3%A4");
        let read_basic = read(&[&header], "grant_type=x&client_id=shop").unwrap();
        assert_eq!(read_basic.method(), AuthenticationMethod::ClientSecretBasic);
        assert_eq!(secret(read_basic), ("shop".to_owned(), "s:cret+ \u{e4}".to_owned()));
        let posted = read(&[], "client_id=shop&client_secret=a%26b").unwrap();
        assert_eq!(secret(posted), ("shop".to_owned(), "a&b".to_owned()));
        assert_eq!(read(&[], "client_id=shop").unwrap().method(), AuthenticationMethod::None);
        let assertion = TestKey::new(Algorithm::Es256).sign(&json!({"alg": "ES256"}), &json!({"sub": "shop"}));
        let body = format!("client_assertion={assertion}&client_assertion_type={}", client_assertion::TYPE);
        let by_key = read(&[], &body).unwrap();
        assert_eq!((by_key.method(), by_key.client_id.as_str()), (AuthenticationMethod::PrivateKeyJwt, "shop"));
    }

    /// Proves: A-90, V10.4.10
    #[test]
    fn two_ways_at_once_are_refused() {
        let header = basic("shop:secret");
        let assertion = format!("client_assertion=a.b.c&client_assertion_type={}", client_assertion::TYPE);
        for (headers, body) in [
            (vec![header.as_str()], "client_secret=secret"),
            (vec![&header], "client_id=other"),
            (vec![&header, &header], ""),
            (vec![&header], assertion.as_str()),
            (vec![], &format!("client_secret=a&{assertion}")),
            (vec![], "client_id=a&client_id=a"),
            (vec![], "client_id=a&client_secret=a&client_secret=b"),
        ] {
            assert_eq!(read(&headers, body).err(), Some(ErrorCode::InvalidRequest), "{headers:?} {body}");
        }
    }

    /// Proves: A-90
    #[test]
    fn what_is_malformed_is_no_authentication() {
        for header in [
            "Basic",
            "Basic ",
            "Basic !!!",
            "Bearer abc",
            "Digest x",
            &basic("shop"),
            &basic(":secret"),
            &basic("shop:"),
            &basic("shop:%zz"),
            &basic("shop:%ff"),
            &basic(&"a".repeat(MAX_BASIC_BYTES)),
        ] {
            assert_eq!(read(&[header], "").err(), Some(ErrorCode::InvalidClient), "{header}");
        }
        for body in ["", "client_secret=x", "client_assertion=a.b.c", "client_assertion_type=x&client_assertion=a"] {
            assert_eq!(read(&[], body).err(), Some(ErrorCode::InvalidClient), "{body}");
        }
    }

    /// Proves: A-90, V10.4.10
    #[test]
    fn only_the_registered_way_counts() {
        let by = |method: &str| client(&with(&shop_fields(), "token_endpoint_auth_method", json!(method)));
        let public = client(&json!({"redirect_uris": ["https://a.example"], "token_endpoint_auth_method": "none"}));
        let header = basic("shop:secret");
        let (by_header, by_body) =
            (read(&[&header], "").unwrap(), read(&[], "client_id=shop&client_secret=x").unwrap());
        let by_nothing = read(&[], "client_id=shop").unwrap();
        for (presented, client, accepted) in [
            (&by_header, &shop(), true),
            (&by_body, &shop(), false),
            (&by_nothing, &shop(), false),
            (&by_body, &by("client_secret_post"), true),
            (&by_header, &by("client_secret_post"), false),
            (&by_nothing, &public, true),
            (&by_header, &public, false),
        ] {
            assert_eq!(presented.check_method(client).is_ok(), accepted, "{:?}", presented.method());
        }
    }

    proptest! {
        #[test]
        fn every_id_and_secret_arrives(id in ".+", text in ".+") {
            let (mut encoded_id, mut encoded_secret) = (String::new(), String::new());
            form::encode(&id, &mut encoded_id);
            form::encode(&text, &mut encoded_secret);
            let header = basic(&format!("{encoded_id}:{encoded_secret}"));
            if let Ok(read) = read(&[&header], "") {
                prop_assert_eq!(secret(read), (id, text));
            } else {
                prop_assert!(header.len() > MAX_BASIC_BYTES);
            }
        }
    }
}
