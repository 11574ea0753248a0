//! What the append-only record calls things.

use doorward_model::id::{EventId, RequestId};
use doorward_model::random::Random;
use doorward_model::time::Timestamp;
use doorward_store::events::Event;
use serde_json::{Map, Value};

use crate::keys::rotation::KeyChange;
use crate::op::{Actor, Op};

/// What was done. The text is stable: operators filter and alert on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Somebody asked for an account.
    SignupRequested,
    /// A verification mail was asked for again.
    VerificationResent,
    /// An address was proved and its account made.
    UserCreated,
    /// A wrong verification code was tried.
    VerificationFailed,
    /// A person changed their name or language.
    ProfileChanged,
    /// An operator kept a user out.
    UserDisabled,
    /// An operator let a user in again.
    UserEnabled,
    /// A sign-in was attempted.
    SignIn,
    /// A person signed out.
    SignOut,
    /// A session was ended from elsewhere.
    SessionEnded,
    /// A client is told that a session is over.
    LogoutAnnounced,
    /// A reset of a password was asked for.
    PasswordResetRequested,
    /// A password was reset through the mailbox.
    PasswordReset,
    /// A password was changed with the old one.
    PasswordChanged,
    /// Strangers failed so often that the password works on known devices only.
    PasswordSwitchedOff,
    /// A refresh token was presented that somebody else had used.
    TokenReused,
    /// A refresh token whose successor was never seen was replaced.
    TokenRecovered,
    /// A refresh token came from a network its family had not been used from.
    TokenNetworkChanged,
    /// A refresh token was presented that the database has not issued yet.
    RestoredStateSeen,
    /// Signing keys were published, put into use, retired or dropped.
    KeysRotated,
    /// Every key was sealed again, with another master key.
    MasterKeyChanged,
    /// The one-time link of the first administrator was made.
    AdministratorLinkMade,
    /// A client was registered.
    ClientCreated,
    /// What is registered of a client was changed.
    ClientChanged,
    /// A client got a new secret.
    ClientSecretRotated,
    /// An operator kept a client out.
    ClientDisabled,
    /// An operator let a client in again.
    ClientEnabled,
    /// A client was removed.
    ClientDeleted,
    /// An operator made a token with which clients register themselves.
    InitialAccessCreated,
    /// An operator took such a token back.
    InitialAccessDeleted,
    /// A person let a client have what it asked for.
    ConsentGiven,
    /// A person did not let a client have what it asked for.
    ConsentDenied,
    /// A person took back what they let a client have.
    ConsentRevoked,
    /// A client exchanged a code for tokens.
    CodeRedeemed,
    /// A client withdrew what it was granted.
    GrantRevoked,
    /// A client withdrew one of its access tokens.
    AccessTokenRevoked,
    /// A code was presented again, by somebody who holds everything it needs.
    CodeReused,
}

impl Action {
    /// The text in the row.
    pub const fn text(self) -> &'static str {
        match self {
            Self::SignupRequested => "signup.requested",
            Self::VerificationResent => "signup.verification_resent",
            Self::UserCreated => "user.created",
            Self::VerificationFailed => "signup.verification_failed",
            Self::ProfileChanged => "user.profile_changed",
            Self::UserDisabled => "user.disabled",
            Self::UserEnabled => "user.enabled",
            Self::SignIn => "session.sign_in",
            Self::SignOut => "session.sign_out",
            Self::SessionEnded => "session.ended",
            Self::LogoutAnnounced => "session.end_announced",
            Self::PasswordResetRequested => "password.reset_requested",
            Self::PasswordReset => "password.reset",
            Self::PasswordChanged => "password.changed",
            Self::PasswordSwitchedOff => "password.switched_off",
            Self::TokenReused => "token.reused",
            Self::TokenRecovered => "token.recovered",
            Self::TokenNetworkChanged => "token.network_changed",
            Self::RestoredStateSeen => "token.restored_state_seen",
            Self::KeysRotated => "keys.rotated",
            Self::MasterKeyChanged => "keys.master_key_changed",
            Self::AdministratorLinkMade => "administrator.link_made",
            Self::ClientCreated => "client.created",
            Self::ClientChanged => "client.changed",
            Self::ClientSecretRotated => "client.secret_rotated",
            Self::ClientDisabled => "client.disabled",
            Self::ClientEnabled => "client.enabled",
            Self::ClientDeleted => "client.deleted",
            Self::InitialAccessCreated => "client.initial_token_created",
            Self::InitialAccessDeleted => "client.initial_token_deleted",
            Self::ConsentGiven => "consent.given",
            Self::ConsentDenied => "consent.denied",
            Self::ConsentRevoked => "consent.revoked",
            Self::CodeRedeemed => "grant.created",
            Self::GrantRevoked => "grant.revoked",
            Self::AccessTokenRevoked => "grant.access_token_revoked",
            Self::CodeReused => "grant.code_reused",
        }
    }
}

