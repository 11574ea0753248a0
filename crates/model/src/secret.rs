//! Secrets as types: a plain token cannot be stored, a stored hash cannot be shown, and `Debug` shows neither.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::random::{self, Random};

/// What kind of opaque token a text claims to be, readable from its prefix so that a leaked one is found by
/// secret scanners and one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// The session cookie, `dws_`.
    Session,
    /// A single-use token, `dwo_`.
    OneTime,
    /// A token bound to a session against cross-site request forgery, `dwc_`.
    Csrf,
    /// What a client proves with who it is, `dwcs_`.
    ClientSecret,
    /// What a device without a browser asks for tokens with, `dwdc_`.
    DeviceCode,
    /// What lets a client register itself, `dwia_`.
    InitialAccess,
    /// What a client that registered itself manages its registration with, `dwra_`.
    RegistrationAccess,
}

impl TokenKind {
    /// The text every token of this kind begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "dws_",
            Self::OneTime => "dwo_",
            Self::Csrf => "dwc_",
            Self::ClientSecret => "dwcs_",
            Self::DeviceCode => "dwdc_",
            Self::InitialAccess => "dwia_",
            Self::RegistrationAccess => "dwra_",
        }
    }
}

/// A random opaque token of 256 bits in plain: exists only on its way to or from its holder.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PlainToken {
    #[zeroize(skip)]
    kind: TokenKind,
    bytes: [u8; 32],
}

impl PlainToken {
    /// A fresh token.
    pub fn new(kind: TokenKind, random: &dyn Random) -> Self {
        Self { kind, bytes: random::bytes(random) }
    }

    /// From the 32 bytes another construction produced (a MAC, for instance).
    pub fn from_bytes(kind: TokenKind, bytes: [u8; 32]) -> Self {
        Self { kind, bytes }
    }

    /// Reads the one spelling of a token of this kind: prefix, then canonical unpadded base64url of 32 bytes.
    pub fn parse(kind: TokenKind, text: &str) -> Option<Self> {
        let body = text.strip_prefix(kind.prefix())?;
        if body.len() != 43 {
            return None;
        }
        let mut bytes = [0u8; 32];
        // The engine refuses padding and non-zero trailing bits, so there is one text per value.
        let written = URL_SAFE_NO_PAD.decode_slice(body, &mut bytes).ok()?;
        (written == 32).then_some(Self { kind, bytes })
    }

    /// The text its holder gets. Keep it out of logs, rows and errors.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut text = String::with_capacity(48);
        text.push_str(self.kind.prefix());
        URL_SAFE_NO_PAD.encode_string(self.bytes, &mut text);
        Zeroizing::new(text)
    }

    /// What a row may hold: SHA-256 over the kind and the bytes. A fast hash is right for 256 random bits.
    pub fn hash(&self) -> TokenHash {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(self.kind.prefix().as_bytes());
        context.update(&self.bytes);
        TokenHash::from_digest(context.finish().as_ref())
    }

    /// Whether both are the same token, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.kind == other.kind && bool::from(self.bytes.ct_eq(&other.bytes))
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[redacted]", self.kind.prefix())
    }
}

/// The hash of a token or another high-entropy secret: what rows hold and look up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// From the bytes of a row.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn from_digest(digest: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest);
        Self(bytes)
    }

    /// SHA-256 of any bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_digest(digest::digest(&digest::SHA256, bytes).as_ref())
    }

    /// The bytes for a row.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash[redacted]")
    }
}

/// A text that must not be shown: `Debug` redacts, memory is zeroed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretText(String);

impl SecretText {
    /// Wraps a secret text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself. Keep it out of logs, rows and errors.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> serde::Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_token_reads_back_only_as_its_own_kind() {
        let token = PlainToken::new(TokenKind::Session, &Fixed(7));
        let text = token.reveal();
        assert!(PlainToken::parse(TokenKind::Session, &text).is_some_and(|read| read.matches(&token)));
        assert!(PlainToken::parse(TokenKind::OneTime, &text).is_none());
    }

    /// Proves: A-33
    #[test]
    fn only_the_canonical_spelling_is_read() {
        let text = PlainToken::new(TokenKind::Session, &Fixed(0)).reveal();
        let mut loose = text.to_string();
        loose.pop();
        // "B" differs from "A" only in bits beyond the 32 bytes.
        loose.push('B');
        assert!(PlainToken::parse(TokenKind::Session, &loose).is_none());
        assert!(PlainToken::parse(TokenKind::Session, &format!("{}=", text.as_str())).is_none());
        assert!(PlainToken::parse(TokenKind::Session, &format!(" {}", text.as_str())).is_none());
        assert!(PlainToken::parse(TokenKind::Session, "dws_").is_none());
    }

    /// Counts up, and how much was drawn.
    #[derive(Default)]
    struct Counting(std::sync::atomic::AtomicU8);
    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill_with(|| self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    /// Proves: V11.5.1, V7.2.3
    #[test]
    fn a_token_is_256_bits_of_the_generator_whatever_its_kind_and_no_id_is_one() {
        use TokenKind as Kind;
        // A new kind belongs into the list below; this does not compile without it.
        const fn known(kind: Kind) {
            match kind {
                Kind::Session
                | Kind::OneTime
                | Kind::Csrf
                | Kind::ClientSecret
                | Kind::DeviceCode
                | Kind::InitialAccess
                | Kind::RegistrationAccess => {}
            }
        }
        let kinds = [
            Kind::Session,
            Kind::OneTime,
            Kind::Csrf,
            Kind::ClientSecret,
            Kind::DeviceCode,
            Kind::InitialAccess,
            Kind::RegistrationAccess,
        ];
        for kind in kinds {
            known(kind);
            let random = Counting::default();
            let text = PlainToken::new(kind, &random).reveal();
            let drawn: Vec<u8> = (0..32).collect();
            let body = text.strip_prefix(kind.prefix()).unwrap();
            assert_eq!(URL_SAFE_NO_PAD.decode(body).unwrap(), drawn, "{kind:?} holds all that was drawn");
            assert_eq!(random.0.into_inner(), 32, "{kind:?} draws no more and no less");
            let now = crate::time::Timestamp::from_ms(1_800_000_000_000);
            for id in [
                crate::id::SessionId::new(now, &Fixed(7)).to_string(),
                crate::id::FamilyId::new(now, &Fixed(7)).to_string(),
                crate::id::GrantId::new(now, &Fixed(7)).to_string(),
                crate::id::UserId::new(now, &Fixed(7)).to_string(),
            ] {
                assert!(PlainToken::parse(kind, &id).is_none());
                let dressed = format!("{}{}", kind.prefix(), id.rsplit('_').next().unwrap());
                assert!(PlainToken::parse(kind, &dressed).is_none(), "{dressed}");
            }
        }
    }

    #[test]
    fn equal_bytes_of_another_kind_hash_differently() {
        let session = PlainToken::from_bytes(TokenKind::Session, [1; 32]);
        let one_time = PlainToken::from_bytes(TokenKind::OneTime, [1; 32]);
        assert_ne!(session.hash(), one_time.hash());
    }

    /// Proves: A-150
    #[test]
    fn debug_shows_no_secret() {
        let token = PlainToken::new(TokenKind::Session, &Fixed(7));
        let shown = format!("{token:?} {:?} {:?}", token.hash(), SecretText::new("hunter2".into()));
        assert!(!shown.contains("hunter2") && !shown.contains(&token.reveal()[4..12]), "{shown}");
    }
}
