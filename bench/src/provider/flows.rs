//! What is asked of either side, and what is looked at in each answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::tokens::{Headers, member};
use crate::Outcome;
use crate::client::{Answer, Script};

pub(super) const CALLBACK: &str = "https://shop.example.com/callback";
pub(super) const NONCE: &str = "n-0S6_WzA2Mj";
const STATE: &str = "af0ifjsldkj";
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A client at an endpoint, with its secret in the header.
#[derive(Clone)]
pub(super) struct Call {
    path: String,
    authorization: String,
}

impl Call {
    pub(super) fn new(path: &str, id: &str, secret: &str) -> Self {
        Self { path: path.to_owned(), authorization: STANDARD.encode(format!("{id}:{secret}")) }
    }

    /// The request with a form.
    pub(super) fn form(&self, fields: &[(&str, &str)]) -> Vec<u8> {
        let (Self { path, authorization }, body) = (self, encoded(fields));
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Basic {authorization}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

/// A form or a query.
pub(super) fn encoded(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        let separator = if text.is_empty() { "" } else { "&" };
        text.extend([separator, name, "="]);
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
                _ => text.extend(['%', digit(byte >> 4), digit(byte & 15)]),
            }
        }
    }
    text
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or_default().to_ascii_uppercase()
}

/// The address of an authorization request.
pub(super) fn authorize_path(endpoint: &str, client: &str, resource: &str) -> String {
    let fields = [
        ("client_id", client),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid email orders"),
        ("resource", resource),
        ("state", STATE),
        ("nonce", NONCE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    format!("{endpoint}?{}", encoded(&fields))
}

/// What one token request gave.
#[derive(Clone, Default)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) id: String,
    pub(super) refresh: String,
}

/// Judges the token answers of one connection.
#[derive(Clone, Default)]
pub(super) struct Judge {
    access: Headers,
    id: Headers,
    /// Whether access tokens are to be JWTs.
    pub(super) has_opaque: bool,
    /// What came last.
    pub(super) last: Tokens,
}

impl Judge {
    /// Refuses an access token that is not a fresh one, signed with ES256.
    fn accept_access(&mut self, body: &str) -> Outcome<()> {
        let access = member(body, r#""access_token":""#)?;
        if !self.has_opaque {
            self.access.check(access)?;
        }
        if access == self.last.access {
            return Err("the same access token again".into());
        }
        access.clone_into(&mut self.last.access);
        Ok(())
    }

    /// The same with an ID token signed with ES256 and a refresh token that is not `before`.
    fn accept_all(&mut self, body: &str, before: &str) -> Outcome<()> {
        self.accept_access(body)?;
        let id = member(body, r#""id_token":""#)?;
        self.id.check(id)?;
        let refresh = member(body, r#""refresh_token":""#)?;
        if refresh == before {
            return Err("the same refresh token again".into());
        }
        id.clone_into(&mut self.last.id);
        refresh.clone_into(&mut self.last.refresh);
        Ok(())
    }
}

/// Tokens of a client for itself.
#[derive(Clone)]
pub(super) struct ClientCredentials {
    request: Vec<u8>,
    pub(super) judge: Judge,
}

impl ClientCredentials {
    pub(super) fn new(call: &Call, resource: &str) -> Self {
        let request = call.form(&[("grant_type", "client_credentials"), ("scope", "orders"), ("resource", resource)]);
        Self { request, judge: Judge::default() }
    }
}

impl Script for ClientCredentials {
    fn request(&mut self) -> Option<Vec<u8>> {
        Some(self.request.clone())
    }

    fn accept(&mut self, answer: Answer) -> Outcome<()> {
        self.judge.accept_access(std::str::from_utf8(&answer.expect(200)?.body)?)
    }
}

/// Grants, renewed in turn.
#[derive(Clone)]
pub(super) struct Renewals {
    call: Call,
    held: Vec<String>,
    next: usize,
    pub(super) judge: Judge,
}

impl Renewals {
    pub(super) fn new(call: &Call, grants: &[Tokens]) -> Self {
        let held = grants.iter().map(|tokens| tokens.refresh.clone()).collect();
        Self { call: call.clone(), held, next: 0, judge: Judge::default() }
    }
}

impl Script for Renewals {
    fn request(&mut self) -> Option<Vec<u8>> {
        let refresh = self.held.get(self.next)?;
        Some(self.call.form(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]))
    }

    fn accept(&mut self, answer: Answer) -> Outcome<()> {
        let body = answer.expect(200)?.body;
        self.judge.accept_all(std::str::from_utf8(&body)?, &self.held[self.next])?;
        self.judge.last.refresh.clone_into(&mut self.held[self.next]);
        self.next = (self.next + 1) % self.held.len();
        Ok(())
    }
}

/// A service that asks about one token.
#[derive(Clone)]
pub(super) struct Introspections {
    request: Vec<u8>,
    subject: String,
}

impl Introspections {
    /// `subject` is the member that names the person.
    pub(super) fn new(call: &Call, token: &str, subject: &str) -> Self {
        Self { request: call.form(&[("token", token)]), subject: format!(r#""sub":"{subject}""#) }
    }
}

impl Script for Introspections {
    fn request(&mut self) -> Option<Vec<u8>> {
        Some(self.request.clone())
    }

    fn accept(&mut self, answer: Answer) -> Outcome<()> {
        let body = answer.expect(200)?.body;
        let text = std::str::from_utf8(&body)?;
        let is_right = text.contains(r#""active":true"#) && text.contains(&self.subject);
        if is_right { Ok(()) } else { Err(format!("not what a living token is: {text}").into()) }
    }
}

/// A person who is signed in, and whose browser is sent for one code after the other.
#[derive(Clone)]
pub(super) struct CodeFlows {
    authorize: Vec<u8>,
    call: Call,
    code: Option<String>,
    /// How many flows are still to come.
    left: usize,
    /// Whether the tokens of every flow are wanted.
    keeps: bool,
    pub(super) kept: Vec<Tokens>,
    pub(super) judge: Judge,
}

impl CodeFlows {
    /// Without an end.
    pub(super) fn new(authorize: Vec<u8>, call: &Call) -> Self {
        let (call, judge) = (call.clone(), Judge::default());
        Self { authorize, call, code: None, left: usize::MAX, keeps: false, kept: Vec::new(), judge }
    }

    /// So many, whose tokens are kept.
    pub(super) fn keeping(self, count: usize) -> Self {
        Self { left: count, keeps: true, ..self }
    }
}

impl Script for CodeFlows {
    fn request(&mut self) -> Option<Vec<u8>> {
        let Some(code) = &self.code else {
            self.left = self.left.checked_sub(1)?;
            return Some(self.authorize.clone());
        };
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        Some(self.call.form(&fields))
    }

    fn accept(&mut self, answer: Answer) -> Outcome<()> {
        if self.code.is_none() {
            self.code = Some(read_code(&answer.expect(303)?)?);
            return Ok(());
        }
        self.code = None;
        self.judge.accept_all(std::str::from_utf8(&answer.expect(200)?.body)?, "")?;
        if self.keeps {
            self.kept.push(self.judge.last.clone());
        }
        Ok(())
    }
}

/// The code in an answer that leads back to the application with the state it sent.
fn read_code(answer: &Answer) -> Outcome<String> {
    let to = answer.headers("location").next().unwrap_or_default();
    let wrong = || format!("not back to the application with a code: {to:?}");
    let query = to.strip_prefix(CALLBACK).and_then(|rest| rest.strip_prefix('?')).ok_or_else(wrong)?;
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    match (value("code"), value("state"), value("iss")) {
        (Some(code), Some(STATE), Some(_)) => Ok(code.to_owned()),
        _ => Err(wrong().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, head: &str, body: &str) -> Answer {
        Answer { status, head: head.to_owned(), body: body.into() }
    }

    fn tokens(refresh: &str, alg: &str) -> String {
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}"}}"#));
        format!(r#"{{"access_token":"e30.{refresh}.x","id_token":"{header}.e30.x","refresh_token":"{refresh}"}}"#)
            .replace("e30.", &format!("{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#)))
    }

    #[test]
    fn a_form_is_percent_encoded() {
        assert_eq!(encoded(&[("scope", "openid email"), ("code", "a-b_~/")]), "scope=openid%20email&code=a-b_~%2F");
    }

    #[test]
    fn a_renewal_that_does_not_rotate_or_signs_otherwise_is_an_error() {
        let call = Call::new("/token", "shop", "secret");
        let held = Tokens { refresh: "first".to_owned(), ..Tokens::default() };
        let renewals = || Renewals::new(&call, std::slice::from_ref(&held));
        let mut good = renewals();
        good.accept(answer(200, "", &tokens("second", "ES256"))).unwrap();
        assert_eq!(good.held, ["second"]);
        assert!(renewals().accept(answer(200, "", &tokens("first", "ES256"))).is_err());
        assert!(renewals().accept(answer(200, "", &tokens("second", "RS256"))).is_err());
        assert!(renewals().accept(answer(400, "", &tokens("second", "ES256"))).is_err());
    }

    #[test]
    fn only_a_code_with_the_state_that_was_sent_is_taken() {
        let read = |to: &str| read_code(&answer(303, &format!("HTTP/1.1 303 See Other\r\nLocation: {to}"), ""));
        assert_eq!(read(&format!("{CALLBACK}?code=c&state={STATE}&iss=i")).unwrap(), "c");
        assert!(read(&format!("{CALLBACK}?code=c&state=other&iss=i")).is_err());
        assert!(read(&format!("{CALLBACK}?error=login_required&state={STATE}&iss=i")).is_err());
        assert!(read("/login?code=c").is_err());
    }

    #[test]
    fn a_token_that_is_not_good_or_about_somebody_else_is_an_error() {
        let mut asks = Introspections::new(&Call::new("/introspect", "orders", "secret"), "token", "ada");
        asks.accept(answer(200, "", r#"{"active":true,"sub":"ada"}"#)).unwrap();
        assert!(asks.accept(answer(200, "", r#"{"active":false}"#)).is_err());
        assert!(asks.accept(answer(200, "", r#"{"active":true,"sub":"eve"}"#)).is_err());
    }
}
