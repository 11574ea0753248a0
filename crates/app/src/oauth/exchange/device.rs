//! The code of a device for tokens, once a person has said yes (RFC 8628 section 3.4).

use doorward_model::id::{GrantId, SessionId};
use doorward_model::secret::{PlainToken, SecretText, TokenHash, TokenKind};
use doorward_oidc::device::{self, Poll};
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::resource::Resource;
use doorward_store::device_requests::{self, DeviceDecision, DeviceRequest};
use doorward_store::grants::Grant;
use doorward_store::users::User;

use super::begin::{Begin, NewGrant, Share};
use super::{Caller, TokenAnswer, TokenRefusal};
use crate::App;
use crate::change::Change;
use crate::failure::Failure;
use crate::oauth::tokens::{Basis, read_scope};
use crate::op::Op;

const UNKNOWN: OAuthError = OAuthError::new(ErrorCode::InvalidGrant, "the device code is unknown");
const USED: OAuthError = OAuthError::new(ErrorCode::InvalidGrant, "the device code was used before");

struct Attempt {
    begin: Begin,
    hash: TokenHash,
    grant_id: GrantId,
    /// The services the access token is to be good at; all that were allowed, when none is named.
    named: Vec<Resource>,
}

/// What a code was good for.
struct Redeemed {
    grant: Grant,
    user: User,
    session_id: SessionId,
    /// Where the access token is to be good.
    resources: Vec<String>,
}

enum Outcome {
    Granted(Box<Redeemed>),
    Refused(OAuthError),
}

impl App {
    /// Gives tokens for the code of a device, or says how it stands.
    pub(super) async fn redeem_device_code(
        &self,
        op: &Op,
        caller: &Caller,
        code: &SecretText,
        named: Vec<Resource>,
    ) -> Result<TokenAnswer, TokenRefusal> {
        let code = PlainToken::parse(TokenKind::DeviceCode, code.reveal()).ok_or(UNKNOWN)?;
        let begin = self.draw_grant(op, caller);
        let refresh_token = begin.refresh_token();
        let grant_id = GrantId::new(op.now, op.random.as_ref());
        let attempt = Attempt { begin, hash: code.hash(), grant_id, named };
        let Redeemed { grant, user, session_id, resources } =
            match self.change(move |change| redeem(change, &attempt)).await? {
                Outcome::Granted(granted) => *granted,
                Outcome::Refused(error) => return Err(error.into()),
            };
        let scope = read_scope(&grant.scope)?;
        let basis = Basis {
            client: &caller.client,
            grant: &grant,
            user: &user,
            scope: &scope,
            resources,
            nonce: None,
            session_id: Some(session_id),
            dpop_key: caller.dpop_key,
        };
        Ok(TokenAnswer { refresh_token, ..self.sign_tokens(op, &basis)? })
    }
}

fn redeem(change: &mut Change<'_, '_>, attempt: &Attempt) -> Result<Outcome, Failure> {
    let now = attempt.begin.op.now;
    let refused = |change: &mut Change<'_, '_>, error| {
        change.quietly();
        Ok(Outcome::Refused(error))
    };
    let Some(seen) = device_requests::find(change.tx, &attempt.hash)? else { return refused(change, UNKNOWN) };
    match rules(&seen)?.poll(attempt.begin.client.id().as_str(), now) {
        Poll::Grant => {}
        Poll::Refused(error) => {
            if error.code == ErrorCode::AuthorizationPending {
                device_requests::note_poll(change.tx, &seen, seen.interval_seconds, now)?;
            }
            return refused(change, error);
        }
        Poll::SlowDown { interval_seconds } => {
            device_requests::note_poll(change.tx, &seen, interval_seconds.into(), now)?;
            return refused(change, OAuthError::new(ErrorCode::SlowDown, "the device asks too often"));
        }
    }
    let Share { scope, granted, resources } = match attempt.begin.share(&seen.scope, &seen.resources, &attempt.named)? {
        Ok(share) => share,
        Err(error) => return refused(change, error),
    };
    let session = match seen.session_id {
        Some(id) => attempt.begin.living_session(change, id, &scope)?,
        None => None,
    };
    let over = OAuthError::new(ErrorCode::InvalidGrant, "the session of whoever said yes is over");
    let Some((session, user)) = session else { return refused(change, over) };
    // Of several at once one takes it.
    if !device_requests::decide(change.tx, &seen, DeviceDecision::Redeemed, seen.session_id)? {
        return refused(change, USED);
    }
    let new = NewGrant { id: attempt.grant_id, scope, resources: granted, claims: "[]".to_owned() };
    let Some(grant) = attempt.begin.grant(change, new, &session)? else { return refused(change, USED) };
    Ok(Outcome::Granted(Box::new(Redeemed { grant, user, session_id: session.id, resources })))
}

/// The request as the rules judge it.
pub(in crate::oauth) fn rules(row: &DeviceRequest) -> Result<device::DeviceRequest, Failure> {
    let interval = u32::try_from(row.interval_seconds);
    Ok(device::DeviceRequest {
        client_id: row.client_id.clone(),
        expires_at: row.expires_at,
        interval_seconds: interval.map_err(|error| Failure::internal("reading a device request", error))?,
        polled_at: row.polled_at,
        decision: match row.decision {
            DeviceDecision::Pending => device::Decision::Pending,
            DeviceDecision::Approved => device::Decision::Approved,
            DeviceDecision::Denied => device::Decision::Denied,
            DeviceDecision::Redeemed => device::Decision::Redeemed,
        },
    })
}
