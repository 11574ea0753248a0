//! How pages look in this browser.

use axum::extract::State;
use axum::response::Response;

use super::{find, summary};
use crate::extract::SignedIn;
use crate::pages::frame::{self, PageQuery, SessionFrame};
use crate::pages::views::AccountAppearance;
use crate::problem::Problem;
use crate::site::Site;

/// Shows the choice.
pub(crate) async fn show(
    State(site): State<Site>,
    SignedIn(principal): SignedIn,
    SessionFrame(page): SessionFrame,
    query: PageQuery,
) -> Result<Response, Problem> {
    let user = find(&site, &principal).await?;
    frame::show(&AccountAppearance { page, account: summary(&user), notice: query.notice })
}
