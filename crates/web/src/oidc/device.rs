//! Signing in on a device without a browser: the endpoint that it begins at, and the pages on which a person types its code
//! (RFC 8628).

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use doorward_app::authentication::Principal;
use doorward_app::oauth::{DeviceQuestion, Parameters, paths as endpoints};
use doorward_model::name::DisplayName;
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;

use super::answer::{ClientCall, Refusal};
use super::consent::Answer;
use super::way_back::{Place, WayBack};
use crate::body::{Fields, FormBody, FromFields};
use crate::cookies::PreNonce;
use crate::edge::limits::CredentialRefused;
use crate::extract::{MaybeSignedIn, Op, PreCookie};
use crate::pages::frame::{PublicFrame, go_to, show as show_page, show_with};
use crate::pages::views::{ConfirmDevice, DeviceCode, Field, Message, MessageKind, Page, Problem as Complaint, paths};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// More than anybody types.
const MOST_TYPED_BYTES: usize = 64;

/// RFC 8628 section 3.2.
#[derive(Serialize)]
struct Started<'a> {
    device_code: &'a str,
    user_code: &'a str,
    verification_uri: &'a str,
    verification_uri_complete: &'a str,
    expires_in: i64,
    interval: u32,
}

/// Begins a request of a device.
pub(super) async fn create(State(site): State<Site>, Op(op): Op, call: ClientCall) -> Response {
    match site.app.begin_device(&op, &call.request).await {
        Ok(start) => {
            let started = Started {
                device_code: start.device_code.reveal(),
                user_code: &start.user_code,
                verification_uri: &start.verification_uri,
                verification_uri_complete: &start.verification_uri_complete,
                expires_in: start.expires_in,
                interval: start.interval,
            };
            Json(started).into_response()
        }
        Err(refusal) => Refusal(refusal).into_response(),
    }
}

/// Somebody in front of the page.
pub(super) struct Visit {
    site: Site,
    op: doorward_app::op::Op,
    page: Page,
    browser: PreNonce,
    person: Option<Principal>,
}

impl FromRequestParts<Site> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let Op(op) = Op::from_request_parts(parts, site).await?;
        let PublicFrame(page) = PublicFrame::from_request_parts(parts, site).await?;
        let PreCookie(browser) = PreCookie::from_request_parts(parts, site).await?;
        let MaybeSignedIn(person) = MaybeSignedIn::from_request_parts(parts, site).await?;
        Ok(Self { site: site.clone(), op, page, browser, person })
    }
}

/// Asks for the code, or what was asked with the one in the address. Whoever is not signed in signs in first, so that codes
/// are tried by people with names.
pub(super) async fn show(visit: Visit, uri: Uri) -> Result<Response, Problem> {
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let back = parameters.find("flow").and_then(|flow| visit.open(flow));
    let typed = back.map(|back| back.query).or_else(|| parameters.find("user_code").map(str::to_owned));
    let typed = typed.filter(|typed| typed.len() <= MOST_TYPED_BYTES).unwrap_or_default();
    let back = WayBack::to_device(&visit.op, &typed);
    let Some(person) = &visit.person else {
        let flow = visit.seal(&back)?;
        return Ok(go_to(&format!("{}?flow={flow}", paths::LOGIN)));
    };
    if typed.is_empty() {
        let page = visit.page_with(&back)?;
        return show_page(&DeviceCode { page, code: Field::default() });
    }
    if let Some(question) = visit.site.app.find_device(&visit.op, &typed, person).await? {
        return visit.ask(question, back).await;
    }
    let page = visit.page_with(&back)?;
    let code = Field { problem: Some(Complaint::DeviceCodeWrong), ..Field::filled(&typed) };
    let mut shown = show_with(StatusCode::UNPROCESSABLE_ENTITY, &DeviceCode { page, code })?;
    // Codes are short (RFC 8628 section 5.1).
    shown.extensions_mut().insert(CredentialRefused);
    Ok(shown)
}

impl Visit {
    fn open(&self, flow: &str) -> Option<WayBack> {
        WayBack::open_at(&self.site, &self.op, &self.browser, flow, Place::Device)
    }

    fn seal(&self, back: &WayBack) -> Result<String, Problem> {
        let sealed = back.seal(&self.site, &self.op, &self.browser)?;
        // No code is long.
        sealed.ok_or_else(|| Code::MalformedRequest.into())
    }

    fn page_with(&self, back: &WayBack) -> Result<Page, Problem> {
        Ok(Page { flow: self.seal(back)?, ..self.page.clone() })
    }

    async fn ask(self, question: DeviceQuestion, back: WayBack) -> Result<Response, Problem> {
        let asked = &question.consent;
        let person = self.site.app.find_user(asked.person.user_id).await?.ok_or(Code::SessionRevoked)?;
        let page = self.page_with(&back.asking(asked.fingerprint()))?;
        let name = asked.client.metadata().name.as_ref().map(DisplayName::as_str);
        show_page(&ConfirmDevice {
            page,
            application: name.unwrap_or(asked.client.id().as_str()).to_owned(),
            email: person.email,
            scopes: asked.scope.words().map(str::to_owned).collect(),
            services: asked.resources.iter().map(ToString::to_string).collect(),
            code: question.user_code,
            address: question.address,
        })
    }
}

/// What the form with the code says.
pub(crate) struct Typed {
    code: String,
}

impl FromFields for Typed {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let flow = fields.optional::<String>("flow");
        let code = fields.optional::<String>("user_code");
        flow?;
        Some(Self { code: code?.unwrap_or_default() })
    }
}

/// To what was asked with the code.
pub(super) async fn enter(form: FormBody<Typed>) -> Result<Response, Problem> {
    let typed = form.result.map_err(Problem::validation)?;
    let code: String = typed.code.chars().take(MOST_TYPED_BYTES).collect();
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("user_code", &code).finish();
    Ok(go_to(&format!("{}?{query}", endpoints::DEVICE)))
}

/// Writes down what the person says to the device. The sealed code in the form ties it to the question that was shown, to
/// the person and to their session.
pub(super) async fn answer(visit: Visit, form: FormBody<Answer>) -> Result<Response, Problem> {
    let answer = form.result.map_err(Problem::validation)?;
    let Some(back) = visit.open(&answer.flow) else {
        return show_page(&Message { page: visit.page, kind: MessageKind::FlowEnded });
    };
    let again = || Ok(go_to(&back.address(&answer.flow)));
    let (Some(allows), Some(person), Some(seen)) = (answer.allows(), &visit.person, back.question()) else {
        return again();
    };
    let kind = if allows { MessageKind::DeviceAllowed } else { MessageKind::DeviceDenied };
    match visit.site.app.answer_device(&visit.op, &back.query, person, seen, allows).await? {
        Some(()) => show_page(&Message { page: visit.page, kind }),
        None => again(),
    }
}
