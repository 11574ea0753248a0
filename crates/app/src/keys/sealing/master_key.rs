//! The master key: 32 bytes from a file, never from the database, and only to seal.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use doorward_model::random::{self, Random};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{CryptographyFailed, KeyFingerprint, NotOpened, Purpose, SealingKey, fingerprint_of};

const KEY_BYTES: usize = 32;
/// No estimate below this is 128 bits of chance: 32 random bytes come to about 157.
const LEAST_ENTROPY_BITS: f64 = 128.0;
/// Words of sample configurations. All have six letters or more, so that they hardly ever occur in a random
/// key's text.
const PLACEHOLDERS: [&str; 12] = [
    "change",
    "secret",
    "example",
    "placeholder",
    "password",
    "default",
    "insecure",
    "replace",
    "doorward",
    "masterkey",
    "your-key",
    "your_key",
];

/// Why a text or file does not serve as a master key. Names the problem, never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MasterKeyProblem {
    /// There is nothing in it.
    #[error("the master key is empty")]
    Empty,
    /// It contains a word of sample configurations.
    #[error("the master key is a placeholder; generate a random one")]
    Placeholder,
    /// It is neither 32 raw bytes nor base64 or hexadecimal text.
    #[error("the master key is neither 32 raw bytes nor their base64 or hexadecimal text")]
    Unreadable,
    /// It decodes to another length.
    #[error("the master key holds {bytes} bytes; it needs exactly 32 random bytes")]
    WrongLength {
        /// The length it decodes to.
        bytes: usize,
    },
    /// Its bytes are letters, repeat themselves or follow a pattern.
    #[error("the master key is predictable; generate 32 random bytes")]
    Predictable,
    /// The library failed.
    #[error("the cryptographic library failed")]
    Cryptography,
}

impl From<CryptographyFailed> for MasterKeyProblem {
    fn from(CryptographyFailed: CryptographyFailed) -> Self {
        Self::Cryptography
    }
}

/// The text of a freshly made master key, for its file.
pub struct MasterKeyText(Zeroizing<String>);

impl MasterKeyText {
    /// 32 random bytes in base64.
    pub fn generate(random: &dyn Random) -> Self {
        loop {
            let bytes = Zeroizing::new(random::bytes::<KEY_BYTES>(random));
            let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()));
            // One key in some ten million spells a placeholder and would be refused at the next start.
            if read(text.as_bytes()).is_ok() {
                return Self(text);
            }
        }
    }

    /// The text. It belongs into a file of mode 0600 and nowhere else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MasterKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeyText[redacted]")
    }
}

/// The master key in use, and those it replaces while a rotation is under way.
#[derive(Debug)]
pub struct MasterKeys {
    current: SealingKey,
    previous: Vec<SealingKey>,
}

impl MasterKeys {
    /// From the content of the key file.
    pub fn parse(content: &[u8]) -> Result<Self, MasterKeyProblem> {
        Ok(Self { current: SealingKey::new(&*read(content)?)?, previous: Vec::new() })
    }

    /// Adds an earlier key, which may open but never seals.
    pub fn add_previous(&mut self, content: &[u8]) -> Result<(), MasterKeyProblem> {
        self.previous.push(SealingKey::new(&*read(content)?)?);
        Ok(())
    }

    /// Whether there are keys that the current one replaces.
    pub(crate) const fn has_previous(&self) -> bool {
        !self.previous.is_empty()
    }

    /// Names the current key.
    pub const fn fingerprint(&self) -> KeyFingerprint {
        self.current.fingerprint()
    }

