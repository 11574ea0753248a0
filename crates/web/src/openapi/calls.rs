//! Every call of the API, in the order of the manual.

use http::{Method, StatusCode};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{Object, ObjectBuilder, RefOr, Required, Schema, Type};

use super::call::{Call, Chapter};
use crate::api::email_verifications::{
    ConfirmVerification, ResendVerification, VerificationConfirmed, VerificationResent,
};
use crate::api::password::{ChangePassword, ForgotPassword, PasswordForgotten, ResetPassword};
use crate::api::{applications, csrf, jwks, login, me, sessions, signup, token};
use crate::problem::Code;

/// The description of every route.
pub(super) fn calls() -> Vec<Call> {
    let mut calls = accounts();
    calls.extend(passwords());
    calls.extend(profile());
    calls.extend(sign_in());
    calls.extend(session_calls());
    calls.extend(application_calls());
    calls.extend(metadata());
    calls
}

fn accounts() -> Vec<Call> {
    use Chapter::Accounts;
    vec![
        Call::new(
            (Method::POST, "/api/v1/signup"),
            (Accounts, "signUp"),
            "Begin a sign-up",
            "The answer is the same for an address that has an account; the mail differs. No account exists until the \
             sign-up is confirmed.",
        )
        .takes::<signup::SignupRequest>()
        .answers::<signup::SignupAnswer>(StatusCode::ACCEPTED, "A mail is on its way."),
        Call::new(
            (Method::POST, "/api/v1/email-verifications"),
            (Accounts, "resendVerification"),
            "Send a sign-up's mail again",
            "Always 202; over the budget of mails nothing is sent and earlier mails stay valid.",
        )
        .takes::<ResendVerification>()
        .answers::<VerificationResent>(StatusCode::ACCEPTED, "Sent, if there is such a sign-up."),
        Call::new(
            (Method::POST, "/api/v1/email-verifications/confirm"),
            (Accounts, "confirmVerification"),
            "Confirm a sign-up",
            "With the code of the mail, in the browser that signed up; or with the token of the mail's link, choosing \
             the password. Five wrong codes end the attempt.",
        )
        .takes::<ConfirmVerification>()
        .answers::<VerificationConfirmed>(StatusCode::OK, "The account exists.")
        .fails(&[Code::InvalidOneTimeToken]),
    ]
}

fn passwords() -> Vec<Call> {
    use Chapter::Accounts;
    vec![
        Call::new(
            (Method::POST, "/api/v1/password/forgot"),
            (Accounts, "forgotPassword"),
            "Ask for a link to choose a new password",
            "Always 202.",
        )
        .takes::<ForgotPassword>()
        .answers::<PasswordForgotten>(StatusCode::ACCEPTED, "Sent, if there is such an account."),
        Call::new(
            (Method::POST, "/api/v1/password/reset"),
            (Accounts, "resetPassword"),
            "Choose a new password with a link's token",
            "Signs nobody in; every session of the account ends.",
        )
        .takes::<ResetPassword>()
        .answers_empty(StatusCode::NO_CONTENT, "The password is new.")
        .fails(&[Code::InvalidOneTimeToken]),
        Call::new(
            (Method::POST, "/api/v1/password/change"),
            (Accounts, "changePassword"),
            "Change the caller's password",
            "Every other session of the caller ends; in a browser the session cookie is new.",
        )
        .takes::<ChangePassword>()
        .answers_empty(StatusCode::NO_CONTENT, "The password is new.")
        .fails(&[Code::InvalidCredentials]),
    ]
}

fn profile() -> Vec<Call> {
    vec![
        Call::new(
            (Method::GET, "/api/v1/me"),
            (Chapter::Accounts, "showProfile"),
            "Show who the caller is",
            "The person whose session or access token was presented.",
        )
        .answers::<me::Profile>(StatusCode::OK, "The caller."),
        Call::new(
            (Method::PATCH, "/api/v1/me"),
            (Chapter::Accounts, "changeProfile"),
            "Change the caller's name or language",
            "Absent fields stay as they are.",
        )
        .takes::<me::ProfilePatch>()
        .answers::<me::Profile>(StatusCode::OK, "The caller after the change."),
    ]
}

