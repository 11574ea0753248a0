//! The applications the person has signed in to.

use axum::extract::State;
use axum::response::Response;
use doorward_app::applications::Application;

use super::{find, summary};
use crate::body::{Fields, FormBody, FromFields};
use crate::extract::{Op, SignedIn};
use crate::pages::frame::{self, PageQuery, SessionFrame, go_to};
use crate::pages::views::{AccountApplications, ApplicationRow, Notice, paths};
use crate::problem::Problem;
use crate::site::Site;

/// The most applications one page shows.
const MOST: u8 = 100;

/// Lists the applications, the one used last first.
pub(crate) async fn show(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    SessionFrame(page): SessionFrame,
    query: PageQuery,
) -> Result<Response, Problem> {
    let user = find(&site, &principal).await?;
    let (applications, next) =
        site.app.list_applications(&principal, query.after.as_deref().unwrap_or(""), MOST).await?;
    let mut applications: Vec<ApplicationRow> = applications.into_iter().map(row).collect();
    applications.sort_by_key(|application| std::cmp::Reverse(application.last_used_at));
    let account = summary(&user);
    frame::show(&AccountApplications { page, account, now: op.now, applications, next, notice: query.notice })
}

fn row(application: Application) -> ApplicationRow {
    ApplicationRow {
        id: application.client.id().to_string(),
        name: application.client.shown_name().to_owned(),
        scopes: application.scope.words().map(str::to_owned).collect(),
        services: application.services,
        granted_at: application.granted_at,
        last_used_at: application.last_used_at,
    }
}

/// Whose access to end.
pub(crate) struct Revoke {
    application: String,
}

impl FromFields for Revoke {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self { application: fields.required("application")? })
    }
}

/// Takes back what an application may have.
pub(crate) async fn revoke(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    form: FormBody<Revoke>,
) -> Result<Response, Problem> {
    let id = form.result.map_err(Problem::validation)?.application;
    // One that was taken back meanwhile is where the person wants it to be.
    site.app.revoke_application(&op, &principal, &id).await?;
    Ok(go_to(&format!("{}?notice={}", paths::ACCOUNT_APPLICATIONS, Notice::ApplicationRevoked.slug())))
}
