//! A request's fields, taken one by one. Every complaint is collected, and what nobody took is unknown.

use std::collections::BTreeMap;

use doorward_model::secret::SecretText;
use serde_json::Value;

use crate::problem::FieldError;

/// How many complaints one answer lists.
const MAX_ERRORS: usize = 32;

/// A request body that is made from fields.
///
/// Take every field first, then build the value: that way all complaints are told at once.
pub trait FromFields: Sized {
    /// Takes the fields; `None` when there was a complaint.
    fn from_fields(fields: &mut Fields) -> Option<Self>;
}

/// A type that one field can hold.
pub trait FieldValue: Sized {
    /// From a JSON value; `None` when it is of another type.
    fn from_json(value: Value) -> Option<Self>;
}

/// What a request says about a field that may stay as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// Absent: leave it.
    Keep,
    /// `null`: take it away.
    Clear,
    /// A new value.
    Set(T),
}

/// The fields of a request that are not taken yet, and the complaints so far.
pub struct Fields {
    values: BTreeMap<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    pub(crate) fn new(values: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self { values: values.into_iter().collect(), errors: Vec::new() }
    }

    /// Takes a field that must be there.
    pub fn required<T: FieldValue>(&mut self, name: &str) -> Option<T> {
        self.required_as(name, Ok)
    }

    /// Takes a field that must be there and is read by `parse`, which says what is wrong as a code and a message.
    pub fn required_as<R: FieldValue, T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(R) -> Result<T, (&'static str, &'static str)>,
    ) -> Option<T> {
        let found = self.optional_as(name, parse)?;
        if found.is_none() {
            self.complain(name, "required", "This field is required.");
        }
        found
    }

    /// Takes a field that may be absent or `null`. The outer `None` means a complaint.
    pub fn optional<T: FieldValue>(&mut self, name: &str) -> Option<Option<T>> {
        self.optional_as(name, Ok)
    }

    /// Takes a field that may be absent or `null`, else is read by `parse`. The outer `None` means a complaint.
    pub fn optional_as<R: FieldValue, T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(R) -> Result<T, (&'static str, &'static str)>,
    ) -> Option<Option<T>> {
        let Some(value) = self.values.remove(name).filter(|value| !value.is_null()) else { return Some(None) };
        if contains_nul(&value) {
            self.complain(name, "invalid_characters", "This field contains a character that is not allowed.");
            return None;
        }
        let Some(raw) = R::from_json(value) else {
            self.complain(name, "wrong_type", "This field has the wrong type.");
            return None;
        };
        match parse(raw) {
            Ok(parsed) => Some(Some(parsed)),
            Err((code, message)) => {
                self.complain(name, code, message);
                None
            }
        }
    }

    /// Whether the field is there, `null` included.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Takes a field of a partial change, where absent and `null` differ.
    pub fn change<T: FieldValue>(&mut self, name: &str) -> Option<Change<T>> {
        if !self.values.contains_key(name) {
            return Some(Change::Keep);
        }
        self.optional(name).map(|value| value.map_or(Change::Clear, Change::Set))
    }

    /// Notes what is wrong with a field.
    pub fn complain(&mut self, name: &str, code: &'static str, message: &'static str) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(FieldError::new(name, code, message));
        }
    }

    /// Reads a `T`; whatever it does not take is an unknown field.
    pub(crate) fn read<T: FromFields>(mut self) -> Result<T, Vec<FieldError>> {
        let value = T::from_fields(&mut self);
        for name in std::mem::take(&mut self.values).into_keys() {
            self.complain(&name, "unknown_field", "This field is not known.");
        }
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(self.errors),
        }
    }
}

/// No field has a use for NUL, and not every database stores it.
fn contains_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(contains_nul),
        _ => false,
    }
}

impl FieldValue for String {
    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

impl FieldValue for SecretText {
    fn from_json(value: Value) -> Option<Self> {
        String::from_json(value).map(Self::new)
    }
}

impl FieldValue for bool {
    fn from_json(value: Value) -> Option<Self> {
        value.as_bool()
    }
}

impl FieldValue for i64 {
    fn from_json(value: Value) -> Option<Self> {
        value.as_i64()
    }
}

impl FieldValue for Vec<String> {
    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::Array(values) => values.into_iter().map(String::from_json).collect(),
            _ => None,
        }
    }
}

/// No fields at all.
impl FromFields for () {
    fn from_fields(_: &mut Fields) -> Option<Self> {
        Some(())
    }
}
