//! A code for tokens, once (RFC 6749 section 4.1.3).

use doorward_model::id::SessionId;
use doorward_model::secret::{PlainToken, SecretText, TokenHash, TokenKind};
use doorward_oidc::code::{CodeBinding, Redeemer, Redemption};
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::jose::Thumbprint;
use doorward_oidc::pkce::{Challenge, Verifier};
use doorward_oidc::resource::Resource;
use doorward_store::authorization_codes::{self, AuthorizationCode};
use doorward_store::grants::{self, Grant};
use doorward_store::users::{self, User};

use super::begin::{Begin, NewGrant, Share};
use super::{Caller, TokenAnswer, TokenRefusal};
use crate::App;
use crate::change::Change;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::oauth::tokens::{Basis, read_scope};
use crate::op::Op;

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
    begin: Begin,
    hash: TokenHash,
    presented: Presented,
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
        let begin = self.draw_grant(op, caller);
        let refresh = begin.refresh_token();
        let attempt = Attempt { begin, hash: code.dated_hash(), presented };
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
    let (now, presented) = (attempt.begin.op.now, &attempt.presented);
    let Some(code) = authorization_codes::find(change.tx, &attempt.hash)? else {
        return Ok(refused(change, ErrorCode::InvalidGrant, "the code is unknown"));
    };
    let redeemer = Redeemer {
        client_id: attempt.begin.client.id().as_str(),
        redirect_uri: presented.redirect_uri.as_deref(),
        verifier: presented.verifier.as_ref(),
        dpop_key: attempt.begin.dpop_key,
    };
    match binding(&code).redeem(&redeemer, now) {
        Redemption::Refused(description) => return Ok(refused(change, ErrorCode::InvalidGrant, description)),
        Redemption::Replay => return replayed(change, attempt, &code),
        Redemption::Grant => {}
    }
    let Share { scope, granted, resources } =
        match attempt.begin.share(&code.scope, &code.resources, &presented.resources)? {
            Ok(share) => share,
            Err(error) => return Ok(refused(change, error.code, error.description)),
        };
    let Some(session) = attempt.begin.living_session(change, code.session_id, &code.scope)? else {
        return Ok(refused(change, ErrorCode::InvalidGrant, "the session is over"));
    };
    let Some(user) = users::find(change.tx, session.user_id)? else {
        return Ok(refused(change, ErrorCode::InvalidGrant, "the session is over"));
    };
    // Of several at once one takes it; for the others it is a second use.
    if !authorization_codes::take(change.tx, &attempt.hash, now)? {
        return replayed(change, attempt, &code);
    }
    let AuthorizationCode { nonce, grant_id: id, claims, .. } = code;
    let grant = attempt.begin.grant(change, NewGrant { id, scope, resources: granted, claims }, &session)?;
    Ok(Outcome::Granted(Box::new(Redeemed { grant, user, session_id: session.id, nonce, resources })))
}

/// Nothing is used up.
fn refused(change: &mut Change<'_, '_>, code: ErrorCode, description: &'static str) -> Outcome {
    change.quietly();
    Outcome::Refused(OAuthError::new(code, description))
}

/// Two parties hold code and verifier: what the first one got ends (RFC 6749 section 4.1.2).
fn replayed(change: &mut Change<'_, '_>, attempt: &Attempt, code: &AuthorizationCode) -> Result<Outcome, Failure> {
    let now = attempt.begin.op.now;
    if grants::revoke(change.tx, code.grant_id, now, "code_reused")? {
        attempt.begin.revocations.insert_grants(change, &[code.grant_id], now)?;
        let event = EventDraft::with_id(attempt.begin.event, &attempt.begin.op, Action::CodeReused).refused();
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
