//! `FormBody<T>`: what a page posts.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use doorward_model::secret::SecretText;
use http::HeaderMap;
use serde_json::Value;
use zeroize::Zeroizing;

use super::fields::{Fields, FromFields};
use super::{is_content_type, read_body};
use crate::edge::context::RequestContext;
use crate::problem::{Code, FieldError, Problem};

const MAX_FIELDS: usize = 64;

/// A posted form whose token is checked. Complaints are values, because the page shows them beside the fields.
#[derive(Debug)]
pub struct FormBody<T> {
    /// What the form says, or every complaint about it.
    pub result: Result<T, Vec<FieldError>>,
    /// What was typed, to be shown again. Never show a password again.
    pub values: FormValues,
    marker: PhantomData<T>,
}

/// What was typed into a form, by field.
#[derive(Clone)]
pub struct FormValues(BTreeMap<String, SecretText>);

impl FormValues {
    /// What was typed into the field `name`; empty when there is no such field.
    pub fn typed(&self, name: &str) -> &str {
        self.0.get(name).map_or("", SecretText::reveal)
    }
}

impl std::fmt::Debug for FormValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The fields of a form as sent.
pub struct FormFields(BTreeMap<String, Zeroizing<String>>);

impl FormFields {
    pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
        let is_form = is_content_type(headers, "application/x-www-form-urlencoded");
        if is_form { Ok(()) } else { Err(Code::UnsupportedMediaType.into()) }
    }

    /// Reads `application/x-www-form-urlencoded` strictly: UTF-8, whole escapes, each name once.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let mut fields = BTreeMap::new();
        for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = (&pair[..at], pair.get(at + 1..).unwrap_or_default());
            let (Some(name), Some(value)) = (decode(name), decode(value)) else {
                return Err(Code::MalformedRequest.into());
            };
            let is_new = fields.insert(name.to_string(), value).is_none();
            if !is_new || fields.len() > MAX_FIELDS {
                return Err(Code::MalformedRequest.into());
            }
        }
        Ok(Self(fields))
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Zeroizing<String>> {
        self.0.remove(name)
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter().map(|(name, value)| (name, value.to_string()))
    }

    fn into_body<T: FromFields>(self) -> FormBody<T> {
        let typed = self.0.iter().map(|(name, value)| (name.clone(), SecretText::new(value.to_string())));
        let values = FormValues(typed.collect());
        // An empty text input is a field that was left out.
        let filled = self.0.into_iter().filter(|(_, value)| !value.is_empty());
        let fields = Fields::new(filled.map(|(name, value)| (name, Value::String(value.to_string()))));
        FormBody { result: fields.read(), values, marker: PhantomData }
    }
}

fn decode(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        decoded.push(match *byte {
            b'+' => b' ',
            b'%' => (hex_digit(*rest.next()?)? << 4) | hex_digit(*rest.next()?)?,
            // Everything else that is not text would have been escaped.
            0x21..=0x7e => *byte,
            _ => return None,
        });
    }
    std::str::from_utf8(&decoded).ok().map(|text| Zeroizing::new(text.to_owned()))
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

impl<T: FromFields, S: Send + Sync> FromRequest<S> for FormBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let context: Arc<RequestContext> = request.extensions().get().cloned().ok_or(Code::InternalError)?;
        if let Some(form) = context.take_form() {
            return Ok(form.into_body());
        }
        // Routes without a form rule (machines that post forms) have the body still to read.
        let (parts, body) = request.into_parts();
        FormFields::check_content_type(&parts.headers)?;
        Ok(FormFields::parse(&read_body(body, context.body_timeout).await?)?.into_body())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value_of(text: &str) -> Option<String> {
        FormFields::parse(text.as_bytes()).ok()?.take("a").map(|value| value.to_string())
    }

    #[test]
    fn a_form_is_read() {
        for (text, expected) in [
            ("a=b", "b"),
            ("a=", ""),
            ("a", ""),
            ("x=1&a=b%20+c%C3%A9&y=", "b  c\u{e9}"),
            ("a=b=c", "b=c"),
            ("&a=b&", "b"),
        ] {
            assert_eq!(value_of(text).as_deref(), Some(expected), "{text}");
        }
    }

    /// Proves: V1.5.3, V15.3.7
    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let many = (0..65).map(|n| format!("f{n}=1")).collect::<Vec<_>>().join("&");
        for text in [
            "a=1&a=2",
            "a=1&%61=2",
            "a=%",
            "a=%1",
            "a=%zz",
            "a=%ff",
            "a=%c0%af",
            "a=%ed%a0%80",
            "%ff=1",
            "a=\u{e9}",
            "a=b c",
            "a=b\nc",
            "a=\0",
            "a=1&a",
            many.as_str(),
        ] {
            let refused = FormFields::parse(text.as_bytes()).err().map(|problem| problem.code());
            assert_eq!(refused, Some(Code::MalformedRequest), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_a_browser_encodes_reads_back(name in "[a-z]{1,8}", value in any::<String>()) {
            let text = url::form_urlencoded::Serializer::new(String::new()).append_pair(&name, &value).finish();
            let mut form = FormFields::parse(text.as_bytes()).unwrap();
            let read = form.take(&name).map(|read| read.to_string());
            prop_assert_eq!(read, Some(value));
        }
    }
}
