//! How a session begins.

use doorward_model::device;
use doorward_model::id::{FamilyId, SessionId, UserId};
use doorward_model::rotation::{Family, Generation, Rotation, Salt};
use doorward_model::secret::{PlainToken, TokenKind};
use doorward_model::time::Timestamp;
use doorward_store::sessions::{self, Session};
use doorward_store::token_families::{self, Renewed, TokenFamily};
use doorward_store::{StoreError, Tx};
use zeroize::Zeroizing;

use crate::App;
use crate::op::Op;

/// What the application gets to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A cookie, in a browser.
    Cookie {
        /// Whether it outlives the browser.
        remember: bool,
    },
    /// A refresh token, in a native or command-line application.
    Token,
}

/// The credential of a new session, in plain, on its way to its holder.
#[derive(Clone)]
pub enum Credential {
    /// The value of the session cookie.
    Cookie(PlainToken),
    /// The first refresh token of a family.
    Refresh(Zeroizing<String>),
}

/// A session about to begin: everything random is drawn before the transaction that may run twice.
#[derive(Clone)]
pub(crate) struct NewSession {
    pub(crate) row: Session,
    pub(crate) credential: Credential,
    family: Option<TokenFamily>,
    keep: i64,
}

impl App {
    /// Prepares a session of `user` who has just proved who they are by `amr` (RFC 8176).
    pub(crate) fn prepare_session(&self, op: &Op, user: UserId, is_admin: bool, mode: Mode) -> NewSession {
        let limits = &self.settings.sessions;
        let id = SessionId::new(op.now, op.random.as_ref());
        let expires_at = op.now.plus_ms(limits.absolute_ms);
        let mut row = Session {
            device_label: device::label(op.user_agent.as_deref().unwrap_or_default()),
            user_agent: op.user_agent.clone(),
            address: op.address.map(|address| address.to_string()),
            user_is_admin: is_admin,
            ..Session::by_password(id, user, op.now, limits.idle_ms, expires_at)
        };
        let (credential, family) = match mode {
            Mode::Cookie { remember } => {
                let cookie = PlainToken::new(TokenKind::Session, op.random.as_ref());
                row.credential_hash = Some(cookie.hash());
                row.remember = remember;
                (Credential::Cookie(cookie), None)
            }
            Mode::Token => {
                let (text, family) = self.new_family(op, &row);
                (Credential::Refresh(text), Some(family))
            }
        };
        NewSession { row, credential, family, keep: limits.per_user }
    }

    fn new_family(&self, op: &Op, session: &Session) -> (Zeroizing<String>, TokenFamily) {
        let (text, seed) = self.draw_family(op);
        (text, seed.grow(Renewed::Session(session.id), op.now, self.settings.sessions.rotation, session.expires_at))
    }

    /// What a family needs that is random, and its first token.
    pub(crate) fn draw_family(&self, op: &Op) -> (Zeroizing<String>, FamilySeed) {
        let id = FamilyId::new(op.now, op.random.as_ref());
        let salt = Salt::new(op.random.as_ref());
        let text = self.keys.refresh_mac().token(id, Generation::FIRST, &salt);
        let network = op.address.map(|address| self.network_hash(address));
        (text, FamilySeed { id, salt, network })
    }
}

/// A family about to begin.
#[derive(Clone)]
pub(crate) struct FamilySeed {
    id: FamilyId,
    salt: Salt,
    network: Option<Vec<u8>>,
}

impl FamilySeed {
    /// Its row, from `now` on.
    pub(crate) fn grow(
        &self,
        renews: Renewed,
        now: Timestamp,
        rotation: Rotation,
        expires_at: Timestamp,
    ) -> TokenFamily {
        let state = Family::new(now, rotation, expires_at);
        TokenFamily { network: self.network.clone(), ..TokenFamily::new(self.id, renews, &self.salt, &state) }
    }
}

impl NewSession {
    /// Begins it; returns the ids of older sessions that ended to make room.
    pub(crate) fn insert(&self, tx: &mut Tx<'_>) -> Result<Vec<SessionId>, StoreError> {
        sessions::insert(tx, &self.row)?;
        if let Some(family) = &self.family {
            token_families::insert(tx, family)?;
        }
        let others = (self.keep - 1).max(0);
        sessions::revoke_oldest(tx, self.row.user_id, self.row.id, others, self.row.created_at, "too_many_sessions")
    }
}
