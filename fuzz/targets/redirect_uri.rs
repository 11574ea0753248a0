//! Whatever is registered matches itself, and nothing else does but for the port of a loopback literal.
#![no_main]

use doorward_oidc::redirect_uri::{Kind, RedirectUri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    let (registered, presented) = texts;
    let Ok(uri) = RedirectUri::parse(registered) else { return };
    assert!(uri.matches(registered));
    assert!(!registered.chars().any(|letter| letter.is_control() || " \\#*\"<>".contains(letter)), "{registered:?}");
    if uri.matches(presented) && registered != presented {
        assert!(matches!(uri.kind(), Kind::Loopback { .. }), "{registered:?} {presented:?}");
        let again = RedirectUri::parse(presented).expect("only a port differs");
        assert_eq!(again.shown_host(), uri.shown_host());
        assert!(again.matches(registered));
    }
});
