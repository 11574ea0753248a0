//! Asking for a link to choose a new password.

use axum::extract::State;
use axum::response::Response;
use doorward_app::passwords::RESET_MS;
use doorward_model::email::EmailAddress;

use super::form;
use super::frame::{self, PublicFrame, show_again};
use super::views::{Field, Forgot, ForgotSent};
use crate::api::fields;
use crate::body::{Fields, FormBody, FromFields};
use crate::extract::{DeviceCookie, Op};
use crate::problem::Problem;
use crate::site::Site;

/// What the form sends.
pub(crate) struct Form {
    email: EmailAddress,
}

impl FromFields for Form {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self { email: fields.required_as("email", fields::email)? })
    }
}

/// Shows the form.
pub(crate) async fn show(PublicFrame(page): PublicFrame) -> Result<Response, Problem> {
    frame::show(&Forgot { page, email: Field::default(), refusal: None })
}

/// Says that a link is on its way, whether or not there is such an account.
pub(crate) async fn send(
    State(site): State<Site>,
    Op(op): Op,
    PublicFrame(page): PublicFrame,
    DeviceCookie(device): DeviceCookie,
    form: FormBody<Form>,
) -> Result<Response, Problem> {
    let email = match form.result {
        Ok(form) => form.email,
        Err(errors) => {
            let email =
                Field { problem: form::problem(&errors, "email", 0), ..Field::filled(form.values.typed("email")) };
            return show_again(&Forgot { page, email, refusal: None });
        }
    };
    site.app.forgot_password(&op, &email, device.as_deref().map(String::as_str)).await?;
    let valid_seconds = RESET_MS.unsigned_abs() / 1000;
    frame::show(&ForgotSent { page, email: email.as_typed().to_owned(), valid_seconds })
}
