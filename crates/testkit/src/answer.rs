//! An answer as a client sees it.

use axum::body::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

/// An answer as a client sees it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// A text of the JSON body by its name.
    pub fn string(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.text())).to_owned()
    }

    /// The code of a problem.
    pub fn code(&self) -> String {
        self.string("code")
    }

    /// A header by its name.
    pub fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("the header is text"))
    }

    /// Name and value of every cookie that is set, without attributes.
    pub fn cookies(&self) -> Vec<(String, String)> {
        let lines = self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
        let pairs = lines.map(|line| line.split(';').next().unwrap().split_once('=').unwrap());
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Passes when the status is `status`.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{:?} {body}", self.headers);
        self
    }

    /// Passes when it is a problem with this status and code.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.code(), code, "{}", answer.text());
        answer
    }

    /// The pointers and codes of the fields that a 422 complains about.
    pub fn complaints(&self) -> Vec<(String, String)> {
        let body = self.json();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
    }

    /// The answer without what differs between any two: for comparing what strangers may not tell apart.
    pub fn shape(&self) -> (u16, Vec<(String, String)>, String) {
        let varying = ["x-request-id", "content-security-policy", "ratelimit", "ratelimit-policy"];
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| {
                let value = if varying.contains(&name.as_str()) { "…" } else { value.to_str().unwrap() };
                (name.to_string(), value.to_owned())
            })
            .collect();
        headers.sort();
        let mut body = self.text().to_owned();
        if let Ok(Value::Object(mut fields)) = serde_json::from_str(&body) {
            for name in ["request_id", "timestamp", "verification"] {
                if let Some(value) = fields.get_mut(name) {
                    // The length stays: a different length would be a different answer.
                    *value = value.as_str().unwrap_or_default().len().into();
                }
            }
            body = Value::Object(fields).to_string();
        }
        (self.status.as_u16(), headers, body)
    }
}
