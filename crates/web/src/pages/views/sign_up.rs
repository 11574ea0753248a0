//! Pages on the way to an account.

use askama::Template;

use super::{Field, Notice, Page, Problem, Problems, paths};

/// Sign up. Posts `email`, `name`, `password`.
#[derive(Template, Clone, Debug)]
#[template(path = "signup.html")]
pub struct Signup {
    /// What all pages share.
    pub page: Page,
    /// The e-mail address.
    pub email: Field,
    /// The name; may stay empty.
    pub name: Field,
    /// What is wrong with the password.
    pub password_problem: Option<Problem>,
    /// What is wrong with the form as a whole.
    pub refusal: Option<Problem>,
    /// The fewest characters of a password.
    pub min_length: u64,
}

impl Signup {
    fn problems(&self) -> Problems<'_> {
        let Self { page, email, name, password_problem, refusal, .. } = self;
        Problems::of(
            page,
            [("email", refusal), ("email", &email.problem), ("name", &name.problem), ("password", password_problem)],
        )
    }
}

/// Enter the code, in the browser that signed up. Posts `flow`, `code`; the mail is sent again by posting `flow`.
#[derive(Template, Clone, Debug)]
#[template(path = "verify.html")]
pub struct Verify {
    /// What all pages share.
    pub page: Page,
    /// The address the mail went to; none where only the link to the sign-up is known.
    pub email: Option<String>,
    /// The code.
    pub code: Field,
    /// What just happened.
    pub notice: Option<Notice>,
}

impl Verify {
    fn problems(&self) -> Problems<'_> {
        Problems::of(&self.page, [("code", &self.code.problem)])
    }
}

/// Whoever opened the link chooses the password. Posts `flow`, `password`.
#[derive(Template, Clone, Debug)]
#[template(path = "verify_link.html")]
pub struct VerifyLink {
    /// What all pages share.
    pub page: Page,
    /// The address being confirmed.
    pub email: String,
    /// What is wrong with the password.
    pub password_problem: Option<Problem>,
    /// The fewest characters of a password.
    pub min_length: u64,
}

impl VerifyLink {
    fn problems(&self) -> Problems<'_> {
        Problems::of(&self.page, [("password", &self.password_problem)])
    }
}

/// The one-time link of a new deployment: its opener becomes the first administrator. Posts `flow`, `email`, `name`,
/// `password`.
#[derive(Template, Clone, Debug)]
#[template(path = "first_administrator.html")]
pub struct FirstAdministrator {
    /// What all pages share.
    pub page: Page,
    /// The e-mail address.
    pub email: Field,
    /// The name; may stay empty.
    pub name: Field,
    /// What is wrong with the password.
    pub password_problem: Option<Problem>,
    /// The fewest characters of a password.
    pub min_length: u64,
}

impl FirstAdministrator {
    fn problems(&self) -> Problems<'_> {
        let Self { page, email, name, password_problem, .. } = self;
        Problems::of(page, [("email", &email.problem), ("name", &name.problem), ("password", password_problem)])
    }
}
