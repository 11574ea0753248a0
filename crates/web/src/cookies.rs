//! The four cookies: read strictly, written with every attribute.
//!
//! All carry the `__Host-` prefix, so browsers take them only with `Secure`, `Path=/` and without `Domain`: no
//! sibling host can set or read them (RFC 6265bis section 4.1.3.2). Cookies of other names (on a developer's machine
//! other ports share them) are passed over. Two cookies of one of our names cannot come from a browser; such a
//! request is refused as malformed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::random::{self, Random};
use doorward_model::secret::{PlainToken, TokenKind};
use http::{HeaderMap, HeaderValue, header};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A cookie's place among the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieName {
    /// The session's credential.
    Session,
    /// Binds anonymous flows and forms before sign-in.
    Pre,
    /// Known devices; never a factor.
    Device,
    /// Language and appearance.
    Ui,
}

impl CookieName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Session, Self::Pre, Self::Device, Self::Ui];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "__Host-doorward",
            Self::Pre => "__Host-doorward-pre",
            Self::Device => "__Host-doorward-device",
            Self::Ui => "__Host-doorward-ui",
        }
    }
}

/// How long a browser keeps a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Until the browser closes.
    BrowserSession,
    /// So many seconds.
    Seconds(u32),
}

/// A value that cannot stand in a cookie, or makes it larger than browsers store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the value does not fit into a cookie")]
pub struct InvalidCookieValue;

/// Browsers store at most 4096 bytes of name and value (RFC 6265bis section 5.6).
const MAX_COOKIE_BYTES: usize = 4096;
/// The known-device and appearance cookies live a year.
const YEAR_SECONDS: u32 = 365 * 24 * 3600;

/// `Set-Cookie` for the session's credential.
pub fn session_cookie(token: &PlainToken, life: Life) -> Result<HeaderValue, InvalidCookieValue> {
    set_cookie(CookieName::Session, &token.reveal(), life)
}

/// `Set-Cookie` for the known-device list, already sealed into cookie-safe text.
pub fn device_cookie(sealed: &str) -> Result<HeaderValue, InvalidCookieValue> {
    set_cookie(CookieName::Device, sealed, Life::Seconds(YEAR_SECONDS))
}

/// `Set-Cookie` for language and appearance.
pub fn ui_cookie(value: &str) -> Result<HeaderValue, InvalidCookieValue> {
    set_cookie(CookieName::Ui, value, Life::Seconds(YEAR_SECONDS))
}

pub(crate) fn pre_cookie(nonce: &PreNonce) -> Result<HeaderValue, InvalidCookieValue> {
    set_cookie(CookieName::Pre, &nonce.reveal(), Life::BrowserSession)
}

/// `Set-Cookie` that makes the browser forget the cookie.
pub fn expired_cookie(name: CookieName) -> HeaderValue {
    let text = match name {
        CookieName::Session => "__Host-doorward=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",
        CookieName::Pre => "__Host-doorward-pre=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",
        CookieName::Device => "__Host-doorward-device=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",
        CookieName::Ui => "__Host-doorward-ui=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",
    };
    HeaderValue::from_static(text)
}

fn set_cookie(name: CookieName, value: &str, life: Life) -> Result<HeaderValue, InvalidCookieValue> {
    let name = name.as_str();
    if !value.bytes().all(is_cookie_octet) || name.len() + value.len() > MAX_COOKIE_BYTES {
        return Err(InvalidCookieValue);
    }
    let mut text = Zeroizing::new(format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax"));
    if let Life::Seconds(seconds) = life {
        text.push_str("; Max-Age=");
        text.push_str(&seconds.to_string());
    }
    let mut header = HeaderValue::from_str(&text).map_err(|_| InvalidCookieValue)?;
    header.set_sensitive(true);
    Ok(header)
}

/// RFC 6265 section 4.1.1, `cookie-octet`.
fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

/// The random value of the `pre` cookie: ties forms and anonymous flows to one browser.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PreNonce([u8; 32]);

impl PreNonce {
    pub(crate) fn new(random: &dyn Random) -> Self {
        Self(random::bytes(random))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 43 {
            return None;
        }
        // Padding and non-zero trailing bits are refused, so there is one text per value.
        let written = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (written == 32).then_some(Self(bytes))
    }

    /// The 32 bytes, to bind sealed flow state to. Keep them out of logs, rows and errors.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// One of our cookies as sent.
#[derive(Clone, Debug)]
pub(crate) enum Sent<T> {
    Absent,
    /// There, but not of its form: cannot be valid.
    Malformed,
    Present(T),
}

impl<T> Sent<T> {
    fn parsed(value: Option<&str>, parse: impl FnOnce(&str) -> Option<T>) -> Self {
        match value {
            None => Self::Absent,
            Some(text) => parse(text).map_or(Self::Malformed, Self::Present),
        }
    }

    pub(crate) fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Malformed => None,
        }
    }
}

/// The cookies of one request.
pub(crate) struct Cookies {
    /// Whether there was any `Cookie` header, with whatever in it.
    pub(crate) any: bool,
    /// Whether one of our names came twice.
    pub(crate) duplicated: bool,
    pub(crate) session: Sent<PlainToken>,
    pub(crate) pre: Sent<PreNonce>,
    pub(crate) device: Option<Zeroizing<String>>,
    pub(crate) ui: Option<String>,
}

impl Cookies {
    /// Reads every `Cookie` header (HTTP/2 splits them, RFC 9113 section 8.2.3).
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut found: [Option<&str>; 4] = [None; 4];
        let mut duplicated = false;
        for header in headers.get_all(header::COOKIE) {
            let Ok(text) = header.to_str() else { continue };
            for pair in text.split(';') {
                let Some((name, value)) = pair.trim_matches([' ', '\t']).split_once('=') else { continue };
                let Some(index) = CookieName::ALL.iter().position(|known| known.as_str() == name) else { continue };
                duplicated |= found[index].replace(value).is_some();
            }
        }
        let [session, pre, device, ui] = found;
        let text = |value: Option<&str>| value.filter(|text| text.bytes().all(is_cookie_octet)).map(str::to_owned);
        Self {
            any: headers.contains_key(header::COOKIE),
            duplicated,
            session: Sent::parsed(session, |text| PlainToken::parse(TokenKind::Session, text)),
            pre: Sent::parsed(pre, PreNonce::parse),
            device: text(device).map(Zeroizing::new),
            ui: text(ui),
        }
    }
}

impl std::fmt::Debug for PreNonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PreNonce[redacted]")
    }
}

#[cfg(test)]
mod tests;
