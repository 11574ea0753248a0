//! A code for tokens, once (RFC 6749 section 4.1.3).

use doorward_model::id::SessionId;
use doorward_model::secret::SecretText;
use doorward_oidc::code::{Redeemer, Redemption};
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::pkce::Verifier;
use doorward_oidc::resource::Resource;
use doorward_store::clients;
use doorward_store::consents::{self, Generations};
use doorward_store::grants::{self, Grant};
use doorward_store::users::User;

use super::begin::{Begin, NewGrant, Share};
use super::{Caller, TokenAnswer, TokenRefusal};
use crate::App;
use crate::change::Change;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::oauth::code::Code;
use crate::oauth::tokens::{Basis, read_scope};
use crate::op::Op;

const UNKNOWN: OAuthError = invalid("the code is unknown");
const OVER: OAuthError = invalid("the session is over");

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
    code: Code,
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
        let code = self.open_code(presented.code.reveal()).ok_or(UNKNOWN)?;
        let begin = self.draw_grant(op, caller);
        let refresh = begin.refresh_token();
        let attempt = Attempt { begin, code, presented };
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
    let Attempt { begin, code, presented } = attempt;
    let redeemer = Redeemer {
        client_id: begin.client.id().as_str(),
        redirect_uri: presented.redirect_uri.as_deref(),
        verifier: presented.verifier.as_ref(),
        dpop_key: begin.dpop_key,
    };
    let is_known = grants::find(change.tx, code.grant_id)?.is_some();
    match code.binding(is_known).redeem(&redeemer, begin.op.now) {
        Redemption::Refused(description) => return Ok(refused(change, invalid(description))),
        Redemption::Replay => return replayed(change, attempt),
        Redemption::Grant => {}
    }
    let Share { scope, granted, resources } = match begin.share(&code.scope, &code.resources, &presented.resources)? {
        Ok(share) => share,
        Err(error) => return Ok(refused(change, error)),
    };
    // Whoever takes something back does so before this and is seen, or waits and ends what is granted here.
    let Generations { consent, client } = code.generations;
    if !clients::hold(change.tx, redeemer.client_id, client)? {
        return Ok(refused(change, invalid("the client was kept out meanwhile")));
    }
    let Some((session, user)) = begin.living_session(change, code.session_id, &scope)? else {
        return Ok(refused(change, OVER));
    };
    if !consents::note_use(change.tx, user.id, redeemer.client_id, consent, begin.op.now)? {
        return Ok(refused(change, invalid("what was allowed was taken back")));
    }
    let new = NewGrant { id: code.grant_id, scope, resources: granted, claims: code.claims.clone() };
    // Of several at once one makes the grant; for the others it is a second use.
    let Some(grant) = begin.grant(change, new, &session)? else { return replayed(change, attempt) };
    let (session_id, nonce) = (session.id, code.nonce.clone());
    Ok(Outcome::Granted(Box::new(Redeemed { grant, user, session_id, nonce, resources })))
}

const fn invalid(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, description)
}

/// Nothing is used up.
fn refused(change: &mut Change<'_, '_>, error: OAuthError) -> Outcome {
    change.quietly();
    Outcome::Refused(error)
}

/// Two parties hold code and verifier: what the first one got ends (RFC 6749 section 4.1.2).
fn replayed(change: &mut Change<'_, '_>, attempt: &Attempt) -> Result<Outcome, Failure> {
    let (begin, grant_id) = (&attempt.begin, attempt.code.grant_id);
    let now = begin.op.now;
    if grants::revoke(change.tx, grant_id, now, "code_reused")? {
        begin.revocations.insert_grants(change, &[grant_id], now)?;
        let event = EventDraft::with_id(begin.event, &begin.op, Action::CodeReused).refused();
        change.record(&event.subject(grant_id).data([("client", attempt.code.client_id.clone().into())]))?;
    } else {
        change.quietly();
    }
    Ok(Outcome::Refused(invalid("the code was used before")))
}
