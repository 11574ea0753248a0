//! A token for a token (RFC 8693): narrowing, and acting for somebody else with `act`.

use doorward_model::secret::SecretText;
use serde_json::{Value, json};

use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::resource::Resource;
use crate::scope::Scope;

/// The one kind of token that is taken and given (RFC 8693 section 3).
pub const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";
/// No chain of actors is longer.
pub const MAX_ACTORS: usize = 4;

/// What a client asks for.
#[derive(Clone, Debug)]
pub struct ExchangeRequest {
    /// The token of the person the new one is about.
    pub subject_token: SecretText,
    /// The token of whoever will act, if it is not the client itself.
    pub actor_token: Option<SecretText>,
    /// What is asked for; all that the subject token has, when none is named.
    pub scope: Option<Scope>,
    /// The services the new token is for, all of them allowed for the client.
    pub resources: Vec<Resource>,
}

impl ExchangeRequest {
    /// Reads the parameters of RFC 8693 section 2.1. `allowed` are the services the client may name; `audience` names
    /// them as `resource` does.
    pub fn read(parameters: &Parameters, allowed: &[Resource]) -> Result<Self, OAuthError> {
        let invalid = OAuthError::invalid_request;
        let subject_token =
            token(parameters, "subject_token", "subject_token_type")?.ok_or(invalid("subject_token is missing"))?;
        let actor_token = token(parameters, "actor_token", "actor_token_type")?;
        if parameters.find("requested_token_type").is_some_and(|kind| kind != ACCESS_TOKEN_TYPE) {
            return Err(invalid("requested_token_type must be the one for access tokens"));
        }
        let malformed = OAuthError::new(ErrorCode::InvalidScope, "the scope is malformed");
        let scope = parameters.find("scope").map(|text| Scope::parse(text).map_err(|_| malformed)).transpose()?;
        let mut resources: Vec<Resource> = Vec::new();
        for name in parameters.list("resource").chain(parameters.list("audience")) {
            let resource = allowed.iter().find(|resource| resource.as_str() == name);
            let refused = OAuthError::new(ErrorCode::InvalidTarget, "a resource or audience is not allowed");
            let resource = resource.ok_or(refused)?;
            if !resources.contains(resource) {
                resources.push(resource.clone());
            }
        }
        Ok(Self { subject_token, actor_token, scope, resources })
    }

    /// The scope of the new token: never more than the subject token has and the client may ask for.
    pub fn narrowed(&self, held: &Scope, registered: &Scope) -> Result<Scope, OAuthError> {
        let most = held.intersection(registered);
        match &self.scope {
            None => Ok(most),
            Some(asked) if asked.is_within(&most) => Ok(asked.clone()),
            Some(_) => Err(OAuthError::new(ErrorCode::InvalidScope, "the scope is more than the token has")),
        }
    }
}

/// A token and its type come together (RFC 8693 section 2.1).
fn token(parameters: &Parameters, name: &str, kind: &str) -> Result<Option<SecretText>, OAuthError> {
    match (parameters.find(name), parameters.find(kind)) {
        (Some(token), Some(ACCESS_TOKEN_TYPE)) => Ok(Some(SecretText::new(token.to_owned()))),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(OAuthError::invalid_request("only access tokens are exchanged")),
        _ => Err(OAuthError::invalid_request("a token and its type must come together")),
    }
}

/// Who acts, and through whom (RFC 8693 section 4.1): the first is the one who acts now, the others only tell how it
/// came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actors {
    subjects: Vec<String>,
}

impl Actors {
    /// Reads the `act` claim of a token, or its absence.
    pub fn parse(act: Option<&Value>) -> Option<Self> {
        let mut subjects = Vec::new();
        let mut next = act;
        while let Some(actor) = next {
            if subjects.len() == MAX_ACTORS {
                return None;
            }
            subjects.push(actor.as_object()?.get("sub")?.as_str()?.to_owned());
            next = actor.get("act");
        }
        Some(Self { subjects })
    }

    /// The chain after somebody else has taken over.
    pub fn delegate(&self, actor: &str) -> Result<Self, OAuthError> {
        if self.subjects.len() >= MAX_ACTORS {
            return Err(OAuthError::invalid_request("too many have acted for this person already"));
        }
        let subjects = std::iter::once(actor.to_owned()).chain(self.subjects.iter().cloned()).collect();
        Ok(Self { subjects })
    }

