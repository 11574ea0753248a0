//! Signed request objects (RFC 9101): the parameters of a request in a JWT of the client.

use doorward_model::time::{HOUR_MS, Timestamp};
use serde_json::Value;

use crate::client::Client;
use crate::error::{ErrorCode, OAuthError};
use crate::jose::{Algorithm, Claims, EmbeddedKey, FUTURE_LEEWAY_MS, KeySet, Unverified};
use crate::parameters::Parameters;

/// The longest a request object may live (FAPI 2.0 Message Signing 5.3.1).
pub const MAX_LIFETIME_MS: i64 = HOUR_MS;
/// A missing type, the general one, and the one of RFC 9101 section 10.8.
const KINDS: [&str; 3] = ["", "jwt", "oauth-authz-req+jwt"];
/// What belongs to the JWT and not to the request (RFC 9101 section 4).
const ENVELOPE_CLAIMS: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

/// The longest `jti`.
const MAX_ID_BYTES: usize = 256;

/// A request object that holds, except that its id must not have been answered before.
#[derive(Clone, Debug)]
pub struct RequestObject {
    /// The parameters inside.
    pub parameters: Parameters,
    /// Its id, if it has one: together with the client's id the key of the replay store.
    pub id: Option<String>,
    /// When it is over.
    pub expires_at: Timestamp,
}

/// Checks a request object with the client's own keys.
pub fn verify(
    text: &str,
    client: &Client,
    keys: &KeySet,
    issuer: &str,
    now: Timestamp,
) -> Result<RequestObject, OAuthError> {
    let invalid = |description| OAuthError::new(ErrorCode::InvalidRequestObject, description);
    let unsigned = invalid("the request object or its signature is not valid");
    let object = Unverified::parse(text, EmbeddedKey::Refused, &KINDS).map_err(|_| unsigned)?;
    let claims = match &client.metadata().request_object_algorithm {
        Some(algorithm) => object.verify(keys, std::slice::from_ref(algorithm)),
        None => object.verify(keys, &Algorithm::ALL),
    };
    let claims = claims.map_err(|_| unsigned)?;
    // RFC 9101 section 4: the client is the issuer. Section 10.8: an object with its `sub` could be used to sign in as
    // the client (RFC 7523), and is refused from both sides.
    if claims.text("iss") != Some(client.id().as_str()) || claims.members().contains_key("sub") {
        return Err(invalid("iss is not the client, or sub is set"));
    }
    if !claims.is_for(issuer) {
        return Err(invalid("aud is not the issuer"));
    }
    let holds = claims.ends_within(MAX_LIFETIME_MS + FUTURE_LEEWAY_MS, now)
        && claims.has_begun("nbf", now)
        && claims.has_begun("iat", now);
    let wrong_time = invalid("exp is missing, over or more than an hour away, or nbf or iat is in the future");
    let expires_at = claims.time("exp").filter(|_| holds).ok_or(wrong_time)?;
    let malformed = invalid("a parameter is neither text, number, flag, object nor list of texts");
    let parameters = parameters(&claims).ok_or(malformed)?;
    Ok(RequestObject { parameters, id: id(&claims)?, expires_at })
}

/// It may be left out (RFC 7519 section 4.1.7). One that is no usable text is wrong, not missing.
fn id(claims: &Claims) -> Result<Option<String>, OAuthError> {
    if !claims.members().contains_key("jti") {
        return Ok(None);
    }
    let id = claims.text("jti").filter(|id| (1..=MAX_ID_BYTES).contains(&id.len()));
    let unusable = OAuthError::new(ErrorCode::InvalidRequestObject, "jti is no text of 1 to 256 bytes");
    id.map(|id| Some(id.to_owned())).ok_or(unusable)
}

