//! `POST /api/v1/signup`.

use axum::Json;
use axum::extract::State;
use doorward_app::signup::SignUp;
use doorward_model::email::EmailAddress;
use doorward_model::locale::Locale;
use doorward_model::name::DisplayName;
use doorward_model::password::Password;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::email_verifications::VerificationSent;
use crate::api::fields;
use crate::api::revealed::Revealed;
use crate::body::{Fields, FromFields, JsonBody};
use crate::extract::{DeviceCookie, Op};
use crate::problem::Problem;
use crate::site::Site;

/// Who wants an account.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignupRequest {
    /// The address, which has to be confirmed before the account exists.
    #[schema(value_type = String, format = Email, max_length = 254, example = "ada@example.com")]
    email: EmailAddress,
    /// The password; the deployment's policy decides, by default at least 15 characters that are not easy to guess.
    #[schema(value_type = String, format = Password, max_length = 256, example = "violet umbrella 7 crossing")]
    password: Password,
    /// The display name, 1 to 100 characters on one line.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 400)]
    name: Option<DisplayName>,
    /// The language of mails and pages as a language tag (BCP 47).
    #[schema(value_type = Option<String>, min_length = 2, max_length = 35, example = "en")]
    locale: Option<Locale>,
    /// Whether the terms are accepted.
    #[expect(
        dead_code,
        reason = "terms come with their own feature; until there are any, accepting them says nothing"
    )]
    accept_terms: Option<bool>,
}

impl FromFields for SignupRequest {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required_as("email", fields::email);
        let password = fields.required_as("password", fields::password);
        let name = fields.optional_as("name", fields::name);
        let locale = fields.optional_as("locale", fields::locale);
        let accept_terms = fields.optional("accept_terms");
        Some(Self { email: email?, password: password?, name: name?, locale: locale?, accept_terms: accept_terms? })
    }
}

/// A mail is on its way; no account exists yet.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignupAnswer {
    status: VerificationSent,
    /// Names this sign-up to `/api/v1/email-verifications` and its confirmation. Keep it in the browser that signed up.
    #[schema(value_type = String, pattern = "^dwo_[A-Za-z0-9_-]{43}$")]
    verification: Revealed,
}

/// Begins a sign-up. The answer is the same for an address that has an account.
pub(crate) async fn create(
    State(site): State<Site>,
    Op(op): Op,
    DeviceCookie(device): DeviceCookie,
    JsonBody(body): JsonBody<SignupRequest>,
) -> Result<(StatusCode, Json<SignupAnswer>), Problem> {
    let input = SignUp {
        email: body.email,
        password: body.password,
        name: body.name,
        locale: body.locale.unwrap_or_default(),
        device_cookie: device.map(|cookie| cookie.to_string()),
    };
    let handle = site.app.sign_up(&op, input).await?;
    let answer = SignupAnswer { status: VerificationSent::VerificationSent, verification: handle.reveal().into() };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}
