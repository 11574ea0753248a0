//! `?limit=` and `?cursor=` of lists.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde_json::Value;

use crate::body::{Fields, FormFields, FromFields};
use crate::problem::Problem;

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;
const MAX_CURSOR_BYTES: usize = 512;

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// At most so many, 1–100.
    pub limit: u32,
    /// Where the last part ended, as told by `next_cursor`. Not yet checked beyond its characters.
    pub cursor: Option<String>,
}

impl FromFields for ListQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let limit = fields.optional_as("limit", |text: String| parse_limit(&text));
        let cursor = fields.optional_as("cursor", parse_cursor);
        Some(Self { limit: limit?.unwrap_or(DEFAULT_LIMIT), cursor: cursor? })
    }
}

fn parse_limit(text: &str) -> Result<u32, (&'static str, &'static str)> {
    let is_plain = text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let limit = text.parse::<u32>().ok().filter(|limit| is_plain && (1..=MAX_LIMIT).contains(limit));
    limit.ok_or(("out_of_range", "A whole number from 1 to 100 is expected."))
}

fn parse_cursor(text: String) -> Result<String, (&'static str, &'static str)> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let is_cursor = text.len() <= MAX_CURSOR_BYTES && text.bytes().all(is_plain);
    if is_cursor { Ok(text) } else { Err(("invalid_cursor", "This is not a cursor of this list.")) }
}

impl<S: Send + Sync> FromRequestParts<S> for ListQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = FormFields::parse(parts.uri.query().unwrap_or_default().as_bytes())?;
        let values = query.into_values().map(|(name, value)| (name, Value::String(value)));
        Fields::new(values).read().map_err(Problem::validation)
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::problem::Code;

    fn read(query: &str) -> Result<ListQuery, (Code, String)> {
        let (mut parts, ()) = Request::get(format!("/list?{query}")).body(()).unwrap().into_parts();
        let reading = ListQuery::from_request_parts(&mut parts, &());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(read) = std::pin::pin!(reading).poll(&mut context) else { panic!("never waits") };
        read.map_err(|problem| {
            let pointer = problem.errors().first().map(|error| error.pointer.clone());
            (problem.code(), pointer.unwrap_or_default())
        })
    }

    #[test]
    fn a_list_has_a_size_within_bounds_and_a_place() {
        assert_eq!(read(""), Ok(ListQuery { limit: 20, cursor: None }));
        assert_eq!(read("limit=1"), Ok(ListQuery { limit: 1, cursor: None }));
        assert_eq!(read("cursor=aZ-_9&limit=100"), Ok(ListQuery { limit: 100, cursor: Some("aZ-_9".into()) }));
    }

    /// Proves: A-147, S-177, V1.4.2
    #[test]
    fn every_other_size_place_and_parameter_is_refused() {
        let long = format!("cursor={}", "x".repeat(513));
        for (query, pointer) in [
            ("limit=0", "/limit"),
            ("limit=101", "/limit"),
            ("limit=-1", "/limit"),
            ("limit=+1", "/limit"),
            ("limit=1e2", "/limit"),
            ("limit=1000000000000000000", "/limit"),
            ("limit=9223372036854775808", "/limit"),
            ("limit=1e400", "/limit"),
            ("limit=NaN", "/limit"),
            ("limit=01", "/limit"),
            ("limit=%31%00", "/limit"),
            ("cursor=a%20b", "/cursor"),
            ("cursor=%27%20OR%201=1", "/cursor"),
            (long.as_str(), "/cursor"),
            ("offset=10", "/offset"),
            ("sort=password", "/sort"),
            ("access_token=x", "/access_token"),
        ] {
            assert_eq!(read(query), Err((Code::ValidationFailed, pointer.to_owned())), "{query}");
        }
        assert_eq!(read("limit=1&limit=2"), Err((Code::MalformedRequest, String::new())));
        assert_eq!(read("limit=%ff"), Err((Code::MalformedRequest, String::new())));
    }
}
