//! What every page is framed by: language, colours, tokens of its forms.

use askama::Template;
use axum::extract::{FromRef, FromRequestParts, OriginalUri};
use axum::response::{Html, IntoResponse, Response};
use doorward_app::text::Texts;
use doorward_model::locale::Locale;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};

use super::views::{Failure, FailureKind, Notice, Page, Theme};
use crate::body::FormFields;
use crate::cookies::CookieName;
use crate::edge::headers::FormActionOrigin;
use crate::extract::{PublicFormToken, ScriptNonce, SessionFormToken, UiCookie};
use crate::page_error::ErrorPage;
use crate::problem::Problem;
use crate::site::Site;

/// The frame of a page whose forms belong to the browser before sign-in.
pub(crate) struct PublicFrame(pub(crate) Page);

/// The frame of a page whose forms belong to the session.
pub(crate) struct SessionFrame(pub(crate) Page);

impl FromRequestParts<Site> for PublicFrame {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let PublicFormToken(token) = PublicFormToken::from_request_parts(parts, site).await?;
        Ok(Self(frame(parts, site, token.reveal().to_string(), false).await?))
    }
}

impl FromRequestParts<Site> for SessionFrame {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let SessionFormToken(token) = SessionFormToken::from_request_parts(parts, site).await?;
        Ok(Self(frame(parts, site, token.reveal().to_string(), true).await?))
    }
}

async fn frame(parts: &mut Parts, site: &Site, csrf: String, is_signed_in: bool) -> Result<Page, Problem> {
    let ScriptNonce(nonce) = ScriptNonce::from_request_parts(parts, site).await?;
    let UiCookie(ui) = UiCookie::from_request_parts(parts, site).await?;
    let preferences = Preferences::read(ui.as_deref());
    let path = parts.extensions.get::<OriginalUri>().map_or_else(|| parts.uri.path(), |uri| uri.0.path()).to_owned();
    Ok(Page {
        texts: Texts::for_locale(preferences.locale(&parts.headers)),
        theme: preferences.theme,
        site: Site::from_ref(site).app.settings.service_name.clone(),
        path,
        flow: String::new(),
        csrf,
        nonce,
        is_signed_in,
    })
}

/// What a browser remembers about how pages are to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    pub(crate) locale: Option<Locale>,
    pub(crate) theme: Theme,
}

impl Preferences {
    /// From the cookie; what cannot be read is as if it were not there.
    pub(crate) fn read(cookie: Option<&str>) -> Self {
        let (locale, theme) = cookie.and_then(|text| text.split_once('.')).unwrap_or_default();
        Self { locale: Locale::parse(locale), theme: Theme::from_slug(theme).unwrap_or_default() }
    }

    /// The cookie's value.
    pub(crate) fn write(self) -> String {
        format!("{}.{}", self.locale.map_or("", Locale::as_str), self.theme.slug())
    }

    fn locale(self, headers: &HeaderMap) -> Locale {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        self.locale.unwrap_or_else(|| Locale::negotiate(accepted))
    }
}

/// The page in the language that a client wishes for, unless the visitor has chosen one.
pub(crate) fn in_language(page: Page, ui: Option<&str>, wished: &[String]) -> Page {
    let chosen = Preferences::read(ui).locale;
    match wished.iter().find_map(|tag| Locale::parse(tag)).filter(|_| chosen.is_none()) {
        Some(locale) => Page { texts: Texts::for_locale(locale), ..page },
        None => page,
    }
}

/// The parameters that pages know; others are passed over.
#[derive(Debug, Default)]
pub(crate) struct PageQuery {
    pub(crate) token: Option<String>,
    pub(crate) flow: Option<String>,
    pub(crate) notice: Option<Notice>,
    /// Where a list goes on.
    pub(crate) after: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for PageQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut fields = FormFields::parse(parts.uri.query().unwrap_or_default().as_bytes())?;
        let notice = fields.take("notice").and_then(|slug| Notice::from_slug(&slug));
        let text = |value: Option<zeroize::Zeroizing<String>>| value.map(|value| value.to_string());
        let after = text(fields.take("after"));
        Ok(Self { token: text(fields.take("token")), flow: text(fields.take("flow")), notice, after })
    }
}

/// Shows a view.
pub(crate) fn show(view: &impl Template) -> Result<Response, Problem> {
    show_with(StatusCode::OK, view)
}

/// Shows a form again, with what is wrong with it.
pub(crate) fn show_again(view: &impl Template) -> Result<Response, Problem> {
    show_with(StatusCode::UNPROCESSABLE_ENTITY, view)
}

/// Lets the form of a page lead to a client in the end.
pub(crate) fn leading_to(mut response: Response, origin: Option<FormActionOrigin>) -> Response {
    if let Some(origin) = origin {
        response.extensions_mut().insert(origin);
    }
    response
}

/// Shows a view with a status.
pub(crate) fn show_with(status: StatusCode, view: &impl Template) -> Result<Response, Problem> {
    Ok((status, Html(view.render().map_err(Problem::internal)?)).into_response())
}

/// 303 to a page of this site.
pub(crate) fn go_to(path: &str) -> Response {
    axum::response::Redirect::to(path).into_response()
}

/// The HTML of an error.
pub fn error_page(error: &ErrorPage<'_>) -> String {
    let name = format!("{}=", CookieName::Ui.as_str());
    let cookies = error.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let ui = cookies.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name.as_str()));
    let preferences = Preferences::read(ui);
    let page = Page {
        texts: Texts::for_locale(preferences.locale(error.headers)),
        theme: preferences.theme,
        site: error.site.to_owned(),
        path: String::new(),
        flow: String::new(),
        csrf: String::new(),
        nonce: error.nonce.to_owned(),
        is_signed_in: false,
    };
    let view = Failure {
        page,
        kind: FailureKind::of(error.problem),
        retry_path: error.retry_path.map(str::to_owned),
        request_id: error.request_id.to_owned(),
    };
    view.render().unwrap_or_else(|_| crate::page_error::plain_page(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_read_back_and_nonsense_is_passed_over() {
        for locale in [None, Some(Locale::English), Some(Locale::German)] {
            for theme in Theme::ALL {
                let preferences = Preferences { locale, theme };
                assert_eq!(Preferences::read(Some(&preferences.write())), preferences);
            }
        }
        for text in ["", ".", "xx.blue", "de", "de.dark.x"] {
            assert_eq!(Preferences::read(Some(text)).theme, Theme::System, "{text}");
        }
    }
}