fn sign_in() -> Vec<Call> {
    use Chapter::SignIn;
    vec![
        Call::new(
            (Method::POST, "/api/v1/login"),
            (SignIn, "signIn"),
            "Sign in with a password",
            "Mode `cookie` sets the session cookie, mode `token` answers a refresh token. Every refusal is the same \
             401; being too fast is the same 429 for known and unknown addresses.",
        )
        .takes::<login::LoginRequest>()
        .answers::<login::LoginAnswer>(StatusCode::OK, "Signed in.")
        .fails(&[Code::InvalidCredentials, Code::Forbidden]),
        Call::new(
            (Method::POST, "/api/v1/token"),
            (SignIn, "renew"),
            "Get a new access token",
            "For the session cookie (with `X-CSRF-Token`), or for a refresh token, which is answered with its \
             successor. Abort a renewal before 10 seconds have passed, keep one in flight, and send the same refresh \
             token again when its answer was lost.",
        )
        .may_take::<token::TokenRequest>()
        .answers::<token::TokenAnswer>(StatusCode::OK, "A new access token.")
        .fails(&[
            Code::InvalidToken,
            Code::SessionExpired,
            Code::SessionRevoked,
            Code::TokenReused,
            Code::Forbidden,
        ]),
        Call::new(
            (Method::POST, "/api/v1/logout"),
            (SignIn, "signOut"),
            "Sign out",
            "The session ends, with its grants and its access tokens.",
        )
        .answers_empty(StatusCode::NO_CONTENT, "Signed out."),
        Call::new(
            (Method::GET, "/api/v1/csrf"),
            (SignIn, "showCsrfToken"),
            "Show the token that unsafe calls with the session cookie carry",
            "It is bound to the session cookie; callers with an access token have none and need none.",
        )
        .answers::<csrf::CsrfToken>(StatusCode::OK, "The token.")
        .fails(&[Code::Forbidden]),
    ]
}

fn session_calls() -> Vec<Call> {
    use Chapter::Sessions;
    let mut id = string("^session_[0-9a-z]{26}$");
    id.examples = vec!["session_01h455vb4pex5vsknk084sn02q".into()];
    vec![
        Call::new(
            (Method::GET, "/api/v1/sessions"),
            (Sessions, "listSessions"),
            "List the caller's sessions",
            "Those that live, newest first.",
        )
        .parameter(limit())
        .parameter(cursor())
        .answers::<sessions::SessionPage>(StatusCode::OK, "A part of the list."),
        Call::new(
            (Method::DELETE, "/api/v1/sessions/{id}"),
            (Sessions, "endSession"),
            "End one session of the caller",
            "A session of somebody else is not found.",
        )
        .parameter(
            ParameterBuilder::new()
                .name("id")
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some("The session's id."))
                .schema(Some(id))
                .build(),
        )
        .answers_empty(StatusCode::NO_CONTENT, "The session has ended.")
        .fails(&[Code::NotFound]),
        Call::new(
            (Method::POST, "/api/v1/sessions/revoke-others"),
            (Sessions, "endOtherSessions"),
            "End every session of the caller but this one",
            "The session that asks stays.",
        )
        .answers_empty(StatusCode::NO_CONTENT, "They have ended."),
    ]
}

fn application_calls() -> Vec<Call> {
    let mut id = string("^[A-Za-z0-9._-]{1,128}$");
    id.examples = vec!["client_01h455vb4pex5vsknk084sn02q".into()];
    vec![
        Call::new(
            (Method::GET, "/api/v1/applications"),
            (Chapter::Applications, "listApplications"),
            "List the applications the caller has signed in to",
            "With what each may have. In the order of their ids.",
        )
        .parameter(limit())
        .parameter(cursor())
        .answers::<applications::ApplicationPage>(StatusCode::OK, "A part of the list."),
        Call::new(
            (Method::DELETE, "/api/v1/applications/{client_id}"),
            (Chapter::Applications, "revokeApplication"),
            "Take back what an application may have",
            "Its tokens end. An application that the caller has not signed in to is not found.",
        )
        .parameter(
            ParameterBuilder::new()
                .name("client_id")
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some("The application's id."))
                .schema(Some(id))
                .build(),
        )
        .answers_empty(StatusCode::NO_CONTENT, "It has no access any more.")
        .fails(&[Code::NotFound]),
    ]
}

fn metadata() -> Vec<Call> {
    let document = ObjectBuilder::new().schema_type(Type::Object).build();
    vec![
        Call::new(
            (Method::GET, "/.well-known/jwks.json"),
            (Chapter::Metadata, "showKeys"),
            "Show the public keys that access tokens are signed with",
            "Keep it as long as `Cache-Control` says; a key is published that long before it signs.",
        )
        .answers_as::<jwks::JwkSet>(StatusCode::OK, jwks::MEDIA_TYPE, "The keys."),
        Call::new(
            (Method::GET, super::PATH),
            (Chapter::Metadata, "showDescription"),
            "Show this description",
            "OpenAPI 3.1.",
        )
        .answers_with(RefOr::T(Schema::Object(document)), "This description.")
        .answers_empty(StatusCode::NOT_MODIFIED, "The copy that `If-None-Match` names is still right."),
    ]
}

fn string(pattern: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build()
}

fn limit() -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1_i64)).maximum(Some(100_i64));
    query("limit", "At most so many.", schema.default(Some(20.into())).build())
}

fn cursor() -> Parameter {
    let schema = string("^[A-Za-z0-9._~-]*$");
    query("cursor", "The `next_cursor` of the part before.", schema)
}

fn query(name: &str, says: &str, schema: Object) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(says))
        .schema(Some(schema))
        .build()
}
