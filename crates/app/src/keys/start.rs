//! Opening the keys at start: recognizes the master key, makes what a new deployment lacks, seals again after a
//! change of the master key.

use std::sync::{Arc, RwLock};

use doorward_model::random::Random;
use doorward_model::rotation::Epoch;
use doorward_model::time::Timestamp;
use doorward_oidc::jose::Algorithm;
use doorward_store::secret_keys::{self as secret_rows, SecretKey};
use doorward_store::signing_keys::{self as signing_rows, SigningKey, SigningKeyState};
use doorward_store::{Store, StoreError, Tx, events, meta};

use super::ring::{KeyRing, PRIVATE_KEY, algorithm_of};
use super::rotation::RotationPlan;
use super::sealing::{KeyFingerprint, MasterKeys, Recognized};
use super::secret_keys::{self, SECRET_KEY, SecretKeys};
use super::verified::VerifiedTokens;
use super::{KeySettings, Keys, KeysError};
use crate::event::{Action, EventDraft};

/// The name of the value that recognizes the master key.
const MASTER_KEY: &str = "master_key_check";
/// The name of the deployment's epoch, a number of eight bytes.
const EPOCH: &str = "epoch";

/// The keys that a start makes itself, because they cost next to nothing. An RSA key may take a second: it is made beside
/// the running server, by the first [`crate::App::keep_keys_current`].
const AT_START: [Algorithm; 2] = [Algorithm::Es256, Algorithm::EdDsa];

/// What the database holds.
struct Found {
    check: Vec<u8>,
    epoch: Vec<u8>,
    secrets: Vec<SecretKey>,
    signing: Vec<SigningKey>,
}

impl Keys {
    /// Opens the keys of a migrated database and makes those that are missing. Several nodes may do so at once:
    /// each writes only what nobody has written, then all read the same.
    ///
    /// Refuses a database that was sealed with another master key.
    pub async fn open(
        store: Store,
        masters: impl Into<Arc<MasterKeys>>,
        settings: KeySettings,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Self, KeysError> {
        let masters: Arc<MasterKeys> = masters.into();
        let check = masters.check_value()?;
        let mut found = store.read(find).await?;
        if found.check.is_empty() || found.epoch.is_empty() {
            let check = check.clone();
            store.write::<_, StoreError, _>(move |tx| begin(tx, &check)).await?;
            found = store.read(find).await?;
        }
        // Before anything is sealed: a wrong key must leave no trace.
        let Some(recognized) = masters.find_by_check_value(&found.check)? else {
            return Err(KeysError::WrongMasterKey { database: name(&found.check), given: masters.fingerprint() });
        };
        if recognized == Recognized::Previous {
            let event = EventDraft::of_start(now, random, Action::MasterKeyChanged);
            let plan = SealedAnew::new(&masters, &found, random)?;
            let seen = found.check.clone();
            let recognize = move |tx: &mut Tx<'_>| {
                plan.write(tx)?;
                // Of several nodes that start with it, one changed it.
                if meta::update(tx, MASTER_KEY, &seen, &check)? { events::append(tx, event.row()) } else { Ok(()) }
            };
            store.write::<_, StoreError, _>(recognize).await?;
            found = store.read(find).await?;
        }
        // Keys are drawn only for a database that lacks them: the first one costs what many starts do not.
        let missing = found.missing(&settings);
        if !missing.is_empty() || !found.has_secrets() {
            let secrets = secret_keys::generate(&masters, now, random)?;
            let plan = RotationPlan::new(now, &settings, &masters, random, &missing)?;
            let event = EventDraft::of_start(now, random, Action::KeysRotated);
            store.write::<_, StoreError, _>(move |tx| complete(tx, &secrets, &plan, &event)).await?;
            found = store.read(find).await?;
        }
        let epoch = found.epoch.as_slice().try_into().map_err(|_| KeysError::Unusable("the epoch is no number"))?;
        let epoch = Epoch::from_number(u64::from_be_bytes(epoch));
        let secrets = SecretKeys::open(&found.secrets, &masters, epoch)?;
        let ring = KeyRing::default().follow(&found.signing, &masters)?;
        let ring = ring.ok_or(KeysError::Unusable("there is no signing key"))?;
        let verified = VerifiedTokens::new(settings.remembered_tokens);
        let verified_others = VerifiedTokens::new(settings.remembered_tokens);
        let ring = RwLock::new(Arc::new(ring));
        Ok(Self { store, masters, secrets, settings, ring, verified, verified_others })
    }

