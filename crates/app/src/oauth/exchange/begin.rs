//! A grant and everything that begins with it: what a person has let a client do, whatever way they said so.

use doorward_model::id::{EventId, GrantId, SessionId};
use doorward_model::secret::SecretText;
use doorward_model::time::{SECOND_MS, Timestamp};
use doorward_oidc::client::{Client, Grant as GrantKind};
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::jose::Thumbprint;
use doorward_oidc::resource::Resource;
use doorward_oidc::scope::OFFLINE_ACCESS;
use doorward_store::client_sessions::{self, ClientSession};
use doorward_store::grants::{self, Grant};
use doorward_store::sessions::{self, Session};
use doorward_store::token_families::{self, Renewed, TokenFamily};
use doorward_store::users::{self, User};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Caller, narrowed};
use crate::App;
use crate::change::Change;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::oauth::renewals::rotation;
use crate::oauth::tokens::still_registered;
use crate::op::Op;
use crate::revocations::RevocationBatch;
use crate::sessions::start::FamilySeed;
use crate::sessions::usable;

/// How many grants that outlive sessions a person may have given one client; the oldest ends.
const MOST_OFFLINE_GRANTS: i64 = 20;

/// Who gets a grant, with everything its transaction needs, drawn before it because it may run twice.
pub(super) struct Begin {
    pub(super) op: Op,
    pub(super) client: Client,
    pub(super) dpop_key: Option<Thumbprint>,
    pub(super) event: EventId,
    pub(super) revocations: RevocationBatch,
    /// For a client that may renew: its first refresh token, and the family it begins.
    family: Option<(Zeroizing<String>, FamilySeed)>,
}

/// What is granted.
pub(super) struct NewGrant {
    pub(super) id: GrantId,
    pub(super) scope: String,
    /// The services, as a JSON list.
    pub(super) resources: String,
    /// The claims asked for, as a JSON list.
    pub(super) claims: String,
}

/// What of a request is given.
pub(super) struct Share {
    pub(super) scope: String,
    /// The services, as a JSON list.
    pub(super) granted: String,
    /// Those of them that the access token is to be good at.
    pub(super) resources: Vec<String>,
}

impl App {
    /// Draws what a grant to the caller may need.
    pub(super) fn draw_grant(&self, op: &Op, caller: &Caller) -> Begin {
        Begin {
            op: op.clone(),
            client: caller.client.clone(),
            dpop_key: caller.dpop_key,
            event: EventId::new(op.now, op.random.as_ref()),
            revocations: RevocationBatch::new(op),
            family: caller.client.may_use(GrantKind::RefreshToken).then(|| self.draw_family(op)),
        }
    }
}

impl Begin {
    /// The first refresh token, where the client gets one.
    pub(super) fn refresh_token(&self) -> Option<SecretText> {
        self.family.as_ref().map(|(text, _)| SecretText::new(text.as_str().to_owned()))
    }

    /// The session in which the person said yes, if it is not over, and the person. `scope` is what is left of what they
    /// allowed: it says what the grant hangs on.
    ///
    /// What outlives the session hangs on nothing but the person's row. Whoever ends everything of a person (another
    /// password, an operator) holds its lock and sees the grant, or has done so before this looks.
    pub(super) fn living_session(
        &self,
        change: &mut Change<'_, '_>,
        id: SessionId,
        scope: &str,
    ) -> Result<Option<(Session, User)>, Failure> {
        let is_usable = |session: &Session| usable(session, session.last_seen_at, self.op.now).is_ok();
        if !self.outlives_session(scope) {
            // Whoever ends the session waits for the grant and tells of it, or has ended it before this looks.
            return Ok(sessions::hold(change.tx, id)?.filter(|(session, _)| is_usable(session)));
        }
        let Some(session) = sessions::find(change.tx, id)?.filter(is_usable) else { return Ok(None) };
        if !users::lock(change.tx, session.user_id)? {
            return Ok(None);
        }
        let Some(session) = sessions::find(change.tx, id)?.filter(is_usable) else { return Ok(None) };
        Ok(users::find(change.tx, session.user_id)?.map(|user| (session, user)))
    }

