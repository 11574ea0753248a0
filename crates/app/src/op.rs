//! The context of one request, job or command: who acts, when, from where.

use std::net::IpAddr;
use std::sync::Arc;

use doorward_model::id::{RequestId, SessionId, UserId};
use doorward_model::random::Random;
use doorward_model::time::Timestamp;

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody has proved who they are (yet).
    Anonymous,
    /// A signed-in person, with the session they act through.
    User {
        /// The person.
        id: UserId,
        /// Their session.
        session: SessionId,
    },
    /// An operator at the command line.
    Operator,
    /// A background task of the server, by name.
    Job(&'static str),
}

/// Made once per request, job or command, and handed down; everything below takes plain values from it.
#[derive(Clone)]
pub struct Op {
    /// Who acts.
    pub actor: Actor,
    /// The one time this operation happens at.
    pub now: Timestamp,
    /// Where its random bytes come from.
    pub random: Arc<dyn Random>,
    /// Joins answer, log lines and events.
    pub request_id: RequestId,
    /// The client's address; none for jobs and commands.
    pub address: Option<IpAddr>,
    /// The client's user agent as sent, cut to 256 bytes.
    pub user_agent: Option<String>,
}

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Op")
            .field("actor", &self.actor)
            .field("now", &self.now)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}
