//! Names, languages, ids, one-time tokens, device labels: accepted or refused, never a panic, one spelling each.
#![no_main]

use doorward_model::device;
use doorward_model::id::{SessionId, UserId};
use doorward_model::locale::Locale;
use doorward_model::name::DisplayName;
use doorward_model::secret::{PlainToken, TokenKind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(name) = DisplayName::parse(text) {
        assert!(!name.as_str().chars().any(char::is_control));
    }
    if let Ok(id) = UserId::parse(text) {
        assert_eq!(id.to_string(), text);
    }
    let _ = SessionId::parse(text);
    for kind in [TokenKind::Session, TokenKind::OneTime, TokenKind::Csrf] {
        if let Some(token) = PlainToken::parse(kind, text) {
            assert_eq!(token.reveal().as_str(), text);
        }
    }
    let _ = Locale::parse(text);
    let _ = Locale::negotiate(text);
    assert!(device::label(text).len() <= 256);
});
