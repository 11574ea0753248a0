//! The end of a session in a browser.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::frame::show;
use super::views::{Notice, Page, SignedOut, paths};
use crate::cookies::{CookieName, expired_cookie};
use crate::edge::headers::FrameOrigins;
use crate::extract::{CLEAR_SITE_DATA, SetCookies};
use crate::problem::Problem;

/// How long the applications' frames have before the page goes on by itself, in seconds.
const FRAMES_SECONDS: u32 = 3;

/// Leads to where a client wants, or to the sign-in page; this browser forgets the session. Applications that hear of it in
/// frames are told on the way (Front-Channel Logout 1.0 section 3).
pub(crate) fn leave(page: Page, frames: Vec<String>, redirect_to: Option<String>) -> Result<Response, Problem> {
    let own = || format!("{}?notice={}", paths::LOGIN, Notice::SignedOut.slug());
    let next = redirect_to.unwrap_or_else(own);
    let cookies = SetCookies(vec![expired_cookie(CookieName::Session)]);
    if frames.is_empty() {
        let to = HeaderValue::from_str(&next).map_err(Problem::internal)?;
        return Ok((StatusCode::SEE_OTHER, [CLEAR_SITE_DATA], cookies, [(header::LOCATION, to)]).into_response());
    }
    let refresh = HeaderValue::from_str(&format!("{FRAMES_SECONDS}; url={next}")).map_err(Problem::internal)?;
    let origins = FrameOrigins::of(&frames);
    // There is nothing to come back to in another language.
    let page = Page { csrf: String::new(), ..page };
    let mut shown = show(&SignedOut { page, frames, next })?;
    shown.extensions_mut().insert(origins);
    Ok(([CLEAR_SITE_DATA], cookies, [(header::REFRESH, refresh)], shown).into_response())
}
