//! The `claims` parameter (OpenID Connect Core 5.5): which claims a client asks for by name.

use std::collections::BTreeMap;

use doorward_model::token::parse_object;
use serde_json::{Map, Value};

use crate::error::OAuthError;

/// Nothing longer is read.
pub const MAX_BYTES: usize = 4 * 1024;
/// Nobody asks for more claims.
const MAX_CLAIMS: usize = 50;

/// How one claim is asked for (OpenID Connect Core 5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The client says it cannot do without.
    pub essential: bool,
    /// The values it would take, the most wanted first; empty when any will do.
    pub values: Vec<String>,
}

/// The claims a client asks for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    /// In the ID token.
    pub id_token: BTreeMap<String, Wish>,
    /// At the `UserInfo` endpoint.
    pub userinfo: BTreeMap<String, Wish>,
}

impl ClaimsRequest {
    /// Reads the parameter. Unknown members are ignored; one that is malformed or repeated is an error.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        let malformed = OAuthError::invalid_request("claims is not the JSON that OpenID Connect describes");
        if text.len() > MAX_BYTES {
            return Err(malformed);
        }
        let members: Map<String, Value> = parse_object(text.as_bytes()).ok_or(malformed)?;
        let list = |name: &str| wishes(members.get(name)).ok_or(malformed);
        Ok(Self { id_token: list("id_token")?, userinfo: list("userinfo")? })
    }

    /// The person who must be signed in, when the client names one (OpenID Connect Core 5.5.1: `sub` with a value).
    pub fn subject(&self) -> Option<&str> {
        [&self.id_token, &self.userinfo]
            .into_iter()
            .find_map(|wishes| wishes.get("sub")?.values.first())
            .map(String::as_str)
    }

    /// The authentication classes the client cannot do without (OpenID Connect Core 5.5.1.1).
    pub fn essential_acr_values(&self) -> &[String] {
        self.id_token.get("acr").filter(|wish| wish.essential).map_or(&[], |wish| &wish.values)
    }
}

fn wishes(member: Option<&Value>) -> Option<BTreeMap<String, Wish>> {
    match member {
        None | Some(Value::Null) => Some(BTreeMap::new()),
        Some(Value::Object(claims)) if claims.len() <= MAX_CLAIMS => {
            claims.iter().map(|(name, wish)| Some((name.clone(), read_wish(wish)?))).collect()
        }
        Some(_) => None,
    }
}

fn read_wish(wish: &Value) -> Option<Wish> {
    let members = match wish {
        Value::Null => return Some(Wish::default()),
        Value::Object(members) => members,
        _ => return None,
    };
    let essential = members.get("essential").map_or(Some(false), Value::as_bool)?;
    let mut values = Vec::new();
    if let Some(value) = members.get("value") {
        values.extend(value.as_str().map(str::to_owned));
    }
    if let Some(list) = members.get("values") {
        values.extend(list.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned));
    }
    Some(Wish { essential, values })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wishes_are_read() {
        let request = ClaimsRequest::parse(
            r#"{"userinfo":{"email":{"essential":true},"name":null,"http://example.info/claims/groups":null},
                "id_token":{"auth_time":{"essential":true},"acr":{"essential":true,"values":["aal2","aal1"]},
                            "sub":{"value":"24400320"}},"other":1}"#,
        )
        .unwrap();
        assert_eq!(request.userinfo["email"], Wish { essential: true, values: Vec::new() });
        assert_eq!(request.userinfo["name"], Wish::default());
        assert_eq!(request.essential_acr_values(), ["aal2", "aal1"]);
        assert_eq!(request.subject(), Some("24400320"));
        assert_eq!(ClaimsRequest::parse("{}"), Ok(ClaimsRequest::default()));
    }

    #[test]
    fn what_is_malformed_repeated_or_huge_is_refused() {
        for text in [
            "",
            "null",
            "[]",
            "\"a\"",
            "{\"id_token\":1}",
            "{\"id_token\":{\"acr\":true}}",
            "{\"id_token\":{\"acr\":{\"essential\":\"yes\"}}}",
            "{\"id_token\":{\"acr\":{\"values\":\"aal1\"}}}",
            "{\"id_token\":{},\"id_token\":{}}",
            "{\"id_token\":{\"acr\":null,\"acr\":null}}",
            "{} {}",
        ] {
            assert!(ClaimsRequest::parse(text).is_err(), "{text}");
        }
        assert!(ClaimsRequest::parse(&format!("{{\"id_token\":{}", "{\"a\":".repeat(700))).is_err());
        assert!(ClaimsRequest::parse(&format!("{{{}}}", " ".repeat(MAX_BYTES))).is_err());
        let many = (0..=MAX_CLAIMS).map(|number| format!("\"c{number}\":null")).collect::<Vec<_>>().join(",");
        assert!(ClaimsRequest::parse(&format!("{{\"id_token\":{{{many}}}}}")).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[{}\\[\\]\":,a-z0-9 ]{0,64}") {
            let _ = ClaimsRequest::parse(&text);
        }
    }
}
