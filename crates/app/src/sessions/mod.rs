//! Sessions: whose a credential is, which ones a person has, and how they end.

pub(crate) mod cache;
pub mod start;

use std::sync::Arc;

use doorward_model::id::{SessionId, UserId};
use doorward_model::secret::PlainToken;
use doorward_model::time::Timestamp;
pub use doorward_store::sessions::Session;
use doorward_store::sessions::{self, Life};
use doorward_store::{StoreError, Tx};

use crate::App;
use crate::authentication::{AuthenticationError, Principal, Via};
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::op::Op;
use crate::revocations::RevocationBatch;
use cache::Live;

impl App {
    /// Whose session cookie this is.
    pub async fn authenticate_cookie(&self, op: &Op, cookie: &PlainToken) -> Result<Principal, AuthenticationError> {
        let credential = cookie.hash();
        let cached = self.session_cache.find_by_credential(&credential, op.now);
        let live = match cached.filter(|live| is_usable(live, op.now)) {
            Some(live) => live,
            None => self.load(move |tx| sessions::find_by_credential(tx, &credential)).await?,
        };
        self.admit(op, &live, Via::Cookie)
    }

    /// Whose access token this is. The signature alone is not enough: the session must be alive now.
    pub async fn authenticate_bearer(&self, op: &Op, token: &str) -> Result<Principal, AuthenticationError> {
        let claims = self.keys.verify_access_token(token, op.now).map_err(AuthenticationError::from)?;
        let id = claims.session_id;
        let live = match self.session_cache.find(id, op.now).filter(|live| is_usable(live, op.now)) {
            Some(live) => live,
            None => self.load(move |tx| sessions::find(tx, id)).await?,
        };
        if live.session.user_id != claims.subject {
            return Err(AuthenticationError::Invalid);
        }
        self.admit(op, &live, Via::Bearer)
    }

    async fn load<F>(&self, find: F) -> Result<Arc<Live>, AuthenticationError>
    where
        F: Fn(&mut Tx<'_>) -> Result<Option<Session>, StoreError> + Send + 'static,
    {
        let ticket = self.session_cache.ticket();
        let found = self.store.read(find).await.map_err(AuthenticationError::Unchecked)?;
        let session = found.ok_or(AuthenticationError::Invalid)?;
        Ok(self.session_cache.insert(session, ticket))
    }

    fn admit(&self, op: &Op, live: &Live, via: Via) -> Result<Principal, AuthenticationError> {
        let session = &live.session;
        usable(session, live.last_seen(), op.now)?;
        self.session_cache.see(live, op.now);
        Ok(Principal {
            user_id: session.user_id,
            session_id: session.id,
            is_admin: session.user_is_admin,
            authenticated_at: session.authenticated_at,
            via,
        })
    }

    /// A page of the living sessions of `user`, newest first, with the id to continue from.
    pub async fn list_sessions(
        &self,
        op: &Op,
        user: UserId,
        before: Option<SessionId>,
        limit: u8,
    ) -> Result<(Vec<Session>, Option<SessionId>), Failure> {
        let (now, limit) = (op.now, i64::from(limit));
        let mut page = self.store.read(move |tx| sessions::list_living(tx, user, now, before, limit + 1)).await?;
        let more = i64::try_from(page.len()).unwrap_or(i64::MAX) > limit;
        if more {
            page.pop();
        }
        let next = if more { page.last().map(|session| session.id) } else { None };
        Ok((page, next))
    }

    /// Signs out: ends the session the caller acts through.
    pub async fn sign_out(&self, op: &Op, principal: &Principal) -> Result<(), Failure> {
        self.end(op, principal.user_id, principal.session_id, Action::SignOut, "signed_out").await.map(|_| ())
    }

    /// Ends one session of the caller; false when they have no such living session.
    pub async fn end_session(&self, op: &Op, principal: &Principal, id: SessionId) -> Result<bool, Failure> {
        self.end(op, principal.user_id, id, Action::SessionEnded, "ended_by_user").await
    }

    async fn end(
        &self,
        op: &Op,
        user: UserId,
        id: SessionId,
        action: Action,
        reason: &'static str,
    ) -> Result<bool, Failure> {
        let event = EventDraft::new(op, action).subject(id);
        let entries = RevocationBatch::new(op);
        let now = op.now;
        let ended = self
            .change(move |change| {
                if !sessions::revoke(change.tx, id, user, now, reason)? {
                    change.quietly();
                    return Ok(false);
                }
                entries.insert(change, &[id], now)?;
                change.record(&event)?;
                Ok(true)
            })
            .await?;
        if ended {
            self.session_cache.forget(&[id]);
        }
        Ok(ended)
    }

    /// Ends every session of the caller but the one they act through; says how many.
    pub async fn end_other_sessions(&self, op: &Op, principal: &Principal) -> Result<usize, Failure> {
        let (user, keep, now) = (principal.user_id, principal.session_id, op.now);
        let event = EventDraft::new(op, Action::SessionEnded).subject(user);
        let entries = RevocationBatch::new(op);
        let ended = self
            .change(move |change| {
                let ended = sessions::revoke_others(change.tx, user, Some(keep), now, "ended_by_user")?;
                if ended.is_empty() {
                    change.quietly();
                    return Ok(ended);
                }
                entries.insert(change, &ended, now)?;
                change.record(&event.clone().data([("count", ended.len().into())]))?;
                Ok(ended)
            })
            .await?;
        self.session_cache.forget(&ended);
        Ok(ended.len())
    }

    /// Writes the noted uses of sessions in bounded batches; what fails to be written is noted again.
    pub async fn flush_last_seen(&self) -> Result<usize, Failure> {
        const BATCH: usize = 500;
        let seen = self.session_cache.take_seen();
        for (written, batch) in seen.chunks(BATCH).enumerate() {
            let rows = batch.to_vec();
            let result = self
                .store
                .write(move |tx| {
                    for (id, at) in &rows {
                        sessions::see(tx, *id, *at)?;
                    }
                    Ok::<_, StoreError>(())
                })
                .await;
            if let Err(error) = result {
                for (id, at) in &seen[written * BATCH..] {
                    self.session_cache.see_later(*id, *at);
                }
                return Err(error.into());
            }
        }
        Ok(seen.len())
    }
}

/// Whether the cache alone may let a session in. What it would refuse is looked up: the session may have been used
/// on another node since.
fn is_usable(live: &Live, now: Timestamp) -> bool {
    usable(&live.session, live.last_seen(), now).is_ok()
}

/// How the person proved who they are (RFC 8176).
pub(crate) fn read_amr(session: &Session) -> Result<Vec<String>, Failure> {
    serde_json::from_str(&session.amr)
        .map_err(|error| Failure::internal("reading how a session was authenticated", error))
}

/// Whether a session may be used at `now`.
pub(crate) fn usable(session: &Session, last_seen: Timestamp, now: Timestamp) -> Result<(), AuthenticationError> {
    usable_life(&session.life(), last_seen, now)
}

/// The same of what was read of a session.
pub(crate) fn usable_life(life: &Life, last_seen: Timestamp, now: Timestamp) -> Result<(), AuthenticationError> {
    if life.is_revoked || life.user_disabled {
        return Err(AuthenticationError::SessionRevoked);
    }
    if now >= life.expires_at || now >= last_seen.plus_ms(life.idle_ms) {
        return Err(AuthenticationError::SessionExpired);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
