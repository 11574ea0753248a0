//! What the authorization endpoint shows by itself.

use askama::Template;

use super::{Field, Page, Problems, paths};

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

/// Asks whether somebody wants to go where an application that nobody has looked at would lead them.
#[derive(Template)]
#[template(path = "leave.html")]
pub struct Leave {
    /// What all pages share.
    pub page: Page,
    /// Where that is: a host, or the scheme of an application on a device.
    pub destination: String,
    /// The address.
    pub to: String,
    /// What is posted there; nothing where the address says everything.
    pub fields: Vec<(&'static str, String)>,
}

/// Asks whether somebody wants to go on with the account they are signed in to. Posts `flow` and `seen`.
#[derive(Template, Clone, Debug)]
#[template(path = "choose_account.html")]
pub struct ChooseAccount {
    /// What all pages share.
    pub page: Page,
    /// Who is signed in.
    pub email: String,
    /// Names them and their session, sent back.
    pub seen: String,
}

/// Asks whether somebody wants to be signed out, as an application wishes. Posts `flow`, and `decision`: `sign-out` or `stay`.
#[derive(Template, Clone, Debug)]
#[template(path = "confirm_logout.html")]
pub struct ConfirmLogout {
    /// What all pages share.
    pub page: Page,
    /// What the application is called, if it can be told.
    pub application: Option<String>,
}

/// Asks whether an application may have what it asks for. Posts `flow`, and `decision`: `allow` or `deny`.
#[derive(Template, Clone, Debug)]
#[template(path = "consent.html")]
pub struct Consent {
    /// What all pages share.
    pub page: Page,
    /// What the application is called.
    pub application: String,
    /// Who is asked.
    pub email: String,
    /// The words of the scope.
    pub scopes: Vec<String>,
    /// The services it wants to use in the person's name.
    pub services: Vec<String>,
    /// Where the answer goes: a host, or the scheme of an application on a device.
    pub destination: String,
    /// Whether nobody here has looked at the application.
    pub is_self_registered: bool,
    /// The application's own pages: id of the label, and address.
    pub links: Vec<(&'static str, String)>,
}

/// Asks for the code that a device shows. Posts `user_code`.
#[derive(Template, Clone, Debug)]
#[template(path = "device_code.html")]
pub struct DeviceCode {
    /// What all pages share.
    pub page: Page,
    /// The code.
    pub code: Field,
}

impl DeviceCode {
    fn problems(&self) -> Problems<'_> {
        Problems::of(&self.page, [("user_code", &self.code.problem)])
    }
}

/// Asks whether an application on another device may have what it asks for. Posts `flow`, and `decision`: `allow` or
/// `deny`.
#[derive(Template, Clone, Debug)]
#[template(path = "confirm_device.html")]
pub struct ConfirmDevice {
    /// What all pages share.
    pub page: Page,
    /// What the application is called.
    pub application: String,
    /// Who is asked.
    pub email: String,
    /// The words of the scope.
    pub scopes: Vec<String>,
    /// The services it wants to use in the person's name.
    pub services: Vec<String>,
    /// The code that the device shows.
    pub code: String,
    /// Where the device is, if that is known.
    pub address: Option<String>,
}

/// The id of the sentence that says what a word of a scope allows; none for words that only the application knows.
pub(super) fn scope_text(word: &str) -> Option<&'static str> {
    match word {
        "openid" => Some("scope-openid"),
        "profile" => Some("scope-profile"),
        "email" => Some("scope-email"),
        "offline_access" => Some("scope-offline-access"),
        _ => None,
    }
}

impl Page {
    /// Around the address of whoever is asked, which is marked up.
    fn consent_lead(&self) -> (String, String) {
        self.texts.around("consent-lead", "email", &[("site", (&self.site).into())])
    }

    /// Around the word of a scope, which is marked up.
    fn other_scope(&self) -> (String, String) {
        self.texts.around("scope-other", "scope", &[])
    }
}

impl Consent {
    /// Around the host, which is marked up.
    fn whither(&self) -> (String, String) {
        self.page.texts.around("consent-destination", "host", &[])
    }
}
