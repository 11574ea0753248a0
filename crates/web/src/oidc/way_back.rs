//! A client's request while the visitor signs in: sealed for this browser, in the address and in the form, so that it
//! survives a reload, a change of language and a second tab.

use doorward_app::failure::Failure;
use doorward_app::flow::FlowKind;
use doorward_app::oauth::paths;
use doorward_app::op::Op;
use doorward_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cookies::PreNonce;
use crate::edge::headers::FormActionOrigin;
use crate::site::Site;

/// A sealed one must fit into an address beside its page's path.
const MOST_QUERY_BYTES: usize = 2_900;

/// What the browser carries.
#[derive(Deserialize, Serialize)]
pub(crate) struct WayBack {
    /// The parameters of the request.
    pub(crate) query: String,
    /// The origin that the answer will go to.
    origin: Option<String>,
    /// When the visitor was sent to sign in.
    sent_at_ms: i64,
}

impl WayBack {
    /// For a request at `op.now`; none when it is too long to be carried.
    pub(crate) fn new(op: &Op, query: &str, origin: Option<String>) -> Option<Self> {
        let query = query.to_owned();
        (query.len() <= MOST_QUERY_BYTES).then(|| Self { query, origin, sent_at_ms: op.now.as_ms() })
    }

    /// As text for an address or a form.
    pub(crate) fn seal(&self, site: &Site, op: &Op, browser: &PreNonce) -> Result<String, Failure> {
        let state = serde_json::json!(self).to_string();
        site.app.seal_flow(op, browser.as_bytes(), FlowKind::Authorization, &state)
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
