//! Changing the password.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::passwords::PasswordChange;
use doorward_app::profile::User;
use doorward_model::password::Password;
use http::{StatusCode, header};

use super::{find, summary};
use crate::api::fields;
use crate::api::login::{set_device_cookie, set_session_cookie};
use crate::body::{Fields, FormBody, FromFields};
use crate::extract::{Op, SetCookies, SignedIn};
use crate::pages::form;
use crate::pages::frame::{self, PageQuery, SessionFrame, go_to, show_again, show_with};
use crate::pages::views::{AccountPassword, Notice, Page, Problem as Complaint, paths};
use crate::problem::Problem;
use crate::site::Site;

/// What the form sends.
pub(crate) struct Form {
    current: Password,
    new: Password,
}

impl FromFields for Form {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        // There for password managers; whose password it is follows from the session.
        let email = fields.optional::<String>("email");
        let current = fields.required_as("current_password", fields::password);
        let new = fields.required_as("new_password", fields::password);
        email?;
        Some(Self { current: current?, new: new? })
    }
}

fn view(site: &Site, page: Page, user: &User) -> AccountPassword {
    AccountPassword {
        page,
        account: summary(user),
        current_problem: None,
        new_problem: None,
        min_length: site.app.settings.password_policy.min_length().into(),
        notice: None,
    }
}

/// Shows the form.
pub(crate) async fn show(
    State(site): State<Site>,
    SignedIn(principal): SignedIn,
    SessionFrame(page): SessionFrame,
    query: PageQuery,
) -> Result<Response, Problem> {
    let user = find(&site, &principal).await?;
    frame::show(&AccountPassword { notice: query.notice, ..view(&site, page, &user) })
}

/// Changes the password.
pub(crate) async fn send(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    SessionFrame(page): SessionFrame,
    form: FormBody<Form>,
) -> Result<Response, Problem> {
    let user = find(&site, &principal).await?;
    let mut view = view(&site, page, &user);
    let Form { current, new } = match form.result {
        Ok(form) => form,
        Err(errors) => {
            view.current_problem = form::problem(&errors, "current_password", view.min_length);
            view.new_problem = form::problem(&errors, "new_password", view.min_length);
            return show_again(&view);
        }
    };
    match site.app.change_password(&op, &principal, current, new).await {
        Ok(PasswordChange::Changed { session, device_cookie }) => {
            let mut cookies = vec![set_device_cookie(&device_cookie)?];
            if let Some((cookie, session)) = session.as_deref() {
                cookies.push(set_session_cookie(cookie, session, op.now)?);
            }
            let target = go_to(&format!("{}?notice={}", paths::ACCOUNT_PASSWORD, Notice::PasswordChanged.slug()));
            Ok((SetCookies(cookies), target).into_response())
        }
        Ok(PasswordChange::WrongPassword) => {
            view.current_problem = Some(Complaint::CurrentPasswordWrong);
            show_again(&view)
        }
        Ok(PasswordChange::Refused(violations)) => {
            view.new_problem = form::refused(&violations, view.min_length);
            show_again(&view)
        }
        Ok(PasswordChange::SlowDown { retry_after_seconds }) => {
            view.current_problem = Some(Complaint::Throttled { wait_seconds: retry_after_seconds.into() });
            let mut response = show_with(StatusCode::TOO_MANY_REQUESTS, &view)?;
            response.headers_mut().insert(header::RETRY_AFTER, retry_after_seconds.into());
            Ok(response)
        }
        Err(failure) => {
            view.current_problem = Some(form::busy(failure)?);
            show_with(StatusCode::SERVICE_UNAVAILABLE, &view)
        }
    }
}
