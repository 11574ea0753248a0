//! The parameters of a request, in a query or a form body (RFC 6749 appendix B), read strictly.
//!
//! A parameter that is sent without a value counts as omitted (RFC 6749 section 3.1); one that is sent twice is never
//! answered with either value. Unknown ones are ignored.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::error::{ErrorCode, OAuthError};

pub(crate) mod form;

/// No request has more bytes of parameters.
pub const MAX_BYTES: usize = 32 * 1024;
/// No request has more parameters.
pub const MAX_COUNT: usize = 64;
/// What may be sent several times: RFC 8707 section 2, RFC 8693 section 2.1.
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// A request whose parameters cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParametersError {
    /// More than [`MAX_BYTES`].
    #[error("the request is too large")]
    TooLarge,
    /// More than [`MAX_COUNT`].
    #[error("the request has too many parameters")]
    TooMany,
    /// A broken percent sign, or bytes that are no UTF-8.
    #[error("the request is not form-encoded UTF-8")]
    Malformed,
    /// Parameters in the address of a request that has a body (RFC 6749 section 2.3.1 and 3.2).
    #[error("parameters belong into the body of this request")]
    InQuery,
}

impl From<ParametersError> for OAuthError {
    fn from(error: ParametersError) -> Self {
        Self::new(
            ErrorCode::InvalidRequest,
            match error {
                ParametersError::TooLarge => "the request is too large",
                ParametersError::TooMany => "the request has too many parameters",
                ParametersError::Malformed => "the request is not form-encoded UTF-8",
                ParametersError::InQuery => "parameters belong into the body of this request",
            },
        )
    }
}

/// The parameters of one request. `Debug` shows their names only: values may be secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    pairs: Vec<(String, Zeroizing<String>)>,
}

impl Parameters {
    /// Reads a query (without `?`) or a body.
    pub fn parse(text: &[u8]) -> Result<Self, ParametersError> {
        Self::parse_up_to(MAX_BYTES, text)
    }

    /// Reads what [`Self::to_form`] wrote.
    pub fn parse_kept(text: &str) -> Result<Self, ParametersError> {
        // Encoding makes three bytes of one at most.
        Self::parse_up_to(3 * MAX_BYTES, text.as_bytes())
    }

    fn parse_up_to(most_bytes: usize, text: &[u8]) -> Result<Self, ParametersError> {
        if text.len() > most_bytes {
            return Err(ParametersError::TooLarge);
        }
        let mut pairs = Vec::new();
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == MAX_COUNT {
                return Err(ParametersError::TooMany);
            }
            let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = (pair.get(..equals), pair.get(equals + 1..).unwrap_or_default());
            let name = name.and_then(form::decode).ok_or(ParametersError::Malformed)?;
            let value = form::decode(value).ok_or(ParametersError::Malformed)?;
            pairs.push((name, Zeroizing::new(value)));
        }
        Ok(Self { pairs })
    }

    /// Reads the body of a request whose address may bring no parameters of its own.
    pub fn parse_body(query: Option<&str>, body: &[u8]) -> Result<Self, ParametersError> {
        if query.is_some_and(|query| !query.is_empty()) {
            return Err(ParametersError::InQuery);
        }
        Self::parse(body)
    }

    /// From pairs that were read elsewhere (the members of a signed request object).
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { pairs: pairs.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect() }
    }

    /// All but those of these names.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let mut pairs = self.pairs.clone();
        pairs.retain(|(name, _)| !names.contains(&name.as_str()));
        Self { pairs }
    }

    /// The same with one more.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.pairs.push((name.to_owned(), Zeroizing::new(value.to_owned())));
        self
    }

    /// The value of a parameter; none when it is missing, empty or sent more than once.
    pub fn find(&self, name: &str) -> Option<&str> {
        let mut values = self.list(name);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// Every value of a parameter that may be sent several times.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.pairs.iter().filter(move |(found, _)| found == name);
        named.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether a parameter was sent with a value at all.
    pub fn contains(&self, name: &str) -> bool {
        self.list(name).next().is_some()
    }

    /// Fails when a parameter is sent more than once (RFC 6749 section 3.1 and 3.2), even with the same or no value.
    pub fn refuse_repeated(&self) -> Result<(), OAuthError> {
        let mut names: Vec<&str> = self.pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.retain(|name| !REPEATABLE.contains(name));
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, "a parameter is sent more than once"));
        }
        Ok(())
    }

    /// The parameters as a form body that [`Self::parse_kept`] reads back the same: how a pushed request is kept.
    pub fn to_form(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for (name, value) in &self.pairs {
            form::append_pair(&mut text, name, value);
        }
        text
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests;
