//! Signing in, and the way back for those who forgot their password.

use askama::Template;

use super::{Field, Notice, Page, Problem, Problems, paths};

/// Sign in. Posts `flow`, `email`, `password`, and `remember=yes` when ticked.
#[derive(Template, Clone, Debug)]
#[template(path = "login.html")]
pub struct Login {
    /// What all pages share.
    pub page: Page,
    /// The e-mail address.
    pub email: Field,
    /// What is wrong with the password alone: only that it is missing.
    pub password_problem: Option<Problem>,
    /// Whether "stay signed in" is ticked.
    pub remember: bool,
    /// Why the sign-in was refused: the same for every reason that would tell something about the account.
    pub refusal: Option<Problem>,
    /// What just happened.
    pub notice: Option<Notice>,
}

impl Login {
    fn problems(&self) -> Problems<'_> {
        let Self { page, email, password_problem, refusal, .. } = self;
        Problems::of(page, [("email", refusal), ("email", &email.problem), ("password", password_problem)])
    }
}

/// Ask for a reset link. Posts `email`.
#[derive(Template, Clone, Debug)]
#[template(path = "forgot.html")]
pub struct Forgot {
    /// What all pages share.
    pub page: Page,
    /// The e-mail address.
    pub email: Field,
    /// What is wrong with the form as a whole.
    pub refusal: Option<Problem>,
}

impl Forgot {
    fn problems(&self) -> Problems<'_> {
        Problems::of(&self.page, [("email", &self.refusal), ("email", &self.email.problem)])
    }
}

/// The same answer for every address: a mail is on its way if there is an account.
#[derive(Template, Clone, Debug)]
#[template(path = "forgot_sent.html")]
pub struct ForgotSent {
    /// What all pages share.
    pub page: Page,
    /// The address as typed.
    pub email: String,
    /// How long the link works.
    pub valid_seconds: u64,
}

impl ForgotSent {
    // One of the two values stands in the middle, marked up; the other is filled in first.
    fn lead(&self) -> (String, String) {
        let Self { page, valid_seconds, .. } = self;
        page.texts.around("forgot-sent-lead", "email", &[("time", page.span(valid_seconds).into())])
    }
}

/// Choose a new password by a mailed link. Posts `flow`, `password`.
#[derive(Template, Clone, Debug)]
#[template(path = "reset.html")]
pub struct Reset {
    /// What all pages share.
    pub page: Page,
    /// The address of the account.
    pub email: String,
    /// What is wrong with the password.
    pub password_problem: Option<Problem>,
    /// The fewest characters of a password.
    pub min_length: u64,
}

impl Reset {
    fn problems(&self) -> Problems<'_> {
        Problems::of(&self.page, [("password", &self.password_problem)])
    }
}