    /// What a person allowed, as far as the client is registered for it still. `named` are the services that the access token
    /// is to be good at; all, when none is named.
    pub(super) fn share(
        &self,
        scope: &str,
        resources: &str,
        named: &[Resource],
    ) -> Result<Result<Share, OAuthError>, Failure> {
        let Some((scope, services)) = still_registered(&self.client, scope, resources)? else {
            let description = "the client is registered for nothing of what was granted";
            return Ok(Err(OAuthError::new(ErrorCode::InvalidScope, description)));
        };
        let left: Vec<String> = services.iter().map(|one| one.as_str().to_owned()).collect();
        let granted = json!(left).to_string();
        Ok(narrowed(left, named).map(|resources| Share { scope: scope.to_string(), granted, resources }))
    }

    /// Whether the grant is to live on without the session.
    fn outlives_session(&self, scope: &str) -> bool {
        self.family.is_some() && scope.split(' ').any(|word| word == OFFLINE_ACCESS)
    }

    /// Writes the grant with the event that records it, and the family of its refresh tokens where the client gets one. None,
    /// and nothing is written, when there is a grant of this id.
    pub(super) fn grant(
        &self,
        change: &mut Change<'_, '_>,
        new: NewGrant,
        session: &Session,
    ) -> Result<Option<Grant>, Failure> {
        let now = self.op.now;
        let (session_id, expires_at) = self.end_of(&new.scope, session);
        let grant = Grant {
            id: new.id,
            user_id: session.user_id,
            client_id: self.client.id().to_string(),
            session_id,
            scope: new.scope,
            resources: new.resources,
            claims: new.claims,
            amr: session.amr.clone(),
            acr: session.acr.clone(),
            authenticated_at: session.authenticated_at,
            created_at: now,
            expires_at,
            revoked_at: None,
        };
        if !grants::insert(change.tx, &grant)? {
            return Ok(None);
        }
        self.note_session(change, session)?;
        if grant.session_id.is_none() {
            let (user, client) = (grant.user_id, &grant.client_id);
            let why = "too_many_grants";
            let ended = grants::revoke_oldest_offline(change.tx, user, client, MOST_OFFLINE_GRANTS, now, why)?;
            self.revocations.insert_grants(change, &ended, now)?;
        }
        if let Some((_, seed)) = &self.family {
            let family = seed.grow(Renewed::Grant(grant.id), now, rotation(&self.client), grant.expires_at);
            // A client that proves who it is needs no key to be the only one who renews (RFC 9449 section 5).
            let key = self.dpop_key.filter(|_| self.client.is_public());
            let family = TokenFamily { dpop_key: key.map(|key| *key.as_bytes()), ..family };
            token_families::insert(change.tx, &family)?;
        }
        let event = EventDraft::with_id(self.event, &self.op, Action::CodeRedeemed);
        // It is the application that comes with the code: whoever it signs in is told by nothing else.
        let facts = [
            ("user", grant.user_id.to_string().into()),
            ("session", session.id.to_string().into()),
            ("client", grant.client_id.clone().into()),
            ("scope", grant.scope.clone().into()),
            ("offline", grant.session_id.is_none().into()),
        ];
        change.record(&event.subject(grant.id).data(facts))?;
        Ok(Some(grant))
    }

    /// A client that wants to hear of the session's end does.
    fn note_session(&self, change: &mut Change<'_, '_>, session: &Session) -> Result<(), Failure> {
        let metadata = self.client.metadata();
        if metadata.backchannel_logout.is_some() || metadata.frontchannel_logout.is_some() {
            let client_id = self.client.id().to_string();
            let row = ClientSession { session_id: session.id, client_id, user_id: session.user_id };
            client_sessions::insert(change.tx, &row)?;
        }
        Ok(())
    }

    /// The session a grant ends with, if any, and when it is over at the latest.
    fn end_of(&self, scope: &str, session: &Session) -> (Option<SessionId>, Timestamp) {
        let lifetimes = self.client.metadata().lifetimes;
        let after = |seconds: u32| self.op.now.plus_ms(i64::from(seconds) * SECOND_MS);
        if self.family.is_none() {
            return (Some(session.id), after(lifetimes.access_token_seconds).min(session.expires_at));
        }
        let latest = after(lifetimes.refresh_token_seconds);
        if self.outlives_session(scope) {
            return (None, latest);
        }
        (Some(session.id), latest.min(session.expires_at))
    }
}
