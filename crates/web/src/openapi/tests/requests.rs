//! What the description says of request bodies is what the handlers read.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::api::email_verifications::{ConfirmVerification, ConfirmWithCode, ConfirmWithLink, ResendVerification};
use crate::api::login::LoginRequest;
use crate::api::me::ProfilePatch;
use crate::api::password::{ChangePassword, ForgotPassword, ResetPassword};
use crate::api::signup::SignupRequest;
use crate::api::token::TokenRequest;
use crate::body::{Fields, FromFields};

/// The complaints about a body, as `code /pointer`.
fn complaints<T: FromFields>(body: Map<String, Value>) -> Vec<String> {
    let errors = Fields::new(body).read::<T>().err().unwrap_or_default();
    errors.iter().map(|error| format!("{} {}", error.code, error.pointer)).collect()
}

/// Every field that the schema `S` names is one that the body `T` takes, required where it says so and bounded where
/// it says so, and no other field is taken.
fn check<S: ToSchema, T: FromFields>() {
    let schema = serde_json::to_value(S::schema()).unwrap();
    let name = S::name();
    assert_eq!(schema["additionalProperties"], false, "{name}");
    let properties = schema["properties"].as_object().unwrap();
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().map(|field| field.as_str().unwrap()).collect();
    let sample = |except: &str| -> Map<String, Value> {
        let others = required.iter().filter(|field| **field != except);
        others.map(|field| ((*field).to_owned(), json!("name@example.com"))).collect()
    };
    assert_eq!(complaints::<T>(sample("")), Vec::<String>::new(), "{name}");
    for (field, property) in properties {
        let with = |value: Value| {
            let mut body = sample(field);
            body.insert(field.clone(), value);
            complaints::<T>(body)
        };
        assert_eq!(with(json!({})), [format!("wrong_type /{field}")], "{name}");
        let is_required = required.contains(&field.as_str());
        let may_be_null = property["type"].as_array().is_some_and(|types| types.contains(&json!("null")))
            || property["oneOf"].as_array().is_some_and(|one| one.contains(&json!({ "type": "null" })));
        assert_eq!(may_be_null, !is_required, "{name} /{field}");
        assert_eq!(with(Value::Null).is_empty(), may_be_null, "{name} /{field}");
        if let Some(longest) = property["maxLength"].as_u64() {
            let longer = with("a".repeat(usize::try_from(longest).unwrap() + 1).into());
            assert_eq!(longer.len(), 1, "{name} /{field}: {longer:?}");
        }
    }
    let mut body = sample("");
    body.insert("surprise".into(), json!(1));
    assert_eq!(complaints::<T>(body), ["unknown_field /surprise"], "{name}");
}

#[test]
fn the_described_fields_are_the_fields_that_are_read() {
    check::<SignupRequest, SignupRequest>();
    check::<ResendVerification, ResendVerification>();
    check::<ConfirmWithCode, ConfirmVerification>();
    check::<ConfirmWithLink, ConfirmVerification>();
    check::<ForgotPassword, ForgotPassword>();
    check::<ResetPassword, ResetPassword>();
    check::<ChangePassword, ChangePassword>();
    check::<ProfilePatch, ProfilePatch>();
    check::<LoginRequest, LoginRequest>();
    check::<TokenRequest, TokenRequest>();
}
