//! Name and language.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::profile::ProfileChange;
use doorward_model::locale::Locale;
use doorward_model::name::DisplayName;

use super::{find, summary};
use crate::api::fields;
use crate::body::{Fields, FormBody, FromFields};
use crate::cookies;
use crate::extract::{Op, SetCookies, SignedIn, UiCookie};
use crate::pages::form;
use crate::pages::frame::{self, PageQuery, Preferences, SessionFrame, go_to, show_again};
use crate::pages::views::{AccountProfile, Field, Notice, paths};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// What the form sends; an empty name removes it.
pub(crate) struct Form {
    name: Option<DisplayName>,
    locale: Option<Locale>,
}

impl FromFields for Form {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional_as("name", fields::name);
        let locale = fields.optional_as("locale", fields::locale);
        // Shown beside them, never changed here.
        let email = fields.optional::<String>("email");
        email?;
        Some(Self { name: name?, locale: locale? })
    }
}

/// Shows the profile.
pub(crate) async fn show(
    State(site): State<Site>,
    SignedIn(principal): SignedIn,
    SessionFrame(page): SessionFrame,
    query: PageQuery,
) -> Result<Response, Problem> {
    let user = find(&site, &principal).await?;
    let locale = user.locale.as_deref().and_then(Locale::parse).unwrap_or_default();
    let name = Field::filled(user.name.clone().unwrap_or_default());
    frame::show(&AccountProfile { page, account: summary(&user), name, locale, notice: query.notice })
}

/// Saves the profile; the language also becomes this browser's.
pub(crate) async fn send(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    SessionFrame(page): SessionFrame,
    UiCookie(ui): UiCookie,
    form: FormBody<Form>,
) -> Result<Response, Problem> {
    let user = find(&site, &principal).await?;
    let change = match form.result {
        Ok(form) => ProfileChange { name: Some(form.name), locale: form.locale },
        Err(errors) => {
            let name = Field { problem: form::problem(&errors, "name", 0), ..Field::filled(form.values.typed("name")) };
            let locale = Locale::parse(form.values.typed("locale")).unwrap_or_default();
            return show_again(&AccountProfile { page, account: summary(&user), name, locale, notice: None });
        }
    };
    let locale = change.locale;
    site.app.change_profile(&op, &principal, change).await?.ok_or(Code::SessionRevoked)?;
    let mut preferences = Preferences::read(ui.as_deref());
    preferences.locale = locale.or(preferences.locale);
    let cookie = cookies::ui_cookie(&preferences.write()).map_err(Problem::internal)?;
    let target = go_to(&format!("{}?notice={}", paths::ACCOUNT, Notice::ProfileSaved.slug()));
    Ok((SetCookies(vec![cookie]), target).into_response())
}
