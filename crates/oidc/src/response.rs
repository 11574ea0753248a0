//! The answer of the authorization endpoint, on its way back to the client (RFC 6749 section 4.1.2, RFC 9207, OAuth
//! 2.0 Form Post Response Mode).

use crate::error::OAuthError;
use crate::parameters::form;

/// How the answer travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the redirect URI: the default of `code` (OAuth 2.0 Multiple Response Types 2.1).
    #[default]
    Query,
    /// In a form that the browser posts by itself.
    FormPost,
}

impl ResponseMode {
    /// The modes on the wire.
    pub const VALUES: [&'static str; 2] = ["query", "form_post"];

    /// Reads the parameter. A fragment would hand the code to scripts and is not offered.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "query" => Some(Self::Query),
            "form_post" => Some(Self::FormPost),
            _ => None,
        }
    }

    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }
}

/// Where the answer goes: a redirect URI that was found among the client's, so that redirecting there is safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The redirect URI of the request, proved to be the client's.
    pub redirect_uri: String,
    /// How the answer travels.
    pub mode: ResponseMode,
    /// What the client wants back untouched.
    pub state: Option<String>,
}

/// What the browser is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationResponse {
    /// Go to this address (303).
    Redirect(String),
    /// Post these fields to this address.
    FormPost {
        /// The address.
        action: String,
        /// Names and values; escape them where they are shown.
        fields: Vec<(&'static str, String)>,
    },
}

impl Destination {
    /// A code (RFC 6749 section 4.1.2). `session_state` and tokens are never part of it.
    pub fn code(&self, code: &str, issuer: &str) -> AuthorizationResponse {
        self.answer(vec![("code", code.to_owned())], issuer)
    }

    /// An error (RFC 6749 section 4.1.2.1).
    pub fn error(&self, error: OAuthError, issuer: &str) -> AuthorizationResponse {
        let fields =
            vec![("error", error.code.as_str().to_owned()), ("error_description", error.description.to_owned())];
        self.answer(fields, issuer)
    }

    /// Adds `state` and, in every answer, `iss` (RFC 9207 section 2).
    fn answer(&self, mut fields: Vec<(&'static str, String)>, issuer: &str) -> AuthorizationResponse {
        if let Some(state) = &self.state {
            fields.push(("state", state.clone()));
        }
        fields.push(("iss", issuer.to_owned()));
        match self.mode {
            ResponseMode::FormPost => AuthorizationResponse::FormPost { action: self.redirect_uri.clone(), fields },
            ResponseMode::Query => AuthorizationResponse::Redirect(self.with_query(&fields)),
        }
    }

    /// A query that the redirect URI brings along is kept (RFC 6749 section 3.1.2).
    fn with_query(&self, fields: &[(&'static str, String)]) -> String {
        let mut query = String::new();
        for (name, value) in fields {
            form::append_pair(&mut query, name, value);
        }
        let separator = match self.redirect_uri.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, own)) if own.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{separator}{query}", self.redirect_uri)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorCode;
    use crate::parameters::Parameters;

    const ISSUER: &str = "https://id.example";

    fn destination(redirect_uri: &str, mode: ResponseMode, state: Option<&str>) -> Destination {
        Destination { redirect_uri: redirect_uri.to_owned(), mode, state: state.map(str::to_owned) }
    }

    /// Proves: A-87
    #[test]
    fn every_answer_names_the_issuer_and_returns_the_state() {
        let error = OAuthError::new(ErrorCode::LoginRequired, "nobody is signed in");
        for mode in [ResponseMode::Query, ResponseMode::FormPost] {
            let to = destination("https://app.example/cb", mode, Some("a&b=c d\u{e4}"));
            for answer in [to.code("xyz", ISSUER), to.error(error, ISSUER)] {
                let pairs = match answer {
                    AuthorizationResponse::FormPost { action, fields } => {
                        assert_eq!(action, "https://app.example/cb");
                        Parameters::from_pairs(fields.into_iter().map(|(name, value)| (name.to_owned(), value)))
                    }
                    AuthorizationResponse::Redirect(to) => {
                        let query = to.strip_prefix("https://app.example/cb?").unwrap();
                        Parameters::parse(query.as_bytes()).unwrap()
                    }
                };
                assert_eq!(pairs.find("iss"), Some(ISSUER));
                assert_eq!(pairs.find("state"), Some("a&b=c d\u{e4}"));
                assert!(pairs.find("code") == Some("xyz") || pairs.find("error") == Some("login_required"));
                assert!(pairs.refuse_repeated().is_ok());
            }
        }
    }

    #[test]
    fn a_query_of_the_redirect_uri_is_kept() {
        let answer = |uri: &str| destination(uri, ResponseMode::Query, None).code("c", ISSUER);
        for (uri, expected) in [
            ("https://app.example", "https://app.example?code=c&iss=https%3A%2F%2Fid.example"),
            ("https://app.example/cb?", "https://app.example/cb?code=c&iss=https%3A%2F%2Fid.example"),
            ("https://app.example/cb?a=b", "https://app.example/cb?a=b&code=c&iss=https%3A%2F%2Fid.example"),
            ("https://app.example/cb?a=b&", "https://app.example/cb?a=b&code=c&iss=https%3A%2F%2Fid.example"),
            ("com.example:/cb", "com.example:/cb?code=c&iss=https%3A%2F%2Fid.example"),
        ] {
            assert_eq!(answer(uri), AuthorizationResponse::Redirect(expected.to_owned()));
        }
    }

    /// Proves: A-88, V10.4.12
    #[test]
    fn only_query_and_form_post_are_modes() {
        for mode in ResponseMode::VALUES {
            assert_eq!(ResponseMode::parse(mode).map(ResponseMode::as_str), Some(mode));
        }
        for mode in ["fragment", "web_message", "query.jwt", "Query", ""] {
            assert_eq!(ResponseMode::parse(mode), None, "{mode}");
        }
    }

    proptest! {
        #[test]
        fn no_state_breaks_out_of_the_query(state: String) {
            let to = destination("https://app.example/cb", ResponseMode::Query, Some(&state));
            let AuthorizationResponse::Redirect(location) = to.code("c", ISSUER) else { panic!("not a redirect") };
            prop_assert!(location.bytes().all(|byte| byte.is_ascii_graphic()) && !location.contains('#'));
            let query = location.split_once('?').unwrap().1;
            let expected = (!state.is_empty()).then_some(state.as_str());
            let read = Parameters::parse(query.as_bytes()).unwrap();
            prop_assert_eq!(read.find("state"), expected);
        }
    }
}