/// Texts as they are, JSON as its text (RFC 9101 section 4), lists as repeated parameters.
fn parameters(claims: &Claims) -> Option<Parameters> {
    let mut pairs = Vec::new();
    for (name, value) in claims.members().iter().filter(|(name, _)| !ENVELOPE_CLAIMS.contains(&name.as_str())) {
        match value {
            Value::String(text) => pairs.push((name.clone(), text.clone())),
            Value::Number(_) | Value::Bool(_) | Value::Object(_) => pairs.push((name.clone(), value.to_string())),
            Value::Array(list) => {
                for entry in list {
                    pairs.push((name.clone(), entry.as_str()?.to_owned()));
                }
            }
            Value::Null => return None,
        }
    }
    Some(Parameters::from_pairs(pairs))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::tests::shop;
    use crate::jose::test_keys::TestKey;

    const NOW: i64 = 1_700_000_000;

    fn claims() -> Value {
        json!({"iss": "shop", "aud": ["https://id.example"], "exp": NOW + 60, "client_id": "shop",
            "response_type": "code", "max_age": 60, "claims": {"userinfo": {"name": null}},
            "resource": ["https://a.example", "https://b.example"]})
    }

    fn check(key: &TestKey, header: &Value, claims: &Value) -> Result<RequestObject, OAuthError> {
        let now = Timestamp::from_ms(NOW * 1_000);
        verify(&key.sign(header, claims), &shop(), &key.set(), "https://id.example", now)
    }

    #[test]
    fn the_parameters_inside_are_read_without_the_envelope() {
        let key = TestKey::new(Algorithm::Es256);
        let read = check(&key, &json!({"alg": "ES256", "typ": "oauth-authz-req+jwt"}), &claims()).unwrap();
        assert_eq!((read.id, read.expires_at), (None, Timestamp::from_ms((NOW + 60) * 1_000)));
        let read = read.parameters;
        assert_eq!(read.find("max_age"), Some("60"));
        assert_eq!(read.find("claims"), Some(r#"{"userinfo":{"name":null}}"#));
        assert_eq!(read.list("resource").count(), 2);
        for name in ENVELOPE_CLAIMS {
            assert!(!read.contains(name), "{name}");
        }
    }

    #[test]
    fn an_object_may_have_an_id_that_is_no_parameter() {
        let mut named = claims();
        named["jti"] = json!("one");
        let read = check(&TestKey::new(Algorithm::Es256), &json!({"alg": "ES256"}), &named).unwrap();
        assert_eq!((read.id.as_deref(), read.parameters.contains("jti")), (Some("one"), false));
    }

    /// Proves: A-99, A-121
    #[test]
    fn what_is_wrong_is_refused() {
        let key = TestKey::new(Algorithm::Es256);
        for (name, value) in [
            ("iss", json!("other")),
            ("iss", json!(null)),
            ("sub", json!("shop")),
            ("aud", json!("https://other.example")),
            ("aud", json!([])),
            ("aud", json!(null)),
            ("exp", json!(NOW)),
            ("exp", json!(NOW + 7_200)),
            ("exp", json!("soon")),
            ("exp", json!(null)),
            ("nbf", json!(NOW + 300)),
            ("iat", json!(NOW + 300)),
            ("jti", json!("")),
            ("jti", json!(7)),
            ("jti", json!("x".repeat(257))),
            ("jti", json!(null)),
            ("state", json!(null)),
            ("state", json!([1])),
        ] {
            let mut changed = claims();
            changed[name] = value.clone();
            let error = check(&key, &json!({"alg": "ES256"}), &changed).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidRequestObject, "{name}: {value}");
        }
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "HS256"}),
            json!({"alg": "EdDSA"}),
            json!({"alg": "ES256", "typ": "at+jwt"}),
            json!({"alg": "ES256", "typ": "client-authentication+jwt"}),
            json!({"alg": "ES256", "jku": "https://evil.example"}),
        ] {
            assert!(check(&key, &header, &claims()).is_err(), "{header}");
        }
        let other = TestKey::new(Algorithm::Es256);
        let text = other.sign(&json!({"alg": "ES256"}), &claims());
        let now = Timestamp::from_ms(NOW * 1_000);
        assert!(verify(&text, &shop(), &key.set(), "https://id.example", now).is_err());
    }
}
