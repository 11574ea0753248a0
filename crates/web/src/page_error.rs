//! Errors as pages: the hook through which the pages module shows them, and a plain page until it does.

use http::HeaderMap;

use crate::problem::Problem;

/// What an error page is made from.
pub struct ErrorPage<'a> {
    /// What went wrong; its code decides the words.
    pub problem: &'a Problem,
    /// What the deployment is called.
    pub site: &'a str,
    /// Joins page and log.
    pub request_id: &'a str,
    /// The path of the request without its query, for a way to try again; none when no route has it (linking
    /// to whatever a stranger wrote would be an open redirect). Not encoded for HTML.
    pub retry_path: Option<&'a str>,
    /// The nonce that scripts of this answer must carry.
    pub nonce: &'a str,
    /// The request's headers, for language and appearance.
    pub headers: &'a HeaderMap,
}

/// Makes the HTML document of an error.
pub type PagePresenter = fn(&ErrorPage<'_>) -> String;

/// A page without any design: what is shown until a presenter is configured.
pub fn plain_page(page: &ErrorPage<'_>) -> String {
    let code = page.problem.code();
    let way_on = page.retry_path.unwrap_or("/");
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><main><h1>{title}</h1><p>{detail}</p><p><a href=\"{way_on}\">Try again</a></p>\
         <p>{request_id}</p></main></body></html>",
        title = escape(code.title()),
        detail = escape(code.detail()),
        way_on = escape(way_on),
        request_id = escape(page.request_id),
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
