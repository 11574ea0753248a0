//! Known devices: browsers whose user has signed in with them before.
//!
//! The cookie is a sealed list of at most five (user, device, when), so that a shared browser serves several
//! people. It is never a factor and proves nothing by itself: it only gives its holder a lane in the sign-in
//! throttle that strangers cannot crowd, as long as the device's row exists. A cookie that is missing, of
//! another key, damaged or a year old is the same as none.
//!
//! Layout before base64url: version (1), key id (16 bytes), nonce (12), AES-256-GCM of the entries, tag (16).
//! An entry is user id (16), device id (16) and time in milliseconds (8, big endian), newest first.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::id::{DeviceId, SecretKeyId, UserId};
use doorward_model::random::{self, Random};
use doorward_model::time::Timestamp;
use doorward_store::{StoreError, Tx, known_devices};
use thiserror::Error;

use crate::throttle::DEVICE_LIFE_MS;

/// People one browser is known to.
const MOST_ENTRIES: usize = 5;
/// Devices one account is known to have; signing in with another forgets the longest unused one.
const MOST_DEVICES: i64 = 20;
const VERSION: u8 = 1;
const ENTRY_BYTES: usize = 40;
const HEAD_BYTES: usize = 1 + 16 + NONCE_LEN;
/// No cookie of ours is longer; a longer one is not looked at.
const MOST_TEXT_BYTES: usize = 400;

/// A key could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the known-device key cannot be used")]
pub struct SealingFailed;

/// Opens and seals the cookie. The first key seals; the others only open, for as long as their cookies live.
pub struct DeviceCookies {
    keys: Vec<(SecretKeyId, LessSafeKey)>,
}

impl fmt::Debug for DeviceCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceCookies[redacted]")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    user: UserId,
    device: DeviceId,
    issued_at: Timestamp,
}

/// The devices a browser is, one for each of its users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceList {
    entries: Vec<Entry>,
}

impl DeviceList {
    /// The device this browser is for a user, if it is known to them. A claim until the row is found.
    pub fn device_of(&self, user: UserId) -> Option<DeviceId> {
        self.entries.iter().find(|entry| entry.user == user).map(|entry| entry.device)
    }

    /// The list with this device for this user, in place of an earlier one; the oldest entry goes when there
    /// are more than five.
    #[must_use]
    pub fn with(&self, user: UserId, device: DeviceId, now: Timestamp) -> Self {
        let mut entries = self.without(user).entries;
        entries.insert(0, Entry { user, device, issued_at: now });
        entries.truncate(MOST_ENTRIES);
        Self { entries }
    }

    /// The list without this user.
    #[must_use]
    pub fn without(&self, user: UserId) -> Self {
        Self { entries: self.entries.iter().copied().filter(|entry| entry.user != user).collect() }
    }

    /// Whether the browser is known to nobody.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl DeviceCookies {
    /// From the deployment's known-device key.
    pub fn new(id: SecretKeyId, key: &[u8; 32]) -> Result<Self, SealingFailed> {
        Ok(Self { keys: vec![(id, aead_key(key)?)] })
    }

    /// Also opens what an earlier key sealed.
    pub fn also_opening(mut self, id: SecretKeyId, key: &[u8; 32]) -> Result<Self, SealingFailed> {
        self.keys.push((id, aead_key(key)?));
        Ok(self)
    }

    /// The list in a cookie; an empty one for everything that is not a current cookie of ours.
    pub fn open(&self, cookie: Option<&str>, now: Timestamp) -> DeviceList {
        let entries = cookie.and_then(|text| self.open_entries(text)).unwrap_or_default();
        DeviceList {
            entries: entries.into_iter().filter(|entry| now.since_ms(entry.issued_at) < DEVICE_LIFE_MS).collect(),
        }
    }

    /// The cookie's value for a list.
    pub fn seal(&self, list: &DeviceList, random: &dyn Random) -> Result<String, SealingFailed> {
        let (id, key) = self.keys.first().ok_or(SealingFailed)?;
        let nonce: [u8; NONCE_LEN] = random::bytes(random);
        let mut head = Vec::with_capacity(HEAD_BYTES + MOST_ENTRIES * ENTRY_BYTES + 16);
        head.push(VERSION);
        head.extend_from_slice(id.uuid());
        let mut body: Vec<u8> = list.entries.iter().flat_map(|entry| entry.to_bytes()).collect();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), associated_data(&head), &mut body)
            .map_err(|_unspecified| SealingFailed)?;
        head.extend_from_slice(&nonce);
        head.extend_from_slice(&body);
        Ok(URL_SAFE_NO_PAD.encode(head))
    }

    fn open_entries(&self, text: &str) -> Option<Vec<Entry>> {
        if text.len() > MOST_TEXT_BYTES {
            return None;
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (head, body) = bytes.split_at_mut_checked(HEAD_BYTES)?;
        let (clear, nonce) = head.split_at(HEAD_BYTES - NONCE_LEN);
        if clear.first() != Some(&VERSION) {
            return None;
        }
        let (_, key) = self.keys.iter().find(|(id, _)| id.uuid().as_slice() == &clear[1..])?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = key.open_in_place(nonce, associated_data(clear), body).ok()?;
        let (entries, rest) = plain.as_chunks::<ENTRY_BYTES>();
        (rest.is_empty() && entries.len() <= MOST_ENTRIES).then(|| entries.iter().map(Entry::from_bytes).collect())
    }
}

impl Entry {
    fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..16].copy_from_slice(self.user.uuid());
        bytes[16..32].copy_from_slice(self.device.uuid());
        bytes[32..].copy_from_slice(&self.issued_at.as_ms().to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let (mut user, mut device, mut issued_at) = ([0; 16], [0; 16], [0; 8]);
        user.copy_from_slice(&bytes[..16]);
        device.copy_from_slice(&bytes[16..32]);
        issued_at.copy_from_slice(&bytes[32..]);
        Self {
            user: UserId::from_uuid(user),
            device: DeviceId::from_uuid(device),
            issued_at: Timestamp::from_ms(i64::from_be_bytes(issued_at)),
        }
    }
}

fn aead_key(key: &[u8; 32]) -> Result<LessSafeKey, SealingFailed> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_unspecified| SealingFailed)
}

/// What the seal covers besides the entries: what the cookie is for, and its clear head.
fn associated_data(head: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([b"doorward known-device cookie", head].concat())
}

/// Notes in the transaction of a finished sign-in that the user signed in with this browser. `known` is what
/// its cookie claims for the user, `fresh` a new id made before the transaction. Returns the device to put into
/// the cookie: the known one, or `fresh`, remembered from now on.
pub fn remember(
    tx: &mut Tx<'_>,
    user: UserId,
    known: Option<DeviceId>,
    fresh: DeviceId,
    now: Timestamp,
) -> Result<DeviceId, StoreError> {
    if let Some(device) = known
        && known_devices::find_last_used(tx, device, user)?.is_some()
    {
        known_devices::update_last_used(tx, device, user, now)?;
        return Ok(device);
    }
    known_devices::insert(tx, fresh, user, now, MOST_DEVICES)?;
    Ok(fresh)
}

/// Forgets every device of the user and remembers `fresh`: in the transaction of a password change or reset,
/// for the browser that did it.
pub fn start_over(tx: &mut Tx<'_>, user: UserId, fresh: DeviceId, now: Timestamp) -> Result<(), StoreError> {
    known_devices::delete_of_user(tx, user)?;
    known_devices::insert(tx, fresh, user, now, MOST_DEVICES)
}

#[cfg(test)]
mod tests;
