//! Fields as members of a JSON object.

use std::error::Error;
use std::fmt::{Debug, Display, Write};

use tracing::field::{Field, Visit};

/// Appends members to a text.
pub(super) struct JsonFields<'a> {
    text: &'a mut String,
    needs_comma: bool,
}

impl<'a> JsonFields<'a> {
    /// Where nothing stands yet.
    pub(super) fn first(text: &'a mut String) -> Self {
        Self { text, needs_comma: false }
    }

    /// Behind other members.
    pub(super) fn after_others(text: &'a mut String) -> Self {
        Self { text, needs_comma: true }
    }

    fn name(&mut self, field: &Field) {
        if self.needs_comma {
            self.text.push(',');
        }
        self.needs_comma = true;
        // Names are literals of the program; escaped all the same.
        self.text.push('"');
        escape(field.name(), self.text);
        self.text.push_str("\":");
    }

    fn plain(&mut self, field: &Field, value: impl Display) {
        self.name(field);
        // Writing to a string has no failure.
        let _ = write!(self.text, "{value}");
    }

    fn quoted(&mut self, field: &Field, value: impl Display) {
        self.name(field);
        self.text.push('"');
        let _ = write!(Escaping(self.text), "{value}");
        self.text.push('"');
    }
}

impl Visit for JsonFields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() { self.plain(field, value) } else { self.plain(field, "null") }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        self.text.push('"');
        escape(value, self.text);
        self.text.push('"');
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.quoted(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.quoted(field, format_args!("{value:?}"));
    }
}

/// Appends the text as the inside of a JSON string (RFC 8259 section 7).
fn escape(text: &str, into: &mut String) {
    let mut rest = text;
    // Every byte that must be escaped is ASCII, so cutting there keeps characters whole.
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\' || byte == 0x7f) {
        into.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => into.push_str("\\\""),
            b'\\' => into.push_str("\\\\"),
            b'\n' => into.push_str("\\n"),
            b'\r' => into.push_str("\\r"),
            b'\t' => into.push_str("\\t"),
            // Writing to a string has no failure.
            control => drop(write!(into, "\\u{control:04x}")),
        }
        rest = &rest[at + 1..];
    }
    into.push_str(rest);
}

/// What is written to it is escaped.
struct Escaping<'a>(&'a mut String);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        escape(text, self.0);
        Ok(())
    }
}
