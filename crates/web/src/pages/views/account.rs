//! The account area of somebody who is signed in.

use askama::Template;
use doorward_app::text;
use doorward_model::locale::Locale;
use doorward_model::time::Timestamp;

use super::{Field, Notice, Page, Problem, Problems, Theme, paths};

/// Whose account the pages show.
#[derive(Clone)]
pub struct Account {
    /// The e-mail address.
    pub email: String,
    /// When the account was created.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("created_at", &self.created_at).finish_non_exhaustive()
    }
}

/// The sections of the account area, in order: path, id of the name.
const SECTIONS: [(&str, &str); 5] = [
    (paths::ACCOUNT, "account-profile"),
    (paths::ACCOUNT_PASSWORD, "account-password"),
    (paths::ACCOUNT_SESSIONS, "account-sessions"),
    (paths::ACCOUNT_APPLICATIONS, "account-applications"),
    (paths::ACCOUNT_APPEARANCE, "account-appearance"),
];

/// Name and language. Posts `name`, `locale`.
#[derive(Template, Clone, Debug)]
#[template(path = "account/profile.html")]
pub struct AccountProfile {
    /// What all pages share.
    pub page: Page,
    /// Whose account.
    pub account: Account,
    /// The name; may be empty.
    pub name: Field,
    /// The language of mails to this person, and of pages once signed in.
    pub locale: Locale,
    /// What just happened.
    pub notice: Option<Notice>,
}

impl AccountProfile {
    const SECTION: &str = paths::ACCOUNT;

    fn problems(&self) -> Problems<'_> {
        Problems::of(&self.page, [("name", &self.name.problem)])
    }

    /// Tag, own name, and whether it is the chosen one.
    fn languages(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let chosen = self.locale;
        Locale::ALL.into_iter().map(move |locale| (locale.as_str(), text::own_name(locale), locale == chosen))
    }
}

/// Change the password. Posts `current_password`, `new_password`.
#[derive(Template, Clone, Debug)]
#[template(path = "account/password.html")]
pub struct AccountPassword {
    /// What all pages share.
    pub page: Page,
    /// Whose account.
    pub account: Account,
    /// What is wrong with the current password.
    pub current_problem: Option<Problem>,
    /// What is wrong with the new password.
    pub new_problem: Option<Problem>,
    /// The fewest characters of a password.
    pub min_length: u64,
    /// What just happened.
    pub notice: Option<Notice>,
}

impl AccountPassword {
    const SECTION: &str = paths::ACCOUNT_PASSWORD;

    fn problems(&self) -> Problems<'_> {
        Problems::of(&self.page, [("current_password", &self.current_problem), ("new_password", &self.new_problem)])
    }
}

/// One session, as its owner sees it.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// The id, sent back to end it.
    pub id: String,
    /// The device label.
    pub device: String,
    /// The network address it was last used from; none if not recorded.
    pub address: Option<String>,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// Whether it is the one this page is shown in.
    pub is_current: bool,
}

/// Where the account is signed in. Ends one by posting `session`; ends all others.
#[derive(Template, Clone, Debug)]
#[template(path = "account/sessions.html")]
pub struct AccountSessions {
    /// What all pages share.
    pub page: Page,
    /// Whose account.
    pub account: Account,
    /// When the page is shown.
    pub now: Timestamp,
    /// Every live session.
    pub sessions: Vec<SessionRow>,
    /// What just happened.
    pub notice: Option<Notice>,
}

impl AccountSessions {
    const SECTION: &str = paths::ACCOUNT_SESSIONS;

    fn problems(&self) -> Problems<'_> {
        Problems::of(&self.page, [])
    }

    /// What the button that ends `session` is called: several look alike, so it names the device.
    fn end_label(&self, session: &SessionRow) -> String {
        let values = [
            ("device", self.page.device(&session.device).into()),
            ("time", self.page.moment(&session.created_at).into()),
        ];
        self.page.texts.say_with("sessions-end-label", &values).into_owned()
    }

    fn current(&self) -> impl Iterator<Item = &SessionRow> {
        self.sessions.iter().filter(|session| session.is_current)
    }

    fn others(&self) -> impl Iterator<Item = &SessionRow> {
        self.sessions.iter().filter(|session| !session.is_current)
    }
}

/// One application, as its user sees it.
#[derive(Clone, Debug)]
pub struct ApplicationRow {
    /// The id, sent back to end its access.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The words of what it may ask for.
    pub scopes: Vec<String>,
    /// The services it may use in the person's name.
    pub services: Vec<String>,
    /// When the person last allowed it; none for the operator's own.
    pub granted_at: Option<Timestamp>,
    /// When the person last signed in to it.
    pub last_used_at: Timestamp,
}

/// What applications may have. Ends the access of one by posting `application`.
#[derive(Template, Clone, Debug)]
#[template(path = "account/applications.html")]
pub struct AccountApplications {
    /// What all pages share.
    pub page: Page,
    /// Whose account.
    pub account: Account,
    /// When the page is shown.
    pub now: Timestamp,
    /// The applications, the one used last first.
    pub applications: Vec<ApplicationRow>,
    /// Where the list goes on, if it does.
    pub next: Option<String>,
    /// What just happened.
    pub notice: Option<Notice>,
}

impl AccountApplications {
    const SECTION: &str = paths::ACCOUNT_APPLICATIONS;

    fn problems(&self) -> Problems<'_> {
        Problems::of(&self.page, [])
    }

    /// Around a word of a scope, which is marked up.
    fn other_scope(&self) -> (String, String) {
        self.page.texts.around("scope-other", "scope", &[])
    }

    /// What the button is called: there are several, so it names the application.
    fn revoke_label(&self, application: &ApplicationRow) -> String {
        self.page.say_with("applications-revoke-label", "application", &application.name).into_owned()
    }
}

/// Choose the colours. Posts `theme` to the preferences.
#[derive(Template, Clone, Debug)]
#[template(path = "account/appearance.html")]
pub struct AccountAppearance {
    /// What all pages share.
    pub page: Page,
    /// Whose account.
    pub account: Account,
    /// What just happened.
    pub notice: Option<Notice>,
}

impl AccountAppearance {
    const SECTION: &str = paths::ACCOUNT_APPEARANCE;

    fn problems(&self) -> Problems<'_> {
        Problems::of(&self.page, [])
    }
}