    /// The one who acts now.
    pub fn current(&self) -> Option<&str> {
        self.subjects.first().map(String::as_str)
    }

    /// The `act` claim; none when nobody acts for anybody.
    pub fn to_claim(&self) -> Option<Value> {
        self.subjects.iter().rev().fold(None, |inner, subject| {
            let mut actor = json!({ "sub": subject });
            if let Some(inner) = inner {
                actor["act"] = inner;
            }
            Some(actor)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ExchangeRequest, ErrorCode> {
        let allowed = [Resource::parse("https://api.example").unwrap()];
        let parameters = Parameters::parse(text.as_bytes()).unwrap();
        ExchangeRequest::read(&parameters, &allowed).map_err(|error| error.code)
    }

    /// Proves: A-113, V9.2.4
    #[test]
    fn only_access_tokens_for_allowed_services_are_exchanged() {
        let kind = ACCESS_TOKEN_TYPE;
        let good = format!("subject_token=a&subject_token_type={kind}");
        let full = format!("{good}&actor_token=b&actor_token_type={kind}&audience=https://api.example&scope=x");
        let request = read(&full).unwrap();
        assert_eq!((request.resources.len(), request.actor_token.is_some()), (1, true));
        for (text, code) in [
            (String::new(), ErrorCode::InvalidRequest),
            ("subject_token=a".to_owned(), ErrorCode::InvalidRequest),
            (format!("subject_token_type={kind}"), ErrorCode::InvalidRequest),
            (
                "subject_token=a&subject_token_type=urn:ietf:params:oauth:token-type:id_token".to_owned(),
                ErrorCode::InvalidRequest,
            ),
            (format!("{good}&actor_token=b"), ErrorCode::InvalidRequest),
            (format!("{good}&actor_token_type={kind}"), ErrorCode::InvalidRequest),
            (
                format!("{good}&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token"),
                ErrorCode::InvalidRequest,
            ),
            (format!("{good}&audience=https://other.example"), ErrorCode::InvalidTarget),
            (format!("{good}&resource=https://api.example&resource=https://other.example"), ErrorCode::InvalidTarget),
            (format!("{good}&scope=a++b"), ErrorCode::InvalidScope),
        ] {
            assert_eq!(read(&text).err(), Some(code), "{text}");
        }
    }

    /// Proves: A-113
    #[test]
    fn a_new_token_never_allows_more() {
        let scope = |text: &str| Scope::parse(text).unwrap();
        let good = format!("subject_token=a&subject_token_type={ACCESS_TOKEN_TYPE}");
        for (asked, expected) in [
            ("", Some("orders profile")),
            ("&scope=orders", Some("orders")),
            ("&scope=orders+email", None),
            ("&scope=admin", None),
        ] {
            let request = read(&format!("{good}{asked}")).unwrap();
            let narrowed = request.narrowed(&scope("orders profile email"), &scope("orders profile admin"));
            assert_eq!(narrowed.ok().map(|scope| scope.to_string()).as_deref(), expected, "{asked}");
        }
    }

    /// Proves: A-113
    #[test]
    fn a_chain_of_actors_is_kept_and_has_an_end() {
        let one = Actors::default().delegate("one").unwrap();
        let two = one.delegate("two").unwrap();
        assert_eq!(two.to_claim(), Some(json!({"sub": "two", "act": {"sub": "one"}})));
        assert_eq!(two.current(), Some("two"));
        assert_eq!(Actors::parse(two.to_claim().as_ref()), Some(two.clone()));
        assert_eq!(Actors::parse(None), Some(Actors::default()));
        assert_eq!(Actors::default().to_claim(), None);
        let four = two.delegate("three").unwrap().delegate("four").unwrap();
        assert!(four.delegate("five").is_err());
        let five = json!({"sub": "five", "act": four.to_claim()});
        assert_eq!(Actors::parse(Some(&five)), None);
        for wrong in [json!("one"), json!({}), json!({"sub": 1}), json!({"sub": "a", "act": []})] {
            assert_eq!(Actors::parse(Some(&wrong)), None, "{wrong}");
        }
    }
}
