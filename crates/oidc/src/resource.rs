//! Which service a token is for: resource indicators (RFC 8707).

use std::fmt;

use serde::{Serialize, Serializer};

use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::uri::{Uri, UriError};

/// More are not read in one request, and not registered for one client.
pub const MAX_RESOURCES: usize = 20;

/// The name of a service: an absolute URI without fragment (RFC 8707 section 2). Compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource(String);

impl Resource {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let uri = Uri::parse(text)?;
        // `a:` names nothing.
        if uri.authority.is_none() && uri.path.is_empty() {
            return Err(UriError::Path);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// The resources a request names, each of which must be `allowed`; each once. Empty when none is named.
///
/// At the authorization endpoint `allowed` is what the client registered; at the token endpoint it is what the grant
/// was given for (RFC 8707 section 2.2). Everything else is `invalid_target`.
pub fn requested(parameters: &Parameters, allowed: &[Resource]) -> Result<Vec<Resource>, OAuthError> {
    let mut resources = Vec::new();
    for text in parameters.list("resource") {
        let resource = allowed.iter().find(|resource| resource.as_str() == text);
        let resource = resource.ok_or(OAuthError::new(ErrorCode::InvalidTarget, "a resource is not allowed"))?;
        if !resources.contains(resource) {
            resources.push(resource.clone());
        }
    }
    Ok(resources)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: V9.2.4
    #[test]
    fn only_allowed_resources_are_taken_and_each_once() {
        let allowed = [Resource::parse("https://api.example").unwrap(), Resource::parse("urn:example:orders").unwrap()];
        let requested = |text: &str| {
            let resources = requested(&Parameters::parse(text.as_bytes()).unwrap(), &allowed);
            resources.map(|resources| resources.iter().map(Resource::to_string).collect::<Vec<_>>())
        };
        assert_eq!(requested(""), Ok(Vec::new()));
        assert_eq!(
            requested("resource=urn:example:orders&resource=https://api.example&resource=urn:example:orders"),
            Ok(vec!["urn:example:orders".to_owned(), "https://api.example".to_owned()])
        );
        for text in
            ["https://api.example/", "https://API.example", "https://api.example%23f", "x", "https://evil.example"]
        {
            let error = requested(&format!("resource=https://api.example&resource={text}")).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidTarget, "{text}");
        }
    }

    #[test]
    fn a_resource_is_an_absolute_uri_without_fragment() {
        for text in ["", "api", "/api", "https://api.example#f", "https://", "urn:", "https://u@api.example"] {
            assert!(Resource::parse(text).is_err(), "{text}");
        }
    }
}
