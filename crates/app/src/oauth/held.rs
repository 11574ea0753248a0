//! What a person let a client do, as long as it is so.

use doorward_model::time::Timestamp;
use doorward_store::grants::HeldGrant;

use crate::sessions::usable_life;

/// Whether a grant is good at `now`, when it was last used at `seen`.
pub(super) fn is_alive(held: &HeldGrant, now: Timestamp, seen: Timestamp) -> bool {
    let session = held.session.as_ref();
    held.grant.revoked_at.is_none()
        && now < held.grant.expires_at
        && held.user.disabled_at.is_none()
        && session.is_none_or(|session| usable_life(session, session.last_seen_at.max(seen), now).is_ok())
}
