//! Reads one member of a registration after the other and collects what is wrong.

use serde_json::{Map, Value};

use crate::error::ErrorCode;
use crate::uri::Uri;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field, with its place in a list: `redirect_uris[2]`.
    pub field: String,
    /// `invalid_redirect_uri` or `invalid_client_metadata` (RFC 7591 section 3.2.2).
    pub code: ErrorCode,
    /// What is wrong, continuing the field's name. Never repeats the value.
    pub message: String,
}

impl Problem {
    /// A problem of a field.
    pub(super) fn new(field: impl Into<String>, message: &(impl ToString + ?Sized)) -> Self {
        let field = field.into();
        let code = if field.starts_with("redirect_uris") {
            ErrorCode::InvalidRedirectUri
        } else {
            ErrorCode::InvalidClientMetadata
        };
        Self { field, code, message: message.to_string() }
    }
}

impl Problem {
    /// Whether both are about one field or entries of it.
    pub(super) fn is_about_field_of(&self, other: &Self) -> bool {
        let base = |problem: &Self| problem.field.split('[').next().map(str::to_owned);
        base(self) == base(other)
    }
}

/// The members of a registration. `null` counts as left out (RFC 7592 section 2.2).
pub(super) struct Reader<'a> {
    members: &'a Map<String, Value>,
    pub(super) seen: Vec<&'static str>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(members: &'a Map<String, Value>) -> Self {
        Self { members, seen: Vec::new(), problems: Vec::new() }
    }

    pub(super) fn member(&mut self, field: &'static str) -> Option<&'a Value> {
        self.seen.push(field);
        self.members.get(field).filter(|value| !value.is_null())
    }

    /// Whether a member is there, whatever it is.
    pub(super) fn has(&self, field: &str) -> bool {
        self.members.get(field).is_some_and(|value| !value.is_null())
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers hand over errors they have no other use for")]
    pub(super) fn refuse(&mut self, field: impl Into<String>, message: impl ToString) {
        self.problems.push(Problem::new(field, &message));
    }

    pub(super) fn text(&mut self, field: &'static str) -> Option<&'a str> {
        let value = self.member(field)?;
        if !value.is_string() {
            self.refuse(field, "is no text");
        }
        value.as_str()
    }

    /// A text that a rule reads; what the rule refuses is a problem.
    pub(super) fn parsed<T, E: ToString>(
        &mut self,
        field: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(field)?;
        parse(text).map_err(|error| self.refuse(field, error)).ok()
    }

    /// One word out of a few.
    pub(super) fn word<T>(&mut self, field: &'static str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.parsed(field, |text| parse(text).ok_or("is none of the values that exist"))
    }

    pub(super) fn flag(&mut self, field: &'static str) -> Option<bool> {
        let value = self.member(field)?;
        if !value.is_boolean() {
            self.refuse(field, "is neither true nor false");
        }
        value.as_bool()
    }

    pub(super) fn number(&mut self, field: &'static str) -> Option<u32> {
        let value = self.member(field)?;
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            self.refuse(field, "is no whole number of seconds");
        }
        number
    }

    /// A list of texts, each of which a rule reads; none unless all can be read.
    pub(super) fn list<T, E: ToString>(
        &mut self,
        field: &'static str,
        most: usize,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let value = self.member(field)?;
        let Some(list) = value.as_array().filter(|list| list.iter().all(Value::is_string)) else {
            self.refuse(field, "is no list of texts");
            return None;
        };
        if list.len() > most {
            self.refuse(field, format!("has more than {most} entries"));
            return None;
        }
        let mut read = Vec::with_capacity(list.len());
        let before = self.problems.len();
        for (index, text) in list.iter().filter_map(Value::as_str).enumerate() {
            match parse(text) {
                Ok(value) => read.push(value),
                Err(error) => self.refuse(format!("{field}[{index}]"), error),
            }
        }
        (self.problems.len() == before).then_some(read)
    }

    /// An address that browsers or the server will call.
    pub(super) fn address(&mut self, field: &'static str) -> Option<String> {
        self.parsed(field, |text| {
            let uri = Uri::parse(text).map_err(|error| error.to_string())?;
            match (uri.scheme, uri.authority) {
                ("https", Some(_)) => Ok(text.to_owned()),
                ("http", Some(authority)) if authority.host.is_loopback() => Ok(text.to_owned()),
                _ => Err("is no https address".to_owned()),
            }
        })
    }

    /// A problem for every member that nobody asked for.
    pub(super) fn refuse_unknown(&mut self) {
        let unknown: Vec<&String> = self.members.keys().filter(|name| !self.seen.contains(&name.as_str())).collect();
        for name in unknown {
            self.refuse(name.clone(), "does not exist");
        }
    }
}