/// An event before it is appended; its id and time are fixed when it is drafted.
#[derive(Clone, Debug)]
pub(crate) struct EventDraft(Event);

impl EventDraft {
    /// A successful `action` of this operation.
    pub(crate) fn new(op: &Op, action: Action) -> Self {
        Self::with_id(EventId::new(op.now, op.random.as_ref()), op, action)
    }

    /// As [`EventDraft::new`], with an id that was drawn before the transaction: for what seldom deserves an event.
    pub(crate) fn with_id(id: EventId, op: &Op, action: Action) -> Self {
        Self(Event {
            id,
            at: op.now,
            actor: match op.actor {
                Actor::Anonymous => "anonymous".to_owned(),
                Actor::User { id, .. } => id.to_string(),
                Actor::Operator => "operator".to_owned(),
                Actor::Job(name) => format!("job:{name}"),
            },
            action: action.text().to_owned(),
            subject: None,
            outcome: "success".to_owned(),
            address: op.address.map(|address| address.to_string()),
            user_agent: op.user_agent.clone(),
            request_id: op.request_id.to_string(),
            data: "{}".to_owned(),
        })
    }

    /// A successful `action` of the process's own start, before there is an operation.
    pub(crate) fn of_start(now: Timestamp, random: &dyn Random, action: Action) -> Self {
        let (id, request_id) = (EventId::new(now, random), RequestId::new(now, random));
        Self(Event {
            id,
            at: now,
            actor: "job:start".to_owned(),
            action: action.text().to_owned(),
            subject: None,
            outcome: "success".to_owned(),
            address: None,
            user_agent: None,
            request_id: request_id.to_string(),
            data: "{}".to_owned(),
        })
    }

    /// What it was done to.
    #[must_use]
    pub(crate) fn subject(mut self, id: impl std::fmt::Display) -> Self {
        self.0.subject = Some(id.to_string());
        self
    }

    /// The action did not succeed.
    #[must_use]
    pub(crate) fn refused(mut self) -> Self {
        "refused".clone_into(&mut self.0.outcome);
        self
    }

    /// Further facts. Never a secret, never an address.
    #[must_use]
    pub(crate) fn data<const N: usize>(mut self, facts: [(&str, Value); N]) -> Self {
        let facts: Map<String, Value> = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.0.data = Value::Object(facts).to_string();
        self
    }

    /// Which signing keys came into which state.
    #[must_use]
    pub(crate) fn keys(self, changes: &[KeyChange]) -> Self {
        let facts = |change: &KeyChange| {
            serde_json::json!({
                "id": change.id, "algorithm": change.algorithm.as_str(), "state": change.state.as_str(),
            })
        };
        self.data([("keys", changes.iter().map(facts).collect::<Vec<_>>().into())])
    }

    /// The row to append.
    pub(crate) const fn row(&self) -> &Event {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    /// Proves: V16.1.1
    #[test]
    fn the_manual_lists_every_action_and_no_other() {
        let told = |line: &'static str| line.trim().strip_prefix("Self::")?.split_once(" => \"")?.1.strip_suffix("\",");
        let actions: Vec<&str> = include_str!("event.rs").lines().filter_map(told).collect();
        assert!(actions.contains(&"keys.rotated"), "{actions:?}");
        let manual = include_str!("../../../docs/operations.md");
        let rows = manual.split_once("\n## Events\n").unwrap().1;
        let listed: Vec<&str> = rows
            .split("\n## ")
            .next()
            .unwrap()
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .collect();
        assert_eq!(listed, actions);
    }
}
