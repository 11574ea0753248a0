//! State of a flow before sign-in: sealed, bound to one browser, never in the database.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::time::{HOUR_MS, Timestamp};
use zeroize::Zeroizing;

use crate::App;
use crate::failure::Failure;
use crate::keys::sealing::Purpose;
use crate::op::Op;

const FLOW: Purpose = Purpose::new("flow");
/// How long a page may stay open.
const LIFE_MS: i64 = 24 * HOUR_MS;
/// No flow of ours is longer: it stands in addresses, in forms and in the heads of answers, and proxies take few kibibytes
/// of each.
pub const MOST_TEXT_BYTES: usize = 4096;

/// Which flow a state belongs to. The state of one is nothing to any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowKind {
    /// A sign-up waiting for its code, in the browser that made it.
    Signup,
    /// A verification link that was opened.
    VerificationLink,
    /// A reset link that was opened.
    Reset,
    /// The first administrator's link that was opened.
    Setup,
    /// A client's request that waits for a sign-in.
    Authorization,
    /// A client's wish that somebody is signed out, waiting for their answer.
    Logout,
}

impl FlowKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::VerificationLink => "verification_link",
            Self::Reset => "reset",
            Self::Setup => "setup",
            Self::Authorization => "authorization",
            Self::Logout => "logout",
        }
    }
}

impl App {
    /// Seals `state` for the browser with this nonce: text that may stand in a URL or a form.
    pub fn seal_flow(&self, op: &Op, browser: &[u8; 32], kind: FlowKind, state: &str) -> Result<String, Failure> {
        let mut plain = Zeroizing::new(op.now.plus_ms(LIFE_MS).as_ms().to_be_bytes().to_vec());
        plain.extend_from_slice(state.as_bytes());
        let sealed = self
            .keys
            .masters()
            .seal(FLOW, &identity(browser, kind), &plain, op.random.as_ref())
            .map_err(Failure::cryptography)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The state of a flow; none when it belongs to another browser or flow, was changed, or is too old.
    pub fn open_flow(&self, op: &Op, browser: &[u8; 32], kind: FlowKind, text: &str) -> Option<Zeroizing<String>> {
        if text.len() > MOST_TEXT_BYTES {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let plain = self.keys.masters().open(FLOW, &identity(browser, kind), &sealed).ok()?;
        let (expires_at, state) = plain.split_first_chunk::<8>()?;
        let is_current = op.now < Timestamp::from_ms(i64::from_be_bytes(*expires_at));
        let state = std::str::from_utf8(state).ok()?;
        is_current.then(|| Zeroizing::new(state.to_owned()))
    }
}

fn identity(browser: &[u8; 32], kind: FlowKind) -> String {
    format!("{} {}", kind.name(), URL_SAFE_NO_PAD.encode(browser))
}
