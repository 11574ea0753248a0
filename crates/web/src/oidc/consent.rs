//! Asking a person whether a client may have what it asks for (OpenID Connect Core 3.1.2.4).

use axum::extract::State;
use axum::response::Response;
use doorward_app::oauth::{ConsentQuestion, Parameters, SeenQuestion};

use super::way_back::{Place, WayBack};
use crate::body::{Fields, FormBody, FromFields};
use crate::extract::{MaybeSignedIn, Op, PreCookie};
use crate::pages::frame::{PublicFrame, go_to, show};
use crate::pages::views::{Consent, Message, MessageKind, Page};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// Shows the question. `page` carries the request, sealed, with the fingerprint of this question.
pub(super) async fn ask(
    site: &Site,
    page: Page,
    question: &ConsentQuestion,
    back: &WayBack,
) -> Result<Response, Problem> {
    let person = site.app.find_user(question.person.user_id).await?.ok_or(Code::SessionRevoked)?;
    let metadata = question.client.metadata();
    let link = |label, uri: &Option<String>| uri.clone().map(|uri| (label, uri));
    let links = [
        link("consent-home", &metadata.client_uri),
        link("consent-policy", &metadata.policy_uri),
        link("consent-terms", &metadata.tos_uri),
    ];
    back.show(&Consent {
        page,
        application: question.client.name().unwrap_or(&question.destination).to_owned(),
        email: person.email,
        scopes: question.scope.words().map(str::to_owned).collect(),
        services: question.resources.iter().map(ToString::to_string).collect(),
        destination: question.destination.clone(),
        is_self_registered: metadata.self_registered,
        links: links.into_iter().flatten().collect(),
    })
}

/// What a form with a question says.
pub(crate) struct Answer {
    pub(super) flow: String,
    decision: String,
}

impl FromFields for Answer {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let flow = fields.required::<String>("flow");
        let decision = fields.optional::<String>("decision");
        Some(Self { flow: flow?, decision: decision?.unwrap_or_default() })
    }
}

impl Answer {
    /// Whether the person allows what was asked; none when they say neither.
    pub(super) fn allows(&self) -> Option<bool> {
        match self.decision.as_str() {
            "allow" => Some(true),
            "deny" => Some(false),
            _ => None,
        }
    }
}

/// Writes down what the person says, and leads back to the request. The sealed request in the form ties the answer to the
/// question that was shown, to the person and to their session; an answer that does not fit is asked for again.
pub(super) async fn answer(
    State(site): State<Site>,
    Op(op): Op,
    PreCookie(browser): PreCookie,
    PublicFrame(page): PublicFrame,
    MaybeSignedIn(principal): MaybeSignedIn,
    form: FormBody<Answer>,
) -> Result<Response, Problem> {
    let answer = form.result.map_err(Problem::validation)?;
    let Some(back) = WayBack::open_at(&site, &op, &browser, &answer.flow, Place::Authorize) else {
        return show(&Message { page, kind: MessageKind::FlowEnded });
    };
    let again = || Ok(go_to(&back.address(&answer.flow)));
    let (Some(allows), Some(person), Some(seen)) = (answer.allows(), &principal, back.question()) else {
        return again();
    };
    let parameters = Parameters::parse(back.query.as_bytes()).map_err(Problem::internal)?;
    let seen = SeenQuestion { fingerprint: seen, came_at: back.sent_at() };
    let Some(answered) = site.app.answer_consent(&op, &parameters, person, seen, allows).await? else {
        return again();
    };
    back.answered(answered).lead_on(&site, &op, &browser)
}
