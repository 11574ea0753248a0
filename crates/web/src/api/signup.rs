//! `POST /api/v1/signup`.

use axum::Json;
use axum::extract::State;
use doorward_app::signup::SignUp;
use doorward_model::email::EmailAddress;
use doorward_model::locale::Locale;
use doorward_model::name::DisplayName;
use doorward_model::password::Password;
use http::StatusCode;
use serde_json::{Value, json};

use crate::api::fields;
use crate::body::{Fields, FromFields, JsonBody};
use crate::extract::{DeviceCookie, Op};
use crate::problem::Problem;
use crate::site::Site;

/// What the call takes.
pub(crate) struct Body {
    email: EmailAddress,
    password: Password,
    name: Option<DisplayName>,
    locale: Option<Locale>,
}

impl FromFields for Body {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required_as("email", fields::email);
        let password = fields.required_as("password", fields::password);
        let name = fields.optional_as("name", fields::name);
        let locale = fields.optional_as("locale", fields::locale);
        // Terms come with their own feature; until a deployment has any, accepting them says nothing.
        let accepted = fields.optional::<bool>("accept_terms");
        accepted?;
        Some(Self { email: email?, password: password?, name: name?, locale: locale? })
    }
}

/// Begins a sign-up. The answer is the same for an address that has an account.
pub(crate) async fn create(
    State(site): State<Site>,
    Op(op): Op,
    DeviceCookie(device): DeviceCookie,
    JsonBody(body): JsonBody<Body>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let input = SignUp {
        email: body.email,
        password: body.password,
        name: body.name,
        locale: body.locale.unwrap_or_default(),
        device_cookie: device.map(|cookie| cookie.to_string()),
    };
    let handle = site.app.sign_up(&op, input).await?;
    let answer = json!({ "status": "verification_sent", "verification": handle.reveal().as_str() });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}