    /// Seals again what nodes that had not changed the master key yet have sealed with the one before: says how many keys.
    /// None where the database does not know this node's master key as the current one, which it would undo.
    pub(crate) async fn seal_again(&self, random: &dyn Random) -> Result<Option<usize>, KeysError> {
        let found = self.store.read(find).await?;
        if self.masters.find_by_check_value(&found.check)? != Some(Recognized::Current) {
            return Ok(None);
        }
        let plan = SealedAnew::new(&self.masters, &found, random)?;
        let count = plan.secrets.len() + plan.signing.len();
        if count > 0 {
            self.store.write::<_, StoreError, _>(move |tx| plan.write(tx)).await?;
        }
        Ok(Some(count))
    }
}

impl Found {
    /// Whether there is a key for every purpose.
    fn has_secrets(&self) -> bool {
        secret_keys::PURPOSES.iter().all(|purpose| self.secrets.iter().any(|key| key.purpose == *purpose))
    }

    /// The algorithms that a start makes keys for and that none signs with.
    fn missing(&self, settings: &KeySettings) -> Vec<Algorithm> {
        let is_there = |algorithm| {
            let mut keys = self.signing.iter();
            keys.any(|key| key.state == SigningKeyState::Active && algorithm_of(key) == Some(algorithm))
        };
        let mut wanted = AT_START.to_vec();
        wanted.retain(|algorithm| settings.algorithms.contains(algorithm) && !is_there(*algorithm));
        wanted
    }
}

/// What nobody has written yet: which master key this is, and that the deployment is in its first epoch.
fn begin(tx: &mut Tx<'_>, check: &[u8]) -> Result<(), StoreError> {
    meta::insert(tx, MASTER_KEY, check)?;
    meta::insert(tx, EPOCH, &Epoch::FIRST.number().to_be_bytes())?;
    Ok(())
}

fn find(tx: &mut Tx<'_>) -> Result<Found, StoreError> {
    Ok(Found {
        check: meta::find(tx, MASTER_KEY)?.unwrap_or_default(),
        epoch: meta::find(tx, EPOCH)?.unwrap_or_default(),
        secrets: secret_rows::list(tx)?,
        signing: signing_rows::list_living(tx)?,
    })
}

fn complete(tx: &mut Tx<'_>, secrets: &[SecretKey], plan: &RotationPlan, event: &EventDraft) -> Result<(), StoreError> {
    for secret in secrets {
        secret_rows::insert(tx, secret)?;
    }
    let begun = plan.begin_all(tx)?;
    if begun.is_empty() { Ok(()) } else { events::append(tx, event.clone().keys(&begun).row()) }
}

/// Keys that another master key than the current one has sealed, with what is to take the place of that.
struct SealedAnew {
    secrets: Vec<(SecretKey, Vec<u8>)>,
    signing: Vec<(SigningKey, Vec<u8>)>,
}

impl SealedAnew {
    fn new(masters: &MasterKeys, found: &Found, random: &dyn Random) -> Result<Self, KeysError> {
        let mut secrets = Vec::new();
        for row in &found.secrets {
            let identity = secret_keys::identity(row.id, &row.purpose);
            if let Some(sealed) = masters.reseal(SECRET_KEY, &identity, &row.sealed, random)? {
                secrets.push((row.clone(), sealed));
            }
        }
        let mut signing = Vec::new();
        for row in found.signing.iter().filter(|row| !row.private_key_sealed.is_empty()) {
            if let Some(sealed) = masters.reseal(PRIVATE_KEY, &row.id.to_string(), &row.private_key_sealed, random)? {
                signing.push((row.clone(), sealed));
            }
        }
        Ok(Self { secrets, signing })
    }

    /// A row that somebody else changed meanwhile was sealed by them.
    fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for (row, sealed) in &self.secrets {
            secret_rows::update_sealed(tx, row, sealed)?;
        }
        for (row, sealed) in &self.signing {
            signing_rows::update_sealed(tx, row, sealed)?;
        }
        Ok(())
    }
}

/// Names the master key a check value belongs to.
fn name(check: &[u8]) -> String {
    check.first_chunk().map_or_else(|| "unknown".to_owned(), |bytes| KeyFingerprint::from_bytes(*bytes).to_string())
}
