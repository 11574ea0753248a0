//! Proofs that count once: what was shown is noted in the database, so that no node takes it again.

use doorward_model::secret::TokenHash;
use doorward_model::time::{MINUTE_MS, Timestamp};
use doorward_oidc::jose::Thumbprint;
use doorward_store::used_ids;

use crate::App;
use crate::failure::Failure;

/// How much longer an id is kept: the node that removes it may be ahead of the one that is asked.
const OTHER_CLOCKS_MS: i64 = MINUTE_MS;

/// What an id belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown<'a> {
    /// The assertion of a client with this id.
    Assertion(&'a str),
    /// A proof of possession by this key.
    Proof(&'a Thumbprint),
}

impl App {
    /// Notes that the id was shown; false when it was before. `until` is when what it belongs to is over.
    pub(super) async fn is_first_showing(&self, shown: Shown<'_>, id: &str, until: Timestamp) -> Result<bool, Failure> {
        let hash = match shown {
            Shown::Assertion(client_id) => hash("assertion", client_id.as_bytes(), id),
            Shown::Proof(key) => hash("proof", key.as_bytes(), id),
        };
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
