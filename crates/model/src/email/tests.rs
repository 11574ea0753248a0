use proptest::prelude::*;

use super::*;

fn canonical(text: &str) -> Result<String, EmailError> {
    EmailAddress::parse(text).map(|address| address.canonical().to_owned())
}

/// Proves: S-39
#[test]
fn addresses_that_people_have_are_read() {
    for (typed, expected) in [
        ("anna@example.com", "anna@example.com"),
        ("  anna@example.com\r\n", "anna@example.com"),
        ("Anna.Schmidt@Example.COM", "anna.schmidt@example.com"),
        ("anna+news@example.com", "anna+news@example.com"),
        ("o'brien@example.co.uk", "o'brien@example.co.uk"),
        ("!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"),
        ("info@MÜNCHEN.example", "info@xn--mnchen-3ya.example"),
        ("info@xn--mnchen-3ya.example", "info@xn--mnchen-3ya.example"),
        ("用户@例子.测试", "用户@xn--fsqu00a.xn--0zwm56d"),
        ("ΟΔΟΣ@example.gr", "οδοσ@example.gr"),
        ("οδος@example.gr", "οδοσ@example.gr"),
        ("jose\u{301}@example.com", "josé@example.com"),
        ("उपयोगकर्ता@example.in", "उपयोगकर्ता@example.in"),
        ("root@localhost", "root@localhost"),
        ("1@1.museum", "1@1.museum"),
    ] {
        assert_eq!(canonical(typed).as_deref(), Ok(expected), "{typed}");
    }
}

fn assert_refused(texts: &str) {
    for typed in texts.split(' ') {
        assert_eq!(canonical(typed), Err(EmailError::Invalid), "{typed:?}");
    }
}

/// Proves: S-39
#[test]
fn what_is_not_an_address_is_refused() {
    assert_refused(" @ anna anna@ @example.com anna@example anna@@example.com a@b@example.com");
    assert_refused(".a@x.io a.@x.io a..b@x.io a@.x.io a@x..io a@x.io. a@-x.io a@x-.io a@x_y.io a@xn--.io a@xn--a.io");
    assert_refused(
        "a@127.0.0.1 a@1.2 a@[127.0.0.1] a@[IPv6:::1] \"anna\"@example.com a(c)@x.io a@(c)x.io a\\@x.io a:b@x.io 😀@x.io",
    );
}

/// Proves: A-63
#[test]
fn more_than_one_address_or_a_header_is_refused() {
    assert_refused("a@x.io,b@x.io a@x.io;b@x.io a@x.io> <a@x.io> Anna<a@x.io>");
    assert_refused(
        "a@x.io\nBcc:v@y.io a@x.io\r\nSubject:x a\n@x.io \"a\r\nX:y\"@x.io a\t@x.io a\0@x.io a\u{7f}@x.io a\u{85}@x.io",
    );
    for typed in ["a b@x.io", "a@x.io b@x.io", "Anna <a@x.io>", "a@x.io\nBcc: v@y.io"] {
        assert_eq!(canonical(typed), Err(EmailError::Invalid), "{typed:?}");
    }
}

/// Proves: S-39
#[test]
fn invisible_letters_and_look_alikes_by_width_are_refused() {
    assert_refused(
        "a\u{a0}b@x.io a\u{200b}b@x.io a\u{202e}b@x.io a\u{2066}b@x.io a\u{ad}b@x.io a\u{feff}@x.io a\u{3164}@x.io",
    );
    assert_refused("a\u{115f}@x.io a\u{fe0f}@x.io \u{301}a@x.io ａnna@x.io ﬁn@x.io a²@x.io");
    assert_refused("a@x\u{200b}.io a@x。io a@x.io\u{3000} a@x\u{ad}y.io");
}

/// Proves: S-39
#[test]
fn length_limits_hold_exactly() {
    let local = "l".repeat(MAX_LOCAL_BYTES);
    assert!(canonical(&format!("{local}@example.com")).is_ok());
    assert_eq!(canonical(&format!("{local}l@example.com")), Err(EmailError::TooLong));
    let domain = |last: usize| format!("{}.{}.{}.io", "a".repeat(63), "b".repeat(63), "c".repeat(last));
    let longest = format!("{}@{}", "l".repeat(62), domain(60));
    assert_eq!(longest.len(), MAX_BYTES);
    assert!(canonical(&longest).is_ok());
    assert_eq!(canonical(&format!("l{longest}")), Err(EmailError::TooLong));
    assert_eq!(canonical(&"a".repeat(1 << 20)), Err(EmailError::TooLong));
    // The ASCII form of this domain is longer than what was typed.
    assert_eq!(canonical(&format!("a@{}.io", "ü.".repeat(60) + "u")), Err(EmailError::Invalid));
}

