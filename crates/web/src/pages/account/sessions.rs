//! Where the person is signed in.

use axum::extract::State;
use axum::response::Response;
use doorward_app::sessions::Session;
use doorward_model::id::SessionId;

use super::{find, summary};
use crate::body::{Fields, FormBody, FromFields};
use crate::extract::{Op, SignedIn};
use crate::pages::frame::{self, PageQuery, SessionFrame, go_to};
use crate::pages::login::Nothing;
use crate::pages::views::{AccountSessions, Notice, SessionRow, paths};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// The most sessions one page shows; a person has at most 20 unless an operator allows more.
const MOST: u8 = 100;

/// Lists the sessions.
pub(crate) async fn show(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    SessionFrame(page): SessionFrame,
    query: PageQuery,
) -> Result<Response, Problem> {
    let user = find(&site, &principal).await?;
    let (sessions, _) = site.app.list_sessions(&op, principal.user_id, None, MOST).await?;
    let sessions = sessions.into_iter().map(|session| row(session, principal.session_id)).collect();
    frame::show(&AccountSessions { page, account: summary(&user), now: op.now, sessions, notice: query.notice })
}

fn row(session: Session, current: SessionId) -> SessionRow {
    SessionRow {
        id: session.id.to_string(),
        device: session.device_label,
        address: session.address,
        last_seen_at: session.last_seen_at,
        created_at: session.created_at,
        is_current: session.id == current,
    }
}

/// Which session to end.
pub(crate) struct End {
    session: Option<SessionId>,
}

impl FromFields for End {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let text = fields.required::<String>("session")?;
        Some(Self { session: SessionId::parse(&text).ok() })
    }
}

/// Ends one session.
pub(crate) async fn end(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    form: FormBody<End>,
) -> Result<Response, Problem> {
    let id = form.result.map_err(Problem::validation)?.session.ok_or(Code::NotFound)?;
    // One that has ended meanwhile is where the person wants it to be.
    site.app.end_session(&op, &principal, id).await?;
    Ok(go_to(&format!("{}?notice={}", paths::ACCOUNT_SESSIONS, Notice::DeviceSignedOut.slug())))
}

/// Ends every other session.
pub(crate) async fn end_others(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    _: FormBody<Nothing>,
) -> Result<Response, Problem> {
    site.app.end_other_sessions(&op, &principal).await?;
    Ok(go_to(&format!("{}?notice={}", paths::ACCOUNT_SESSIONS, Notice::OthersSignedOut.slug())))
}
