//! Access tokens, and the refresh tokens that renew them.

use std::convert::Infallible;

use doorward_model::id::{FamilyId, SessionId, UserId};
use doorward_model::secret::SecretText;
use doorward_store::sessions::{self, Session};
use doorward_store::token_families::{self, TokenFamily};
use doorward_store::{StoreError, Tx};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::App;
use crate::authentication::Principal;
use crate::change::Change;
use crate::failure::Failure;
use crate::keys::access_tokens::{AccessGrant, IssueError};
use crate::op::Op;
use crate::renewal::{Presentation, Presenter};
use crate::revocations::RevocationBatch;
use crate::sessions::{read_amr, usable};

/// The `client_id` of tokens that first-party applications hold without being registered.
const FIRST_PARTY: &str = "doorward";
/// What those tokens allow: the person's own account.
const FIRST_PARTY_SCOPE: &str = "account";

/// A fresh access token.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The JWT.
    pub text: SecretText,
    /// How long it lives, in seconds.
    pub expires_in: i64,
}

/// What presenting a refresh token came to.
pub enum Renewal {
    /// A new access token and the next refresh token.
    Renewed {
        /// The access token.
        access: AccessToken,
        /// The refresh token to use next.
        refresh: Zeroizing<String>,
        /// The session they belong to.
        session: SessionId,
    },
    /// Unknown, malformed, expired or ended.
    Refused,
    /// Two parties hold this family: it has ended, with its session.
    Reused,
    /// Too many renewals of this family; nothing was consumed.
    SlowDown {
        /// When to try again, in seconds.
        retry_after_seconds: u32,
    },
}

impl App {
    /// A new access token for the session the caller acts through.
    pub async fn mint_access_token(&self, op: &Op, principal: &Principal) -> Result<Option<AccessToken>, Failure> {
        let id = principal.session_id;
        let session = match self.session_cache.find(id, op.now) {
            Some(live) => live.session.clone(),
            None => match self.store.read(move |tx| sessions::find(tx, id)).await? {
                Some(session) => session,
                None => return Ok(None),
            },
        };
        self.issue_access_token(op, &session)
    }

    /// An access token that never outlives `session`; none when that ends within the second.
    pub(crate) fn issue_access_token(&self, op: &Op, session: &Session) -> Result<Option<AccessToken>, Failure> {
        let amr = read_amr(session)?;
        let grant = AccessGrant {
            subject: session.user_id,
            session_id: session.id,
            session_expires_at: session.expires_at,
            authenticated_at: session.authenticated_at,
            client_id: FIRST_PARTY,
            acr: &session.acr,
            amr: &amr,
            scope: FIRST_PARTY_SCOPE,
        };
        match self.keys.issue_access_token(&grant, op.now, op.random.as_ref()) {
            Ok(issued) => Ok(Some(AccessToken { text: issued.text, expires_in: issued.expires_in_seconds })),
            Err(IssueError::SessionOver) => Ok(None),
            Err(error) => Err(Failure::internal("issuing an access token", error)),
        }
    }

    /// Renews a session by refresh token.
    pub async fn renew(&self, op: &Op, text: &str) -> Result<Renewal, Failure> {
        let (refresh, session) = match self.present(op, text, FirstParty).await? {
            Presentation::Issue { next, held } => (next, held),
            Presentation::Refused => return Ok(Renewal::Refused),
            Presentation::Reused => return Ok(Renewal::Reused),
            Presentation::SlowDown(retry_after_seconds) => return Ok(Renewal::SlowDown { retry_after_seconds }),
            Presentation::Unfit(never) => match never {},
        };
        let Some(access) = self.issue_access_token(op, &session)? else {
            return Ok(Renewal::Refused);
        };
        self.session_cache.see_later(session.id, op.now);
        metrics::counter!("token_renewals_total").increment(1);
        Ok(Renewal::Renewed { access, refresh, session: session.id })
    }
}

/// An application of the person's own, which holds a refresh token in place of a cookie.
struct FirstParty;

impl Presenter for FirstParty {
    type Held = Session;
    type Unfit = Infallible;

    fn find(&self, tx: &mut Tx<'_>, id: FamilyId) -> Result<Option<(TokenFamily, Session)>, StoreError> {
        token_families::find_with_session(tx, id)
    }

    fn is_bound(&self, _: &TokenFamily, _: &Session) -> bool {
        true
    }

    fn is_alive(&self, op: &Op, family: &TokenFamily, session: &Session) -> bool {
        usable(session, session.last_seen_at.max(family.issued_at), op.now).is_ok()
    }

    fn check(&self, _: &Session) -> Result<(), Infallible> {
        Ok(())
    }

    fn end(
        change: &mut Change<'_, '_>,
        session: &Session,
        op: &Op,
        list: RevocationBatch,
        why: &str,
    ) -> Result<(), StoreError> {
        sessions::revoke(change.tx, session.id, session.user_id, op.now, why)?;
        list.insert(change, &[session.id], op.now)
    }

    fn forget(app: &App, session: &Session) {
        app.session_cache.forget(&[session.id]);
    }

    fn user(session: &Session) -> UserId {
        session.user_id
    }

    fn label(&self, session: &Session) -> String {
        session.device_label.clone()
    }

    fn fact(session: &Session) -> (&'static str, Value) {
        ("session", session.id.to_string().into())
    }
}
