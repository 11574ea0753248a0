//! The text of a token: one spelling, unforgeable, unprintable.

use proptest::prelude::*;

use crate::id::{FamilyId, SecretKeyId};
use crate::rotation::{Epoch, Generation, MacKey, PresentedToken, Salt};

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn key(byte: u8) -> MacKey {
    MacKey::new(SecretKeyId::from_uuid([1; 16]), &[byte; 32], Epoch::FIRST)
}

fn family_id() -> FamilyId {
    FamilyId::from_uuid([2; 16])
}

fn text() -> String {
    key(7).token(family_id(), Generation::FIRST, &Salt::from_bytes([9; 32])).to_string()
}

#[test]
fn a_token_reads_back_and_verifies() {
    let token = PresentedToken::parse(&text()).unwrap();
    assert_eq!((token.key_id(), token.family_id()), (key(7).id(), family_id()));
    assert_eq!(token.generation(), Generation::FIRST);
    assert!(key(7).verifies(&token, &Salt::from_bytes([9; 32])));
}

#[test]
fn the_same_generation_is_the_same_text() {
    assert_eq!(text(), text());
}

/// Proves: S-266
#[test]
fn another_key_salt_epoch_or_key_id_does_not_verify() {
    let token = PresentedToken::parse(&text()).unwrap();
    let salt = Salt::from_bytes([9; 32]);
    assert!(!key(8).verifies(&token, &salt));
    assert!(!key(7).verifies(&token, &Salt::from_bytes([8; 32])));
    let restored = MacKey::new(key(7).id(), &[7; 32], Epoch::from_number(2));
    assert!(!restored.verifies(&token, &salt));
    let renamed = MacKey::new(SecretKeyId::from_uuid([3; 16]), &[7; 32], Epoch::FIRST);
    assert!(!renamed.verifies(&token, &salt));
}

/// Proves: A-33
#[test]
fn every_changed_digit_is_refused() {
    let text = text();
    for index in 4..text.len() {
        for digit in DIGITS {
            let mut changed = text.clone().into_bytes();
            if changed[index] == *digit {
                continue;
            }
            changed[index] = *digit;
            let parsed = PresentedToken::parse(std::str::from_utf8(&changed).unwrap());
            assert!(!parsed.is_some_and(|token| key(7).verifies(&token, &Salt::from_bytes([9; 32]))), "{index}");
        }
    }
}

/// Proves
#[test]
fn other_spellings_are_not_read() {
    let text = text();
    let body = &text[4..];
    for other in [
        String::new(),
        "dwr_".to_owned(),
        body.to_owned(),
        format!("dws_{body}"),
        format!("DWR_{body}"),
        format!("dwr_{}", &body[..95]),
        format!("dwr_{body}A"),
        format!("{text}="),
        format!(" {text}"),
        format!("{text}\n"),
        format!("dwr_+{}", &body[1..]),
        format!("dwr_/{}", &body[1..]),
        format!("dwr_é{}", &body[2..]),
        format!("dwr_{}", "A".repeat(1_000_000)),
    ] {
        assert!(PresentedToken::parse(&other).is_none(), "{}", other.chars().take(110).collect::<String>());
    }
}

#[test]
fn generations_that_no_row_can_hold_are_not_read() {
    // Digits 43 to 53 hold the generation; "_" sets the top bit, all "A" is zero.
    let zero = format!("dwr_{}", "A".repeat(96));
    let negative = format!("dwr_{}", "_".repeat(96));
    assert!(PresentedToken::parse(&zero).is_none());
    assert!(PresentedToken::parse(&negative).is_none());
}

/// Proves: A-150, V11.7.2
#[test]
fn debug_shows_no_secret() {
    let text = text();
    let token = PresentedToken::parse(&text).unwrap();
    let shown = format!("{:?} {token:?} {:?}", key(7), Salt::from_bytes([9; 32]));
    assert!(shown.contains("[redacted]") && !shown.contains(&text[60..70]), "{shown}");
    assert!(!shown.contains("9, 9") && !shown.contains("7, 7"), "{shown}");
}

proptest! {
    #[test]
    fn what_is_read_has_one_spelling(body in "[A-Za-z0-9_-]{96}") {
        use base64::Engine as _;
        let text = format!("dwr_{body}");
        if let Some(token) = PresentedToken::parse(&text) {
            let mut bytes = Vec::new();
            bytes.extend_from_slice(token.key_id().uuid());
            bytes.extend_from_slice(token.family_id().uuid());
            bytes.extend_from_slice(&token.generation().number().to_be_bytes());
            let written = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&bytes);
            // 40 bytes are 53 whole digits and two bits; the MAC follows.
            prop_assert_eq!(&written[..53], &body[..53]);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*") {
        let _ = PresentedToken::parse(&text).is_some();
    }
}
