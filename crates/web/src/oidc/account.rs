//! Asking a person whether they want to go on with the account they are signed in to (`prompt=select_account`, OpenID
//! Connect Core 3.1.2.1).

use axum::extract::State;
use axum::response::Response;
use doorward_app::authentication::Principal;

use super::way_back::{Place, WayBack};
use crate::body::{Fields, FormBody, FromFields};
use crate::extract::{MaybeSignedIn, Op, PreCookie};
use crate::pages::frame::{PublicFrame, show};
use crate::pages::views::{ChooseAccount, Message, MessageKind, Page};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// Shows who is signed in.
pub(super) async fn ask(site: &Site, page: Page, person: &Principal, back: &WayBack) -> Result<Response, Problem> {
    let user = site.app.find_user(person.user_id).await?.ok_or(Code::SessionRevoked)?;
    let seen = WayBack::shortly(person);
    back.show(&ChooseAccount { page, email: user.email, seen })
}

/// What the form says.
pub(crate) struct Choice {
    flow: String,
    seen: String,
}

impl FromFields for Choice {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let flow = fields.required::<String>("flow");
        let seen = fields.optional::<String>("seen");
        Some(Self { flow: flow?, seen: seen?.unwrap_or_default() })
    }
}

/// Goes on with the account that was shown, if it is still the one that is signed in; else it is asked again.
pub(super) async fn answer(
    State(site): State<Site>,
    Op(op): Op,
    PreCookie(browser): PreCookie,
    PublicFrame(page): PublicFrame,
    MaybeSignedIn(principal): MaybeSignedIn,
    form: FormBody<Choice>,
) -> Result<Response, Problem> {
    let choice = form.result.map_err(Problem::validation)?;
    let Some(back) = WayBack::open_at(&site, &op, &browser, &choice.flow, Place::Authorize) else {
        return show(&Message { page, kind: MessageKind::FlowEnded });
    };
    let back = match principal.filter(|person| WayBack::shortly(person) == choice.seen) {
        Some(person) => back.chosen_by(&op, &person),
        // Whoever signed in meanwhile has not been shown who is asked for.
        None => back.asked_anew(&op),
    };
    back.lead_on(&site, &op, &browser)
}
