//! A client's request while the visitor signs in or is asked something: sealed for this browser, in the address and in the
//! form, so that it survives a reload, a change of language and a second tab.

use askama::Template;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_app::authentication::Principal;
use doorward_app::failure::Failure;
use doorward_app::flow::{FlowKind, MOST_TEXT_BYTES};
use doorward_app::oauth::{ConsentAnswer, Parameters, Wishes, paths};
use doorward_app::op::Op;
use doorward_model::id::UserId;
use doorward_model::secret::TokenHash;
use doorward_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cookies::PreNonce;
use crate::edge::headers::FormActionOrigin;
use crate::pages::frame::{go_to, leading_to, show};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// Where the way leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Place {
    /// To the authorization endpoint, with a request of a client.
    #[default]
    Authorize,
    /// To the page of devices, with the code that somebody typed.
    Device,
}

impl Place {
    const fn path(self) -> &'static str {
        match self {
            Self::Authorize => paths::AUTHORIZE,
            Self::Device => paths::DEVICE,
        }
    }
}

/// What the browser carries.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct WayBack {
    #[serde(default)]
    place: Place,
    /// The parameters of the request, or the code.
    pub(crate) query: String,
    /// The origin or scheme that the answer will go to.
    origin: Option<String>,
    /// When the visitor was sent to sign in.
    sent_at_ms: i64,
    /// Names the person and session that goes on with the account they have; since `sent_at_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chosen: Option<String>,
    /// The fingerprint of the question about consent that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<String>,
    /// Who answered it, when, and whether they allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<(String, i64, bool)>,
}

/// What an answer to a question adds to the text at most, and what it adds to the question itself: a request that leads
/// to a sign-in or a question must fit with what follows, so that nobody types or decides for nothing.
const ANSWER_BYTES: usize = 88;
const ANSWER_BYTES_BESIDE_QUESTION: usize = 32;
/// The same of the choice of an account.
const CHOICE_BYTES: usize = 40;

impl WayBack {
    /// For a request at `op.now`.
    pub(crate) fn new(op: &Op, query: &str, origin: Option<String>) -> Self {
        let sent_at_ms = op.now.as_ms();
        let place = Place::Authorize;
        Self { place, query: query.to_owned(), origin, sent_at_ms, chosen: None, asked: None, said: None }
    }

    /// For the code of a device, at `op.now`.
    pub(crate) fn to_device(op: &Op, user_code: &str) -> Self {
        Self { place: Place::Device, ..Self::new(op, user_code, None) }
    }

    /// The parameters, read again.
    pub(crate) fn parameters(&self) -> Parameters {
        // They were read before they were sealed.
        Parameters::parse(self.query.as_bytes()).unwrap_or_default()
    }

    /// As if it came just now: no sign-in and no choice answers it yet.
    pub(crate) fn asked_anew(self, op: &Op) -> Self {
        Self { sent_at_ms: op.now.as_ms(), chosen: None, ..self }
    }

    /// Once `person` says that they want to go on with their account.
    pub(crate) fn chosen_by(self, op: &Op, person: &Principal) -> Self {
        Self { sent_at_ms: op.now.as_ms(), chosen: Some(Self::shortly(person)), ..self }
    }

    /// Names a person in a session.
    pub(crate) fn shortly(person: &Principal) -> String {
        let hash = TokenHash::of(format!("{} {}", person.user_id, person.session_id).as_bytes());
        URL_SAFE_NO_PAD.encode(&hash.as_bytes()[..12])
    }

    /// When `person` said that.
    pub(crate) fn chosen_at(&self, person: &Principal) -> Option<Timestamp> {
        (self.chosen.as_deref() == Some(Self::shortly(person).as_str())).then(|| self.sent_at())
    }

    /// While this question is shown.
    pub(crate) fn asking(self, fingerprint: String) -> Self {
        Self { asked: Some(fingerprint), said: None, ..self }
    }

    /// Once it is answered.
    pub(crate) fn answered(self, answer: ConsentAnswer) -> Self {
        let said = (answer.by.to_string(), answer.at.as_ms(), answer.allows);
        Self { asked: None, said: Some(said), ..self }
    }

    /// The fingerprint of the question that is shown.
    pub(crate) fn question(&self) -> Option<&str> {
        self.asked.as_deref()
    }

    /// What was answered to it.
    pub(crate) fn answer(&self) -> Option<ConsentAnswer> {
        let (by, at, allows) = self.said.as_ref()?;
        Some(ConsentAnswer { by: UserId::parse(by).ok()?, at: Timestamp::from_ms(*at), allows: *allows })
    }

    /// As text for an address or a form; none when it would be too long to be read again.
    pub(crate) fn seal(&self, site: &Site, op: &Op, browser: &PreNonce) -> Result<Option<String>, Failure> {
        let sealed = site.app.seal_flow(op, browser.as_bytes(), FlowKind::Authorization, &self.to_text())?;
        let choice = if self.chosen.is_some() { 0 } else { CHOICE_BYTES };
        let answer = match (&self.asked, &self.said) {
            (_, Some(_)) => 0,
            (Some(_), None) => ANSWER_BYTES_BESIDE_QUESTION,
            (None, None) => ANSWER_BYTES,
        };
        let reserved = choice + answer;
        Ok((sealed.len() <= MOST_TEXT_BYTES - reserved).then_some(sealed))
    }

    /// Reads it; none when it is another browser's, of another flow, changed, or too old.
    pub(crate) fn open(site: &Site, op: &Op, browser: &PreNonce, flow: &str) -> Option<Self> {
        Self::from_text(&site.app.open_flow(op, browser.as_bytes(), FlowKind::Authorization, flow)?)
    }

    /// The same, at the place that it leads to.
    pub(super) fn open_at(site: &Site, op: &Op, browser: &PreNonce, flow: &str, place: Place) -> Option<Self> {
        Self::open(site, op, browser, flow).filter(|back| back.place == place)
    }

    /// The address at which the request goes on; `flow` is this, sealed.
    pub(crate) fn address(&self, flow: &str) -> String {
        format!("{}?flow={flow}", self.place.path())
    }

    /// In plain, to be sealed as a part of another flow.
    pub(crate) fn to_text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Reads [`Self::to_text`].
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// What the client wishes the pages on the way to be like.
    pub(crate) async fn wishes(&self, site: &Site) -> Result<Wishes, Failure> {
        match self.place {
            Place::Authorize => site.app.wishes_of(self.sent_at(), &self.parameters()).await,
            Place::Device => Ok(Wishes::default()),
        }
    }

    /// When the visitor was sent to sign in.
    pub(crate) fn sent_at(&self) -> Timestamp {
        Timestamp::from_ms(self.sent_at_ms)
    }

    /// Shows a page whose form leads to the client in the end.
    pub(super) fn show(&self, page: &impl Template) -> Result<Response, Problem> {
        Ok(leading_to(show(page)?, self.form_action()))
    }

    /// Back to where the way leads, with what is known by now.
    pub(super) fn lead_on(&self, site: &Site, op: &Op, browser: &PreNonce) -> Result<Response, Problem> {
        match self.seal(site, op, browser)? {
            Some(flow) => Ok(go_to(&self.address(&flow))),
            None => Err(Code::MalformedRequest.into()),
        }
    }

    /// Lets a page's form lead to the client in the end.
    pub(crate) fn form_action(&self) -> Option<FormActionOrigin> {
        self.origin.as_deref().and_then(FormActionOrigin::new)
    }
}
