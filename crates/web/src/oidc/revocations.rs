//! The feed of revocations (docs/revocation-feed.md).

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use doorward_app::oauth::{FeedAnswer, PAGE_MEDIA_TYPE, PresentedToken, Proving, paths};
use http::{HeaderValue, header};

use super::answer;
use super::bearer::{challenge, presented, refuse};
use crate::edge::SharedCopy;
use crate::extract::Op;
use crate::problem::Problem;
use crate::site::Site;

/// Answers with a page of what was revoked.
pub(super) async fn show(State(site): State<Site>, Op(op): Op, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let (authorization, proofs) = (answer::authorization(&parts), answer::proofs(&parts));
    let proving = Proving { proofs: &proofs, method: parts.method.as_str(), path: paths::REVOCATIONS };
    let presented = presented(&authorization);
    let token = presented.map(|(scheme, text)| PresentedToken { text, scheme, proving });
    let query = parts.uri.query().unwrap_or_default();
    let answered = match (site.app.revocation_feed(&op, token.as_ref(), query).await?, presented) {
        (FeedAnswer::Page { text, is_public }, _) => {
            let kind = HeaderValue::from_static(PAGE_MEDIA_TYPE);
            let mut page = ([(header::CONTENT_TYPE, kind)], String::from(&*text)).into_response();
            if is_public {
                page.extensions_mut().insert(SharedCopy);
            }
            page
        }
        (FeedAnswer::Refused(error), Some((scheme, _))) => refuse(scheme, error),
        (FeedAnswer::Refused(error), None) => answer::document(error),
        (FeedAnswer::Challenge, _) => challenge(),
    };
    Ok(answer::with_nonce(&site, &op, &proofs, answered))
}