/// Proves: S-39, S-47
#[test]
fn different_mailboxes_stay_different() {
    for (one, other) in [
        ("a.b@gmail.com", "ab@gmail.com"),
        ("ab+1@gmail.com", "ab@gmail.com"),
        ("ab@googlemail.com", "ab@gmail.com"),
        ("аnna@example.com", "anna@example.com"),
        ("anna@аpple.com", "anna@apple.com"),
        ("strasse@example.com", "straße@example.com"),
        ("anna@strasse.de", "anna@straße.de"),
        ("\u{130}rem@example.com", "irem@example.com"),
        ("\u{131}rem@example.com", "irem@example.com"),
    ] {
        assert_ne!(canonical(one).unwrap(), canonical(other).unwrap(), "{one} {other}");
    }
}

#[test]
fn the_kelvin_sign_is_the_letter_k_in_the_mailbox_too() {
    let address = EmailAddress::parse("mi\u{212a}e@example.com").unwrap();
    assert_eq!(address.mailbox(), "miKe@example.com");
    assert_eq!(address.as_typed(), "miKe@example.com");
    assert_eq!(address.canonical(), "mike@example.com");
}

#[test]
fn mail_goes_to_the_address_as_typed() {
    let address = EmailAddress::parse("Anna@MÜNCHEN.example").unwrap();
    assert_eq!(address.as_typed(), "Anna@MÜNCHEN.example");
    assert_eq!(address.mailbox(), "Anna@xn--mnchen-3ya.example");
    assert_eq!((address.local_part(), address.domain()), ("Anna", "MÜNCHEN.example"));
}

/// Proves: A-150
#[test]
fn debug_shows_no_address() {
    assert_eq!(format!("{:?}", EmailAddress::parse("anna@example.com")), "Ok(EmailAddress[redacted])");
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let Ok(address) = EmailAddress::parse(text) else { return Ok(()) };
    for form in [address.as_typed(), address.mailbox(), address.canonical()] {
        prop_assert!(form.len() <= MAX_BYTES);
        prop_assert!(!form.chars().any(|letter| letter.is_control() || letter.is_whitespace()), "{form:?}");
        let opens_another_address = form.contains([',', ';', '<', '>', '"', '(', ')', '[', ']', '\\', ':']);
        prop_assert!(!opens_another_address, "{:?}", form);
        prop_assert_eq!(form.matches('@').count(), 1);
        let again = EmailAddress::parse(form);
        prop_assert_eq!(again.as_ref().map(EmailAddress::canonical), Ok(address.canonical()));
        prop_assert_eq!(again.as_ref().map(EmailAddress::as_typed), Ok(form));
    }
    prop_assert!(address.mailbox().split_once('@').is_some_and(|(_, domain)| domain.is_ascii()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Proves: A-63
    #[test]
    fn no_text_makes_it_panic_and_what_is_accepted_reads_back(text: String) {
        check(&text)?;
    }

    /// Proves: A-63
    #[test]
    fn no_address_can_hold_a_line_break(local in "\\PC{1,20}", domain in "[a-zA-Z0-9äßéΣжि例\u{200d}-]{1,12}\\.[a-z]{2,4}") {
        check(&format!("{local}@{domain}"))?;
    }

    /// Proves: A-63
    #[test]
    fn letters_of_every_script_read_back(local in "[\\p{L}\\p{M}\\p{N}.]{1,8}", domain in "[\\p{L}\\p{M}]{1,6}\\.[a-z]{2}") {
        check(&format!("{local}@{domain}"))?;
    }

    #[test]
    fn whatever_is_injected_into_an_address_is_refused(before in "[a-z]{1,5}", after in "[a-z]{1,5}", what in "[\r\n\0\t ,;<>()\u{85}\u{2028}]{1,3}") {
        let local = format!("{before}{what}{after}@example.com");
        let domain = format!("a@{before}{what}{after}.com");
        let end = format!("a@example.com{what}{after}");
        for text in [local, domain, end] {
            prop_assert!(EmailAddress::parse(&text).is_err(), "{:?}", text);
        }
    }
}
