//! A client's request while the visitor signs in: sealed for this browser, in the address and in the form, so that it
//! survives a reload, a change of language and a second tab.

use doorward_app::failure::Failure;
use doorward_app::flow::{FlowKind, MOST_TEXT_BYTES};
use doorward_app::oauth::paths;
use doorward_app::op::Op;
use doorward_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cookies::PreNonce;
use crate::edge::headers::FormActionOrigin;
use crate::site::Site;

/// What the browser carries.
#[derive(Deserialize, Serialize)]
pub(crate) struct WayBack {
    /// The parameters of the request.
    pub(crate) query: String,
    /// The origin or scheme that the answer will go to.
    origin: Option<String>,
    /// When the visitor was sent to sign in.
    sent_at_ms: i64,
}

impl WayBack {
    /// For a request at `op.now`.
    pub(crate) fn new(op: &Op, query: &str, origin: Option<String>) -> Self {
        Self { query: query.to_owned(), origin, sent_at_ms: op.now.as_ms() }
    }

    /// As text for an address or a form; none when it would be too long to be read again.
    pub(crate) fn seal(&self, site: &Site, op: &Op, browser: &PreNonce) -> Result<Option<String>, Failure> {
        let state = serde_json::json!(self).to_string();
        let sealed = site.app.seal_flow(op, browser.as_bytes(), FlowKind::Authorization, &state)?;
        Ok((sealed.len() <= MOST_TEXT_BYTES).then_some(sealed))
    }

    /// Reads it; none when it is another browser's, of another flow, changed, or too old.
    pub(crate) fn open(site: &Site, op: &Op, browser: &PreNonce, flow: &str) -> Option<Self> {
        let state = site.app.open_flow(op, browser.as_bytes(), FlowKind::Authorization, flow)?;
        serde_json::from_str(&state).ok()
    }

    /// When the visitor was sent to sign in.
    pub(crate) fn sent_at(&self) -> Timestamp {
        Timestamp::from_ms(self.sent_at_ms)
    }

    /// Lets a page's form lead to the client in the end.
    pub(crate) fn form_action(&self) -> Option<FormActionOrigin> {
        self.origin.as_deref().and_then(FormActionOrigin::new)
    }
}

/// The address at which the request goes on.
pub(crate) fn address(flow: &str) -> String {
    format!("{}?flow={flow}", paths::AUTHORIZE)
}
