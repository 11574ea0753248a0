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
        // Names are literals of the program; escaped all the same. Writing to a string has no failure.
        let _ = write!(self.text, "\"{}\":", Escaped(field.name()));
    }

    fn plain(&mut self, field: &Field, value: impl Display) {
        self.name(field);
        let _ = write!(self.text, "{value}");
    }

    fn quoted(&mut self, field: &Field, value: impl Display) {
        self.name(field);
        let _ = write!(self.text, "\"{}\"", Escaped(value));
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
        self.quoted(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.quoted(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.quoted(field, format_args!("{value:?}"));
    }
}

/// Shows a value as the inside of a JSON string (RFC 8259 section 7).
struct Escaped<T>(T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'f>(&'a mut std::fmt::Formatter<'f>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let mut rest = text;
        // Every byte that must be escaped is ASCII, so cutting there keeps characters whole.
        while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\' || byte == 0x7f)
        {
            self.0.write_str(&rest[..at])?;
            match rest.as_bytes()[at] {
                b'"' => self.0.write_str("\\\"")?,
                b'\\' => self.0.write_str("\\\\")?,
                b'\n' => self.0.write_str("\\n")?,
                b'\r' => self.0.write_str("\\r")?,
                b'\t' => self.0.write_str("\\t")?,
                control => write!(self.0, "\\u{control:04x}")?,
            }
            rest = &rest[at + 1..];
        }
        self.0.write_str(rest)
    }
}
