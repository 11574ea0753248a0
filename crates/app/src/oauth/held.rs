//! What a person let a client do, as long as it is so.

use doorward_model::id::GrantId;
use doorward_model::time::Timestamp;
use doorward_store::grants::{self, Grant};
use doorward_store::sessions::{self, Session};
use doorward_store::users::{self, User};
use doorward_store::{StoreError, Tx};

use crate::sessions::usable;

/// A grant with everything its life depends on.
pub(super) struct HeldGrant {
    pub(super) grant: Grant,
    pub(super) user: User,
    /// The session it belongs to, if it belongs to one.
    session: Option<Session>,
}

impl HeldGrant {
    /// The grant with this id, whatever its state.
    pub(super) fn find(tx: &mut Tx<'_>, id: GrantId) -> Result<Option<Self>, StoreError> {
        match grants::find(tx, id)? {
            Some(grant) => Self::of(tx, grant),
            None => Ok(None),
        }
    }

    /// What the life of `grant` depends on; none when that is gone.
    pub(super) fn of(tx: &mut Tx<'_>, grant: Grant) -> Result<Option<Self>, StoreError> {
        let Some(user) = users::find(tx, grant.user_id)? else { return Ok(None) };
        let session = match grant.session_id {
            None => None,
            Some(id) => match sessions::find(tx, id)? {
                None => return Ok(None),
                found => found,
            },
        };
        Ok(Some(Self { grant, user, session }))
    }

    /// Whether it is good at `now`, when it was last used at `seen`.
    pub(super) fn is_alive(&self, now: Timestamp, seen: Timestamp) -> bool {
        let session = self.session.as_ref();
        self.grant.revoked_at.is_none()
            && now < self.grant.expires_at
            && self.user.disabled_at.is_none()
            && session.is_none_or(|session| usable(session, session.last_seen_at.max(seen), now).is_ok())
    }
}
