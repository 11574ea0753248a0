//! A code for tokens, once (RFC 6749 section 4.1.3).

use doorward_model::id::{EventId, SessionId};
use doorward_model::secret::{PlainToken, SecretText, TokenHash, TokenKind};
use doorward_model::time::{SECOND_MS, Timestamp};
use doorward_oidc::client::{Client, Grant as GrantKind};
use doorward_oidc::code::{CodeBinding, Redeemer, Redemption};
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::jose::Thumbprint;
use doorward_oidc::pkce::{Challenge, Verifier};
use doorward_oidc::resource::Resource;
use doorward_oidc::scope::OFFLINE_ACCESS;
use doorward_store::authorization_codes::{self, AuthorizationCode};
use doorward_store::client_sessions::{self, ClientSession};
use doorward_store::grants::{self, Grant};
use doorward_store::sessions::{self, Session};
use doorward_store::token_families::{self, Renewed, TokenFamily};
use doorward_store::users::{self, User};
use zeroize::Zeroizing;

use super::{Caller, TokenAnswer, TokenRefusal, narrowed};
use crate::App;
use crate::change::Change;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::oauth::renewals::rotation;
use crate::oauth::tokens::{Basis, read_list, read_scope};
use crate::op::Op;
use crate::sessions::start::FamilySeed;
use crate::sessions::{RevocationBatch, usable};

/// How many grants that outlive sessions a person may have given one client; the oldest ends.
const MOST_OFFLINE_GRANTS: i64 = 20;

/// A code, as somebody presents it.
pub(super) struct Presented {
    pub(super) code: SecretText,
    pub(super) redirect_uri: Option<String>,
    pub(super) verifier: Option<Verifier>,
    /// What the tokens are narrowed to; empty for everything that was granted.
    pub(super) resources: Vec<Resource>,
}

/// Everything the transaction needs, drawn before it because it may run twice.
struct Attempt {
    op: Op,
    client: Client,
    hash: TokenHash,
    presented: Presented,
    dpop_key: Option<Thumbprint>,
    event: EventId,
    revocations: RevocationBatch,
    /// For a client that may renew: its first refresh token, and the family it begins.
    family: Option<(Zeroizing<String>, FamilySeed)>,
}

/// What a code was good for.
struct Redeemed {
    grant: Grant,
    user: User,
    session_id: SessionId,
    nonce: Option<String>,
    /// Where the access token is to be good.
    resources: Vec<String>,
}

enum Outcome {
    Granted(Box<Redeemed>),
    Refused(OAuthError),
}

impl App {
    /// Gives tokens for a code.
    pub(super) async fn redeem_code(
        &self,
        op: &Op,
        caller: &Caller,
        presented: Presented,
    ) -> Result<TokenAnswer, TokenRefusal> {
        let wrong = OAuthError::new(ErrorCode::InvalidGrant, "the code is unknown");
        let code = PlainToken::parse(TokenKind::AuthorizationCode, presented.code.reveal()).ok_or(wrong)?;
        let family = caller.client.may_use(GrantKind::RefreshToken).then(|| self.draw_family(op));
        let refresh = family.as_ref().map(|(text, _)| SecretText::new(text.as_str().to_owned()));
        let attempt = Attempt {
            op: op.clone(),
            client: caller.client.clone(),
            hash: code.hash(),
            presented,
            dpop_key: caller.dpop_key,
            event: EventId::new(op.now, op.random.as_ref()),
            revocations: RevocationBatch::new(op),
            family,
        };
        let redeemed = match self.change(move |change| redeem(change, &attempt)).await? {
            Outcome::Granted(redeemed) => redeemed,
            Outcome::Refused(error) => return Err(error.into()),
        };
        let Redeemed { grant, user, session_id, nonce, resources } = *redeemed;
        let scope = read_scope(&grant.scope)?;
        let basis = Basis {
            client: &caller.client,
            grant: &grant,
            user: &user,
            scope: &scope,
            resources,
            nonce: nonce.as_deref(),
            session_id: Some(session_id),
            dpop_key: caller.dpop_key,
        };
        let answer = self.sign_tokens(op, &basis)?;
        Ok(TokenAnswer { refresh_token: refresh, ..answer })
    }
}

fn redeem(change: &mut Change<'_, '_>, attempt: &Attempt) -> Result<Outcome, Failure> {
    let (now, presented) = (attempt.op.now, &attempt.presented);
    let Some(code) = authorization_codes::find(change.tx, &attempt.hash)? else {
        return Ok(refused(change, ErrorCode::InvalidGrant, "the code is unknown"));
    };
    let redeemer = Redeemer {
        client_id: attempt.client.id().as_str(),
        redirect_uri: presented.redirect_uri.as_deref(),
        verifier: presented.verifier.as_ref(),
        dpop_key: attempt.dpop_key,
    };
    match binding(&code).redeem(&redeemer, now) {
        Redemption::Refused(description) => return Ok(refused(change, ErrorCode::InvalidGrant, description)),
        Redemption::Replay => return replayed(change, attempt, &code),
        Redemption::Grant => {}
    }
    let resources = match narrowed(read_list(&code.resources)?, &presented.resources) {
        Ok(resources) => resources,
        Err(error) => return Ok(refused(change, error.code, error.description)),
    };
    let Some(session) = living_session(change, attempt, &code)? else {
        return Ok(refused(change, ErrorCode::InvalidGrant, "the session is over"));
    };
    let Some(user) = users::find(change.tx, session.user_id)? else {
        return Ok(refused(change, ErrorCode::InvalidGrant, "the session is over"));
    };
    // Of several at once one takes it; for the others it is a second use.
    if !authorization_codes::take(change.tx, &attempt.hash, now)? {
        return replayed(change, attempt, &code);
    }
    let nonce = code.nonce.clone();
    let grant = begin_grant(change, attempt, code, &session)?;
    let event = EventDraft::with_id(attempt.event, &attempt.op, Action::CodeRedeemed);
    change.record(
        &event
            .subject(grant.id)
            .data([("client", grant.client_id.clone().into()), ("offline", grant.session_id.is_none().into())]),
    )?;
    Ok(Outcome::Granted(Box::new(Redeemed { grant, user, session_id: session.id, nonce, resources })))
}

