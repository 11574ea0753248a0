//! Secrets that a test used, and every place they must never turn up in.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, OnceLock};

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

/// Fields of requests and answers that hold secrets.
const SECRET_FIELDS: [&str; 9] = [
    "password",
    "current_password",
    "new_password",
    "token",
    "code",
    "verification",
    "access_token",
    "refresh_token",
    "csrf_token",
];
/// Shorter texts are malformed input, not secrets.
const LEAST_BYTES: usize = 12;

/// The secrets of one world.
#[derive(Debug, Default)]
pub struct Canaries(Mutex<Secrets>);

#[derive(Debug, Default)]
struct Secrets {
    texts: BTreeSet<String>,
    codes: BTreeSet<String>,
    looked_at: usize,
}

impl Canaries {
    /// Remembers a secret.
    pub fn add(&self, text: &str) {
        let mut secrets = self.0.lock().unwrap();
        if text.len() >= LEAST_BYTES {
            secrets.texts.insert(text.to_owned());
        } else if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            secrets.codes.insert(text.to_owned());
        }
    }

    /// Remembers every secret of a JSON body.
    pub fn add_json(&self, body: &Value) {
        for field in SECRET_FIELDS {
            if let Some(text) = body.get(field).and_then(Value::as_str) {
                self.add(text);
            }
        }
    }

    /// Remembers every secret of a form.
    pub fn add_form(&self, fields: &[(String, String)]) {
        for (_, value) in fields.iter().filter(|(name, _)| SECRET_FIELDS.contains(&name.as_str())) {
            self.add(value);
        }
    }

    /// Looks for secrets in the lines logged since the last look.
    pub fn check_new_lines(&self) {
        let lines = lines().lock().unwrap();
        let mut secrets = self.0.lock().unwrap();
        for line in lines.iter().skip(secrets.looked_at) {
            secrets.check("log line", line);
        }
        secrets.looked_at = lines.len();
    }

    /// Looks for all secrets in every line ever logged.
    pub fn check_all_lines(&self) {
        let lines = lines().lock().unwrap();
        let secrets = self.0.lock().unwrap();
        for line in lines.iter() {
            secrets.check("log line", line);
        }
    }

    /// What was logged of the request with this id, when it was answered.
    pub fn request_line(&self, request_id: &str) -> Option<Value> {
        let lines = lines().lock().unwrap();
        let mut read = lines.iter().rev().filter(|line| line.contains(request_id));
        read.find_map(|line| {
            let fields = serde_json::from_str::<Value>(line).ok()?["fields"].take();
            (fields["message"] == "request" && fields["request.id"] == request_id).then_some(fields)
        })
    }

    /// The latest line that says this, with its level, its fields and the spans it stands in.
    pub fn line_saying(&self, message: &str) -> Option<Value> {
        let lines = lines().lock().unwrap();
        let mut read = lines.iter().rev().filter(|line| line.contains(message));
        read.find_map(|line| {
            serde_json::from_str::<Value>(line).ok().filter(|line| line["fields"]["message"] == message)
        })
    }

    /// Looks for secrets in a text.
    pub fn check(&self, place: &str, text: &str) {
        self.0.lock().unwrap().check(place, text);
    }
}

impl Secrets {
    fn check(&self, place: &str, text: &str) {
        for secret in &self.texts {
            assert!(!text.contains(secret), "a {place} holds the secret {secret:?}: {text}");
        }
        for code in &self.codes {
            assert!(!holds_code(text, code), "a {place} holds the code {code}: {text}");
        }
    }
}

/// Whether the six digits stand alone: as part of a longer number or of an id they mean nothing.
fn holds_code(text: &str, code: &str) -> bool {
    text.match_indices(code).any(|(at, _)| {
        let part_of_more = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
        let bytes = text.as_bytes();
        !part_of_more(at.checked_sub(1).and_then(|before| bytes.get(before))) && !part_of_more(bytes.get(at + 6))
    })
}

/// Every line logged by this process.
fn lines() -> &'static Mutex<Vec<String>> {
    static LINES: OnceLock<Mutex<Vec<String>>> = OnceLock::new();
    LINES.get_or_init(|| {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
            .with_writer(Capture);
        tracing::subscriber::set_global_default(subscriber.finish()).expect("nobody else listens");
        Mutex::default()
    })
}

/// Begins to record what is logged.
pub(crate) fn listen() -> usize {
    lines().lock().unwrap().len()
}

struct Capture;

impl<'a> MakeWriter<'a> for Capture {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Vec::new())
    }
}

/// One line on its way; kept when complete.
struct Line(Vec<u8>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Ok(mut lines) = lines().lock() {
            lines.push(String::from_utf8_lossy(&self.0).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_counts_only_where_it_stands_alone() {
        assert!(holds_code("code=123456", "123456"));
        assert!(holds_code("{\"code\":\"123456\"}", "123456"));
        assert!(!holds_code("duration_ms=0.123456", "123456"));
        assert!(!holds_code("id=ab123456", "123456"));
    }

    #[test]
    #[should_panic(expected = "holds the secret")]
    fn a_logged_secret_is_found() {
        let canaries = Canaries::default();
        listen();
        canaries.add("a secret nobody logs");
        tracing::info!("this holds a secret nobody logs");
        canaries.check_new_lines();
    }
}