    /// Seals with the current key; see [`SealingKey::seal`].
    pub fn seal(
        &self,
        purpose: Purpose,
        identity: &str,
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, CryptographyFailed> {
        self.current.seal(purpose, identity, plaintext, random)
    }

    /// Opens with whichever key sealed it; see [`SealingKey::open`].
    pub fn open(&self, purpose: Purpose, identity: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let fingerprint = fingerprint_of(sealed).ok_or(NotOpened)?;
        self.all().find(|key| key.fingerprint == fingerprint).ok_or(NotOpened)?.open(purpose, identity, sealed)
    }

    /// The same value sealed with the current key; none when it is already, or when nothing here opens it.
    pub fn reseal(
        &self,
        purpose: Purpose,
        identity: &str,
        sealed: &[u8],
        random: &dyn Random,
    ) -> Result<Option<Vec<u8>>, CryptographyFailed> {
        if fingerprint_of(sealed) == Some(self.fingerprint()) {
            return Ok(None);
        }
        self.open(purpose, identity, sealed)
            .ok()
            .map(|plaintext| self.seal(purpose, identity, &plaintext, random))
            .transpose()
    }

    /// What the database keeps to recognize the key by: its fingerprint and a value only it derives.
    pub(in crate::keys) fn check_value(&self) -> Result<Vec<u8>, CryptographyFailed> {
        check_value(&self.current)
    }

    /// Which of the keys a check value belongs to.
    pub(in crate::keys) fn find_by_check_value(&self, stored: &[u8]) -> Result<Option<Recognized>, CryptographyFailed> {
        for key in self.all() {
            if bool::from(check_value(key)?.ct_eq(stored)) {
                let is_current = key.fingerprint == self.fingerprint();
                return Ok(Some(if is_current { Recognized::Current } else { Recognized::Previous }));
            }
        }
        Ok(None)
    }

    fn all(&self) -> impl Iterator<Item = &SealingKey> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

/// Which master key the database was last sealed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::keys) enum Recognized {
    Current,
    Previous,
}

fn check_value(key: &SealingKey) -> Result<Vec<u8>, CryptographyFailed> {
    let check = key.derive::<32>(b"check", &[])?;
    Ok([key.fingerprint().as_bytes().as_slice(), check.as_ref()].concat())
}

/// The key in a file: 32 raw bytes, or their base64 (either alphabet) or hexadecimal text, with white space
/// around it.
fn read(content: &[u8]) -> Result<Zeroizing<[u8; KEY_BYTES]>, MasterKeyProblem> {
    let bytes = match std::str::from_utf8(content).ok().filter(|text| is_typed(text.as_bytes())) {
        Some(text) => decode(text.trim())?,
        None if content.len() == KEY_BYTES => Zeroizing::new(content.to_vec()),
        None => return Err(MasterKeyProblem::Unreadable),
    };
    let key: [u8; KEY_BYTES] =
        bytes.as_slice().try_into().map_err(|_| MasterKeyProblem::WrongLength { bytes: bytes.len() })?;
    let key = Zeroizing::new(key);
    if is_predictable(&key) { Err(MasterKeyProblem::Predictable) } else { Ok(key) }
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, MasterKeyProblem> {
    if text.is_empty() {
        return Err(MasterKeyProblem::Empty);
    }
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
        return Err(MasterKeyProblem::Placeholder);
    }
    if let Some(bytes) = decode_hexadecimal(text) {
        return Ok(bytes);
    }
    let digits = text.trim_end_matches('=');
    let decoded = STANDARD_NO_PAD.decode(digits).or_else(|_| URL_SAFE_NO_PAD.decode(digits));
    decoded.map(Zeroizing::new).map_err(|_| MasterKeyProblem::Unreadable)
}

fn decode_hexadecimal(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let bytes = pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?));
    bytes.collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}

/// Only characters a keyboard has.
fn is_typed(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

/// Typed text, few different bytes, a short period, or bytes at equal distance. Random keys pass: the chance
/// that one does not is below 2^-60.
fn is_predictable(key: &[u8; KEY_BYTES]) -> bool {
    let is_periodic = (1..=KEY_BYTES / 2).any(|period| key[period..] == key[..KEY_BYTES - period]);
    let is_series = key.windows(3).all(|w| w[1].wrapping_sub(w[0]) == w[2].wrapping_sub(w[1]));
    is_typed(key) || is_periodic || is_series || entropy_bits(key) < LEAST_ENTROPY_BITS
}

/// Shannon's estimate from how often each byte occurs.
fn entropy_bits(key: &[u8; KEY_BYTES]) -> f64 {
    let mut counts = [0u8; 256];
    for byte in key {
        counts[usize::from(*byte)] += 1;
    }
    let length = f64::from(u8::try_from(KEY_BYTES).unwrap_or(u8::MAX));
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) * (length / f64::from(*count)).log2()).sum()
}
