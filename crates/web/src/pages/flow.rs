//! Pages inside a flow: a form that belongs to a link somebody opened, or to a sign-up of this browser. What the flow
//! carries is sealed for this browser, stands in a form field or the address, and survives a change of language.

use std::future::Future;

use askama::Template;
use axum::extract::{FromRef, FromRequestParts};
use axum::response::Response;
use doorward_app::failure::Failure;
use doorward_app::flow::FlowKind;
use doorward_app::passwords::ResetError;
use doorward_app::signup::ConfirmError;
use doorward_model::password::Violation;
use doorward_model::secret::{PlainToken, TokenKind};
use http::StatusCode;
use http::request::Parts;
use zeroize::Zeroizing;

use super::form;
use super::frame::{PageQuery, PublicFrame, go_to, show, show_again, show_with};
use super::views::{Message, MessageKind, Page, Problem as Complaint};
use crate::cookies::PreNonce;
use crate::extract::{Op, PreCookie};
use crate::oidc::way_back::WayBack;
use crate::problem::Problem;
use crate::site::Site;

/// No link's token is longer; anything longer is passed over.
const MOST_TOKEN_BYTES: usize = 128;

/// Somebody in front of a page of a flow.
pub(crate) struct Visit {
    pub(super) site: Site,
    pub(super) op: doorward_app::op::Op,
    page: Page,
    browser: PreNonce,
}

impl FromRequestParts<Site> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let Op(op) = Op::from_request_parts(parts, site).await?;
        let PublicFrame(page) = PublicFrame::from_request_parts(parts, site).await?;
        let PreCookie(browser) = PreCookie::from_request_parts(parts, site).await?;
        Ok(Self { site: Site::from_ref(site), op, page, browser })
    }
}

/// The page a link leads to: it asks for a new password, and the link is used up when one is saved.
pub(super) trait LinkPage: Template + Sized {
    /// Whose flow it is.
    const KIND: FlowKind;
    /// Where it is shown once the link's token is out of the address.
    const PATH: &'static str;
    /// What is said when the link is no longer good.
    const ENDED: MessageKind;
    /// What the page shows of whom the link is for.
    type Holder;

    /// Whom the link is for; none when it is no longer good. Looking consumes nothing.
    fn find(
        site: &Site,
        op: &doorward_app::op::Op,
        token: &PlainToken,
    ) -> impl Future<Output = Result<Option<Self::Holder>, Problem>> + Send;

    /// The page before anything is typed.
    fn blank(page: Page, holder: Self::Holder, min_length: u64) -> Self;

    /// Where it says what is wrong with the password.
    fn password_problem(&mut self) -> &mut Option<Complaint>;
}

/// A link that is good, and its page.
pub(super) struct Opened<P> {
    pub(super) token: PlainToken,
    pub(super) view: P,
}

/// Why a password was not saved.
pub(super) enum Refusal {
    Ended,
    Password(Vec<Violation>),
    Failure(Failure),
}

impl From<ConfirmError> for Refusal {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::Invalid | ConfirmError::AddressTaken => Self::Ended,
            ConfirmError::Password(violations) => Self::Password(violations),
            ConfirmError::Failure(failure) => Self::Failure(failure),
        }
    }
}

impl From<ResetError> for Refusal {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Invalid => Self::Ended,
            ResetError::Password(violations) => Self::Password(violations),
            ResetError::Failure(failure) => Self::Failure(failure),
        }
    }
}

impl Visit {
    /// Shows the page of a link. With the link's token in the address, moves it out of there first.
    pub(super) async fn arrive<P: LinkPage>(&self, query: PageQuery) -> Result<Response, Problem> {
        if let Some(moved) = self.moved::<P>(query.token.as_deref())? {
            return Ok(moved);
        }
        match self.open::<P>(&query.flow.unwrap_or_default()).await? {
            Some(opened) => show(&opened.view),
            None => self.end(P::ENDED),
        }
    }

    /// 303 to the page with the link's token sealed for this browser: it leaves the address bar, the history and the
    /// `Referer` before a page is shown. None when there is no token.
    pub(super) fn moved<P: LinkPage>(&self, token: Option<&str>) -> Result<Option<Response>, Problem> {
        let Some(token) = token.filter(|token| token.len() <= MOST_TOKEN_BYTES) else {
            return Ok(None);
        };
        let flow = self.site.app.seal_flow(&self.op, self.browser.as_bytes(), P::KIND, token)?;
        Ok(Some(go_to(&format!("{}?flow={flow}", P::PATH))))
    }

    /// The link behind a flow and its page; none when either is no longer good.
    pub(super) async fn open<P: LinkPage>(&self, flow: &str) -> Result<Option<Opened<P>>, Problem> {
        let token = self.state(P::KIND, flow).and_then(|state| PlainToken::parse(TokenKind::OneTime, &state));
        let Some(token) = token else {
            return Ok(None);
        };
        let holder = P::find(&self.site, &self.op, &token).await?;
        Ok(holder.map(|holder| Opened { view: P::blank(self.page_in(flow), holder, self.min_length()), token }))
    }

    /// What a flow carries; none when it is not of this kind and browser, or too old.
    pub(super) fn state(&self, kind: FlowKind, flow: &str) -> Option<Zeroizing<String>> {
        self.site.app.open_flow(&self.op, self.browser.as_bytes(), kind, flow)
    }

    /// Seals a client's request for this browser again; none when it is too long.
    pub(super) fn seal(&self, back: &WayBack) -> Result<Option<String>, Failure> {
        back.seal(&self.site, &self.op, &self.browser)
    }

    /// The frame of a page that goes on with `flow`.
    pub(super) fn page_in(&self, flow: &str) -> Page {
        Page { flow: flow.to_owned(), ..self.page.clone() }
    }

    /// Says that there is nothing to go on with.
    pub(super) fn end(&self, kind: MessageKind) -> Result<Response, Problem> {
        show(&Message { page: self.page.clone(), kind })
    }

    /// Shows the page again with why the password was not saved, or says that the link is no longer good.
    pub(super) fn refuse<P: LinkPage>(&self, mut view: P, refusal: Refusal) -> Result<Response, Problem> {
        match refusal {
            Refusal::Ended => self.end(P::ENDED),
            Refusal::Password(violations) => {
                *view.password_problem() = form::refused(&violations, self.min_length());
                show_again(&view)
            }
            Refusal::Failure(failure) => {
                *view.password_problem() = Some(form::busy(failure)?);
                show_with(StatusCode::SERVICE_UNAVAILABLE, &view)
            }
        }
    }

    fn min_length(&self) -> u64 {
        self.site.app.settings.password_policy.min_length().into()
    }
}