/// The session the code was issued in, if it is not over.
///
/// What outlives the session hangs on nothing but the person's row. Whoever ends everything of a person (another password,
/// an operator) holds its lock and sees the grant, or has done so before this looks.
fn living_session(
    change: &mut Change<'_, '_>,
    attempt: &Attempt,
    code: &AuthorizationCode,
) -> Result<Option<Session>, Failure> {
    let now = attempt.op.now;
    let is_usable = |session: &Session| usable(session, session.last_seen_at, now).is_ok();
    let Some(session) = sessions::find(change.tx, code.session_id)?.filter(is_usable) else { return Ok(None) };
    if !outlives_session(attempt, &code.scope) {
        return Ok(Some(session));
    }
    if !users::lock(change.tx, session.user_id)? {
        return Ok(None);
    }
    Ok(sessions::find(change.tx, code.session_id)?.filter(is_usable))
}

/// Whether the grant is to live on without the session.
fn outlives_session(attempt: &Attempt, scope: &str) -> bool {
    attempt.family.is_some() && scope.split(' ').any(|word| word == OFFLINE_ACCESS)
}

/// Writes the grant, and the family of its refresh tokens where the client gets one.
fn begin_grant(
    change: &mut Change<'_, '_>,
    attempt: &Attempt,
    code: AuthorizationCode,
    session: &Session,
) -> Result<Grant, Failure> {
    let now = attempt.op.now;
    let (session_id, expires_at) = end_of(attempt, &code.scope, session);
    let grant = Grant {
        id: code.grant_id,
        user_id: session.user_id,
        client_id: code.client_id,
        session_id,
        scope: code.scope,
        resources: code.resources,
        claims: code.claims,
        amr: session.amr.clone(),
        acr: session.acr.clone(),
        authenticated_at: session.authenticated_at,
        created_at: now,
        expires_at,
        revoked_at: None,
    };
    grants::insert(change.tx, &grant)?;
    let metadata = attempt.client.metadata();
    if metadata.backchannel_logout.is_some() || metadata.frontchannel_logout.is_some() {
        let (session_id, user_id, client_id) = (session.id, grant.user_id, grant.client_id.clone());
        client_sessions::insert(change.tx, &ClientSession { session_id, client_id, user_id })?;
    }
    if grant.session_id.is_none() {
        let (user, client) = (grant.user_id, &grant.client_id);
        let why = "too_many_grants";
        let ended = grants::revoke_oldest_offline(change.tx, user, client, MOST_OFFLINE_GRANTS, now, why)?;
        attempt.revocations.insert_grants(change.tx, &ended, now)?;
    }
    if let Some((_, seed)) = &attempt.family {
        let family = seed.grow(Renewed::Grant(grant.id), now, rotation(&attempt.client), grant.expires_at);
        // A client that proves who it is needs no key to be the only one who renews (RFC 9449 section 5).
        let key = attempt.dpop_key.filter(|_| attempt.client.is_public());
        let family = TokenFamily { dpop_key: key.map(|key| *key.as_bytes()), ..family };
        token_families::insert(change.tx, &family)?;
    }
    Ok(grant)
}

/// The session a grant ends with, if any, and when it is over at the latest.
fn end_of(attempt: &Attempt, scope: &str, session: &Session) -> (Option<SessionId>, Timestamp) {
    let lifetimes = attempt.client.metadata().lifetimes;
    let after = |seconds: u32| attempt.op.now.plus_ms(i64::from(seconds) * SECOND_MS);
    if attempt.family.is_none() {
        return (Some(session.id), after(lifetimes.access_token_seconds).min(session.expires_at));
    }
    let latest = after(lifetimes.refresh_token_seconds);
    if outlives_session(attempt, scope) {
        return (None, latest);
    }
    (Some(session.id), latest.min(session.expires_at))
}

/// Nothing is used up.
fn refused(change: &mut Change<'_, '_>, code: ErrorCode, description: &'static str) -> Outcome {
    change.quietly();
    Outcome::Refused(OAuthError::new(code, description))
}

/// Two parties hold code and verifier: what the first one got ends (RFC 6749 section 4.1.2).
fn replayed(change: &mut Change<'_, '_>, attempt: &Attempt, code: &AuthorizationCode) -> Result<Outcome, Failure> {
    let now = attempt.op.now;
    if grants::revoke(change.tx, code.grant_id, now, "code_reused")? {
        attempt.revocations.insert_grants(change.tx, &[code.grant_id], now)?;
        let event = EventDraft::with_id(attempt.event, &attempt.op, Action::CodeReused).refused();
        change.record(&event.subject(code.grant_id).data([("client", code.client_id.clone().into())]))?;
    } else {
        change.quietly();
    }
    Ok(Outcome::Refused(OAuthError::new(ErrorCode::InvalidGrant, "the code was used before")))
}

fn binding(code: &AuthorizationCode) -> CodeBinding {
    CodeBinding {
        client_id: code.client_id.clone(),
        redirect_uri: code.redirect_uri.clone(),
        challenge: code.challenge.map(Challenge::from_bytes),
        dpop_key: code.dpop_key.map(Thumbprint::from_bytes),
        expires_at: code.expires_at,
        used: code.used_at.is_some(),
    }
}
