//! Whatever is accepted as an address reads back as the same account and cannot break a header or a line.
#![no_main]

use doorward_model::email::EmailAddress;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(address) = EmailAddress::parse(text) else { return };
    for form in [address.as_typed(), address.mailbox(), address.canonical()] {
        assert!(!form.chars().any(char::is_control) && !form.contains([' ', '<', '>', ',', '"']), "{form:?}");
    }
    let again = EmailAddress::parse(address.as_typed()).expect("what was accepted is accepted again");
    assert_eq!(again.canonical(), address.canonical());
});
