//! Proofs that count once: what was shown is noted in the database, so that no node takes it again.

use doorward_model::secret::TokenHash;
use doorward_model::time::{MINUTE_MS, Timestamp};
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::jose::Thumbprint;
use doorward_store::{StoreError, Tx, pushed_requests, used_ids};

use crate::App;
use crate::failure::Failure;

/// How much longer an id is kept: the node that removes it may be ahead of the one that is asked.
pub(crate) const OTHER_CLOCKS_MS: i64 = MINUTE_MS;

/// What an id belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown<'a> {
    /// The assertion of a client with this id.
    Assertion(&'a str),
    /// A proof of possession by this key.
    Proof(&'a Thumbprint),
    /// The signed request of a client with this id.
    Request(&'a str),
}

/// What an answer to a request uses up, so that the same request gets no second one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Single {
    /// Nothing: whoever sends it again may have another answer.
    Repeatable,
    /// The pushed request of this name (RFC 9126 section 7.3).
    Pushed(TokenHash),
    /// The id of a signed request, noted until nobody takes it any more.
    Signed { id: TokenHash, until: Timestamp },
}

impl Single {
    /// That of a signed request with this id.
    pub(super) fn signed(client_id: &str, id: &str, until: Timestamp) -> Self {
        Self::Signed { id: Shown::Request(client_id).hash(id), until: until.plus_ms(OTHER_CLOCKS_MS) }
    }

    /// Uses it up; false when it was before. Of several at once one does.
    pub(super) fn take(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
        match self {
            Self::Repeatable => Ok(true),
            Self::Pushed(name) => pushed_requests::take(tx, name, now),
            Self::Signed { id, until } => used_ids::insert(tx, id, *until),
        }
    }

    /// What is told about a request that was used before.
    pub(super) const fn used_before(&self) -> OAuthError {
        match self {
            Self::Signed { .. } => {
                OAuthError::new(ErrorCode::InvalidRequestObject, "the request object was used before")
            }
            Self::Repeatable | Self::Pushed(_) => {
                OAuthError::new(ErrorCode::InvalidRequestUri, "the pushed request was used before")
            }
        }
    }
}

impl Shown<'_> {
    fn hash(self, id: &str) -> TokenHash {
        match self {
            Self::Assertion(client_id) => hash("assertion", client_id.as_bytes(), id),
            Self::Proof(key) => hash("proof", key.as_bytes(), id),
            Self::Request(client_id) => hash("request", client_id.as_bytes(), id),
        }
    }
}

impl App {
    /// Notes that the id was shown; false when it was before. `until` is when what it belongs to is over.
    pub(super) async fn is_first_showing(&self, shown: Shown<'_>, id: &str, until: Timestamp) -> Result<bool, Failure> {
        let hash = shown.hash(id);
        let until = until.plus_ms(OTHER_CLOCKS_MS);
        Ok(self.store.write(move |tx| used_ids::insert(tx, &hash, until)).await?)
    }
}

/// Each part enters with its length, so that no two lists of parts run together.
fn hash(kind: &str, owner: &[u8], id: &str) -> TokenHash {
    let mut bytes = Vec::new();
    for part in [kind.as_bytes(), owner, id.as_bytes()] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part);
    }
    TokenHash::of(&bytes)
}
