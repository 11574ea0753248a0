//! No password makes the policy panic, and none that is too short or too long is accepted.
#![no_main]

use doorward_model::password::{Context, Password, Policy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(password) = Password::new(text) else { return };
    let verdict = Policy::DEFAULT.check(&password, &Context::of_service("Doorward", "localhost:8080"));
    assert!(verdict.is_err() || (15..=256).contains(&password.code_points()));
});
