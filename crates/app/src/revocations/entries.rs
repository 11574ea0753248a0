//! Writing entries: everything that ends tokens goes through here, in the transaction that ends them.
//!
//! A token names the session it came from (`sid`), unless that would tell two sectors that they know the same person, and
//! the grant (`grant_id`), unless it is a first-party one or a client's own. So whatever ends a session or a person's
//! grants lists the grants too.

use doorward_model::id::{GrantId, RevocationId, SessionId, SigningKeyId, UserId};
use doorward_model::time::{HOUR_MS, SECOND_MS, Timestamp};
use doorward_store::revocations::{self, RevokedKind};
use doorward_store::{StoreError, grants};

use crate::change::Change;
use crate::op::Op;

/// Longer than any access token lives: a grant that gave nothing for so long has no token to end.
const TOKENS_LIVE_MS: i64 = 2 * HOUR_MS;
/// How long removing a client or keeping it out may take. A token that it is given meanwhile is dated later than the request
/// to do so, and nothing names that token but the client.
const REMOVAL_MS: i64 = 10 * SECOND_MS;

/// Ids for entries of the revocation list, made before the transaction that may run twice: the first entry's
/// bytes, with the position mixed in.
#[derive(Clone, Copy)]
pub(crate) struct RevocationBatch([u8; 16]);

/// Keeps the ids of one batch apart.
#[derive(Clone, Copy)]
enum List {
    Sessions,
    Grants,
    GrantsOf,
    Others,
}

impl RevocationBatch {
    /// Ids dated now.
    pub(crate) fn new(op: &Op) -> Self {
        Self(*RevocationId::new(op.now, op.random.as_ref()).uuid())
    }

    /// Adds entries for sessions that have ended, and ends what clients got through them.
    pub(crate) fn insert(
        self,
        change: &mut Change<'_, '_>,
        ended: &[SessionId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut position = 0;
        for (number, id) in ended.iter().enumerate() {
            self.insert_one(change, (number, List::Sessions), (RevokedKind::Session, &id.to_string()), now)?;
            for grant in grants::revoke_of_session(change.tx, *id, now, "session_ended", before(now))? {
                self.insert_one(change, (position, List::GrantsOf), (RevokedKind::Grant, &grant.to_string()), now)?;
                position += 1;
            }
        }
        Ok(())
    }

    /// Adds one entry a grant.
    pub(crate) fn insert_grants(
        self,
        change: &mut Change<'_, '_>,
        ended: &[GrantId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for (number, id) in ended.iter().enumerate() {
            self.insert_one(change, (number, List::Grants), (RevokedKind::Grant, &id.to_string()), now)?;
        }
        Ok(())
    }

    /// Adds entries for everything of a user, whose sessions `ended`, and ends what clients got from them.
    pub(crate) fn insert_user(
        self,
        change: &mut Change<'_, '_>,
        user: UserId,
        ended: &[SessionId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for (number, id) in ended.iter().enumerate() {
            self.insert_one(change, (number, List::Sessions), (RevokedKind::Session, &id.to_string()), now)?;
        }
        let grants = grants::revoke_of_user(change.tx, user, now, "user_revoked", before(now))?;
        self.insert_grants(change, &grants, now)?;
        self.insert_one(change, (0, List::Others), (RevokedKind::User, &user.to_string()), now)
    }

    /// Adds an entry for everything that says it is about this person, and was issued before this second.
    ///
    /// Tokens say in whole seconds when they were issued. Those of this second are named by what they came from, which
    /// [`Self::insert_user`] lists: so whoever is let in again at once gets tokens that nobody refuses.
    pub(crate) fn insert_subject(
        self,
        change: &mut Change<'_, '_>,
        user: UserId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let second_before = Timestamp::from_ms(now.as_seconds() * SECOND_MS - 1);
        self.insert_one(change, (1, List::Others), (RevokedKind::Subject, &user.to_string()), second_before)
    }

    /// Adds an entry for the old cookie of a session that goes on: other nodes may know it.
    pub(crate) fn insert_credential(
        self,
        change: &mut Change<'_, '_>,
        session: SessionId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.insert_one(change, (2, List::Others), (RevokedKind::Credential, &session.to_string()), now)
    }

    /// Adds an entry for one access token of a client.
    pub(crate) fn insert_token(
        self,
        change: &mut Change<'_, '_>,
        token_id: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.insert_one(change, (3, List::Others), (RevokedKind::Token, token_id), now)
    }

    /// Adds an entry for all tokens of a client so far, which know people by names that are not theirs any more.
    pub(crate) fn insert_client(
        self,
        change: &mut Change<'_, '_>,
        client_id: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.insert_one(change, (4, List::Others), (RevokedKind::Client, client_id), now)
    }

    /// Adds entries for a client that is about to be removed or to lose everything it was granted, and for the grants that others may have exchanged its tokens
    /// from: those name another client.
    pub(crate) fn insert_removed_client(
        self,
        change: &mut Change<'_, '_>,
        client_id: &str,
        keeps_tokens: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        revocations::insert_grants_of_client(change.tx, client_id, keeps_tokens, now, before(now))?;
        self.insert_client(change, client_id, now.plus_ms(REMOVAL_MS))
    }

    /// Adds an entry for everything that a key has signed.
    pub(crate) fn insert_key(
        self,
        change: &mut Change<'_, '_>,
        number: usize,
        key: SigningKeyId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Behind the five above.
        self.insert_one(change, (number + 5, List::Others), (RevokedKind::Key, &key.to_string()), now)
    }

    fn insert_one(
        self,
        change: &mut Change<'_, '_>,
        (position, list): (usize, List),
        (kind, subject): (RevokedKind, &str),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        change.note_revocation();
        revocations::insert(change.tx, self.entry(position, list), kind, subject, now)
    }

    /// The id of the entry at a position of a list.
    fn entry(self, position: usize, list: List) -> RevocationId {
        let mut uuid = self.0;
        let position = u32::try_from(position).unwrap_or(u32::MAX).to_be_bytes();
        for (byte, mixed) in uuid[12..].iter_mut().zip(position) {
            *byte ^= mixed;
        }
        uuid[11] ^= list as u8;
        RevocationId::from_uuid(uuid)
    }
}

fn before(now: Timestamp) -> Timestamp {
    now.plus_ms(-TOKENS_LIVE_MS)
}
