//! What the authorization endpoint shows by itself.

use askama::Template;

use super::Page;

/// A request that cannot be answered at the client, because it is not proved where that is.
#[derive(Template)]
#[template(path = "authorize_error.html")]
pub struct AuthorizeError {
    /// What all pages share.
    pub page: Page,
    /// What is wrong, for the developer of the client; never the request's own words.
    pub description: &'static str,
    /// The request's id, as in the log.
    pub request_id: String,
}

/// An answer that the browser posts to the client (OAuth 2.0 Form Post Response Mode).
#[derive(Template)]
#[template(path = "form_post.html")]
pub struct FormPost {
    /// What all pages share.
    pub page: Page,
    /// The client's redirect URI.
    pub action: String,
    /// What is posted.
    pub fields: Vec<(&'static str, String)>,
}
