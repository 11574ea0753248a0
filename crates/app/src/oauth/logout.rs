//! The end of a session as a client asks for it (OpenID Connect RP-Initiated Logout 1.0).

use doorward_oidc::client::Client;
use doorward_oidc::error::OAuthError;
use doorward_oidc::logout::{CurrentSession, Hint, Logout, LogoutRequest};
use doorward_oidc::parameters::Parameters;

use super::authorization::origin_of;
use super::tokens::HintClaims;
use crate::App;
use crate::authentication::Principal;
use crate::failure::Failure;
use crate::op::Op;

/// What the end-session endpoint does.
#[derive(Debug)]
pub enum LogoutAnswer {
    /// The person is asked: anybody can put this address into a link.
    Ask {
        /// The client that asks, if it can be told.
        client: Option<Box<Client>>,
        /// The origin or scheme that the browser goes to afterwards.
        origin: Option<String>,
    },
    /// Whoever was signed in is signed out.
    Done {
        /// Where the browser goes; none means a page of ours.
        redirect_to: Option<String>,
        /// What clients that hear of it in the browser are told with.
        frames: Vec<String>,
    },
    /// On a page of ours, and nothing ends.
    Wrong(OAuthError),
}

impl App {
    /// Ends the session of the browser that asks, if the client proves that it knows this session or the person has
    /// confirmed it.
    pub async fn end_session_for_client(
        &self,
        op: &Op,
        parameters: &Parameters,
        person: Option<&Principal>,
        is_confirmed: bool,
    ) -> Result<LogoutAnswer, Failure> {
        let (client, logout) = match self.judge_logout(op, parameters, person).await? {
            Ok(judged) => judged,
            Err(error) => return Ok(LogoutAnswer::Wrong(error)),
        };
        if logout.asks && !is_confirmed {
            let origin = logout.redirect_to.as_deref().and_then(origin_of);
            return Ok(LogoutAnswer::Ask { client: client.map(Box::new), origin });
        }
        let mut frames = Vec::new();
        if let Some(person) = person {
            frames = self.frames_at_sign_out(person).await?;
            self.sign_out(op, person).await?;
        }
        Ok(LogoutAnswer::Done { redirect_to: logout.redirect_to, frames })
    }

    async fn judge_logout(
        &self,
        op: &Op,
        parameters: &Parameters,
        person: Option<&Principal>,
    ) -> Result<Result<(Option<Client>, Logout), OAuthError>, Failure> {
        let request = match LogoutRequest::read(parameters) {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        // What we have not signed proves nothing, and is as if it were not there.
        let claims = request.id_token_hint.as_ref().and_then(|text| self.read_hint(text.reveal(), op.now));
        let hint = claims.as_ref().map(|HintClaims { sub, aud, sid, .. }| Hint {
            client_id: aud,
            session_id: sid.as_deref(),
            subject: sub,
        });
        let client = match request.asking_client(hint.as_ref()) {
            Ok(None) => None,
            Ok(Some(id)) => self.active_client(id).await?,
            Err(error) => return Ok(Err(error)),
        };
        // As the client knows them.
        let ids = person.map(|person| match &client {
            Some(client) => (self.session_for(client, person.session_id), self.subject_for(client, person.user_id)),
            None => (person.session_id.to_string(), person.user_id.to_string()),
        });
        let session = ids.as_ref().map(|(id, subject)| CurrentSession { id, subject });
        let decided = request.decide(hint.as_ref(), client.as_ref(), session.as_ref());
        Ok(decided.map(|logout| (client, logout)))
    }
}
