//! Connections that outlive the check of the token they began with.

use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::refusal::{Reason, Refusal};
use crate::revocation::Watch;
use crate::verifier::{AccessToken, Verifier};

/// The longest time between two looks at the token, for what nobody announces: a key that is gone, a feed that is lost.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why a connection has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// The token, its session, grant, client or user, or its key, was revoked.
    Revoked,
    /// The token's time is over and no new one came.
    Expired,
    /// Nobody can tell any longer whether it was revoked.
    Unavailable,
}

impl Ended {
    /// The code that a WebSocket is closed with (RFC 6455 section 7.4.2): 4401 to sign in again or to come back with a
    /// new token, 1013 to try again later.
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Revoked | Self::Expired => 4401,
            Self::Unavailable => 1013,
        }
    }

    /// What is said beside the code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Watches over a connection: a WebSocket, a stream of events, a long download.
///
/// ```
/// # async fn example(verifier: doorward_verify::Verifier, token: doorward_verify::AccessToken) {
/// let guard = verifier.guard(token);
/// tokio::select! {
///     ended = guard.ended() => println!("close it with {}", ended.close_code()),
///     // message = socket.recv() => …
/// }
/// # }
/// ```
pub struct Guard {
    verifier: Verifier,
    held: Mutex<(AccessToken, Option<std::sync::Arc<Watch>>)>,
    renewed: Notify,
}

impl fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Guard").field("token", &self.token()).finish_non_exhaustive()
    }
}

impl Verifier {
    /// A guard of a connection that began with this token.
    pub fn guard(&self, token: AccessToken) -> Guard {
        let watch = watch(&token);
        Guard { verifier: self.clone(), held: Mutex::new((token, watch)), renewed: Notify::new() }
    }
}

fn watch(token: &AccessToken) -> Option<std::sync::Arc<Watch>> {
    token.0.issuer.revocations.as_ref().map(|revocations| std::sync::Arc::new(revocations.watch(token)))
}

impl Guard {
    /// The token that the connection goes on with.
    pub fn token(&self) -> AccessToken {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Returns when the connection has to end, and not before. It may be asked again and again, and dropped. Of several
    /// who wait at the same time for one guard, one hears at once and the others within five seconds.
    pub async fn ended(&self) -> Ended {
        loop {
            let (token, watch) = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let left = match self.verifier.time_left(&token) {
                Ok(left) => left,
                Err(Refusal::Token(Reason::Expired)) => return Ended::Expired,
                Err(Refusal::Unavailable(_)) => return Ended::Unavailable,
                Err(_) => return Ended::Revoked,
            };
            let listed = async {
                match &watch {
                    Some(watch) => watch.listed().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = listed => {}
                () = self.renewed.notified() => {}
                () = sleep(left.min(LOOK_EVERY)) => {}
            }
        }
    }

    /// Goes on with a new token, which the client sent over the connection. It must be good, of the same issuer, and
    /// for the same subject, application and organization: a connection does not change whom it belongs to.
    pub async fn renew(&self, text: &str) -> Result<(), Refusal> {
        let (old, new) = (self.token(), self.verifier.read(text).await?);
        // A token that is bound to a key comes without a proof here: the connection began with one, of the same key.
        let is_same = old.issuer() == new.issuer()
            && old.subject() == new.subject()
            && old.client_id() == new.client_id()
            && old.organization() == new.organization()
            && old.confirmation() == new.confirmation();
        if !is_same {
            return Err(self.verifier.refused(&new, Reason::Audience.into()));
        }
        let watch = watch(&new);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = (new, watch);
        self.renewed.notify_one();
        Ok(())
    }
}
