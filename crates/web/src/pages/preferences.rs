//! Language and appearance, kept in a cookie of this browser.

use axum::response::{IntoResponse, Response};
use doorward_app::flow::MOST_TEXT_BYTES;
use doorward_app::oauth;
use doorward_model::locale::Locale;

use super::frame::{Preferences, go_to};
use super::views::{Notice, Theme, paths};
use crate::body::{Fields, FormBody, FromFields};
use crate::cookies;
use crate::extract::{SetCookies, UiCookie};
use crate::problem::Problem;

/// What is chosen; what is absent stays as it is.
pub(crate) struct Choice {
    language: Option<Locale>,
    theme: Option<Theme>,
    from: Option<String>,
    flow: Option<String>,
}

impl FromFields for Choice {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let unknown = ("unknown_choice", "This cannot be chosen.");
        let language = fields.optional_as("language", |text: String| Locale::parse(&text).ok_or(unknown));
        let theme = fields.optional_as("theme", |text: String| Theme::from_slug(&text).ok_or(unknown));
        let from = fields.optional("from");
        let flow = fields.optional("flow");
        Some(Self { language: language?, theme: theme?, from: from?, flow: flow? })
    }
}

/// Keeps the choice and goes back to the page it was made on.
pub(crate) async fn send(UiCookie(ui): UiCookie, form: FormBody<Choice>) -> Result<Response, Problem> {
    let choice = form.result.map_err(Problem::validation)?;
    let mut preferences = Preferences::read(ui.as_deref());
    preferences.locale = choice.language.or(preferences.locale);
    preferences.theme = choice.theme.unwrap_or(preferences.theme);
    let cookie = cookies::ui_cookie(&preferences.write()).map_err(Problem::internal)?;
    let back = choice.from.as_deref().and_then(own_page).unwrap_or(paths::START);
    let flow = choice.flow.filter(|flow| is_flow(flow)).map(|flow| format!("flow={flow}"));
    let notice = choice.theme.map(|_| format!("notice={}", Notice::AppearanceSaved.slug()));
    let query: Vec<_> = flow.into_iter().chain(notice).collect();
    let target = if query.is_empty() { back.to_owned() } else { format!("{back}?{}", query.join("&")) };
    Ok((SetCookies(vec![cookie]), go_to(&target)).into_response())
}

/// Only pages of ours, by name: whatever else the field holds leads to the start page.
fn own_page(path: &str) -> Option<&'static str> {
    const PAGES: [&str; 16] = [
        paths::SIGNUP,
        paths::VERIFY,
        paths::VERIFY_LINK,
        paths::RESET,
        paths::SETUP,
        paths::LOGIN,
        paths::FORGOT,
        paths::ACCOUNT,
        paths::ACCOUNT_PASSWORD,
        paths::ACCOUNT_SESSIONS,
        paths::ACCOUNT_APPLICATIONS,
        paths::ACCOUNT_APPEARANCE,
        oauth::paths::AUTHORIZE,
        oauth::paths::LOGOUT,
        oauth::paths::DEVICE,
        paths::START,
    ];
    // Has no page of its own: it says that its flow has ended, or leads on.
    let path = if path == paths::VERIFY_RESEND { paths::VERIFY } else { path };
    PAGES.into_iter().find(|page| *page == path)
}

/// Whether a text can be a flow as we seal them, so that nothing else gets into the address.
fn is_flow(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MOST_TEXT_BYTES
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: A-51, V3.7.2
    #[test]
    fn the_way_back_leads_to_no_other_site() {
        for path in [
            "https://evil.com",
            "//evil.com",
            "/\\evil.com",
            "/%09/evil.com",
            "javascript:alert(1)",
            "/account/../..//evil.com",
            "/login?x=//evil.com",
            "",
        ] {
            assert_eq!(own_page(path), None, "{path}");
        }
        assert_eq!(own_page("/login"), Some("/login"));
    }

    #[test]
    fn only_what_can_be_a_flow_comes_back_in_the_address() {
        assert!(is_flow("aZ09-_"));
        for text in ["", "a&notice=profile-saved", "a b", "a%0d%0a", "a\r\nx: y", "ä", &"a".repeat(4097)] {
            assert!(!is_flow(text), "{text}");
        }
    }
}
