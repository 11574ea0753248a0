use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::keys::tests::Seeded;

const PURPOSE: Purpose = Purpose::new("signing_keys.private_key_sealed");
const OTHER_PURPOSE: Purpose = Purpose::new("secret_keys.sealed");

fn text(seed: u64) -> String {
    MasterKeyText::generate(&Seeded::new(seed)).reveal().to_owned()
}

fn hexadecimal_text(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(u32::from(digit), 16).unwrap()).collect()
}

fn keys(seed: u64) -> MasterKeys {
    MasterKeys::parse(text(seed).as_bytes()).unwrap()
}

#[test]
fn what_was_sealed_opens() {
    let sealed = keys(1).seal(PURPOSE, "key_1", b"plain", &Seeded::new(2)).unwrap();
    assert_eq!(keys(1).open(PURPOSE, "key_1", &sealed).unwrap().as_slice(), b"plain");
    assert!(!sealed.windows(5).any(|window| window == b"plain"));
}

/// Proves: V11.3.3
#[test]
fn a_value_opens_only_in_its_own_row_and_column() {
    let sealed = keys(1).seal(PURPOSE, "key_1", b"plain", &Seeded::new(2)).unwrap();
    assert_eq!(keys(1).open(PURPOSE, "key_2", &sealed), Err(NotOpened));
    assert_eq!(keys(1).open(PURPOSE, "key_", &sealed), Err(NotOpened));
    assert_eq!(keys(1).open(OTHER_PURPOSE, "key_1", &sealed), Err(NotOpened));
    assert_eq!(keys(9).open(PURPOSE, "key_1", &sealed), Err(NotOpened));
}

/// Proves: V11.3.3, V11.2.5
#[test]
fn every_changed_bit_and_every_cut_keeps_it_shut() {
    let sealed = keys(1).seal(PURPOSE, "key_1", b"plain", &Seeded::new(2)).unwrap();
    for index in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[index] ^= 1 << bit;
            assert_eq!(keys(1).open(PURPOSE, "key_1", &changed), Err(NotOpened), "byte {index}, bit {bit}");
        }
        assert_eq!(keys(1).open(PURPOSE, "key_1", &sealed[..index]), Err(NotOpened), "cut at {index}");
    }
}

/// Proves: V11.3.4
#[test]
fn no_key_and_nonce_come_twice() {
    let (keys, random) = (keys(1), Seeded::new(2));
    let heads: HashSet<Vec<u8>> =
        (0..20_000).map(|_| keys.seal(PURPOSE, "key_1", b"", &random).unwrap()[9..33].to_vec()).collect();
    assert_eq!(heads.len(), 20_000);
}

/// Proves: V11.2.2
#[test]
fn a_previous_master_key_opens_and_the_current_one_seals_again() {
    let sealed = keys(1).seal(PURPOSE, "key_1", b"plain", &Seeded::new(2)).unwrap();
    let mut rotated = keys(3);
    rotated.add_previous(text(1).as_bytes()).unwrap();
    assert_eq!(rotated.open(PURPOSE, "key_1", &sealed).unwrap().as_slice(), b"plain");
    let again = rotated.reseal(PURPOSE, "key_1", &sealed, &Seeded::new(4)).unwrap().unwrap();
    assert_eq!(keys(3).open(PURPOSE, "key_1", &again).unwrap().as_slice(), b"plain");
    assert_eq!(rotated.reseal(PURPOSE, "key_1", &again, &Seeded::new(4)), Ok(None));
}

#[test]
fn a_key_is_read_from_raw_bytes_and_from_every_usual_text() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    let bytes: [u8; 32] = random::bytes(&Seeded::new(5));
    let hexadecimal = hexadecimal_text(&bytes);
    let expected = SealingKey::new(&bytes).unwrap().fingerprint();
    for content in [
        bytes.to_vec(),
        STANDARD.encode(bytes).into_bytes(),
        URL_SAFE.encode(bytes).into_bytes(),
        format!("{}\n", STANDARD.encode(bytes)).into_bytes(),
        format!("  {}\r\n", URL_SAFE.encode(bytes).trim_end_matches('=')).into_bytes(),
        hexadecimal.to_uppercase().into_bytes(),
        hexadecimal.into_bytes(),
    ] {
        assert_eq!(MasterKeys::parse(&content).map(|keys| keys.fingerprint()), Ok(expected));
    }
}

/// Proves: S-21, S-22
#[test]
fn weak_keys_are_refused_by_the_name_of_the_problem() {
    use MasterKeyProblem::{Empty, Placeholder, Predictable, Unreadable, WrongLength};
    let hexadecimal = |bytes: &[u8]| hexadecimal_text(bytes).into_bytes();
    let series: Vec<u8> = (0..32).collect();
    let table: Vec<(Vec<u8>, MasterKeyProblem)> = vec![
        (b"".to_vec(), Empty),
        (b" \n".to_vec(), Empty),
        (b"changeme".to_vec(), Placeholder),
        (b"your-super-secret-key-of-32-byte".to_vec(), Placeholder),
        (b"CHANGE-THIS-CHANGE-THIS-CHANGE-THIS-CHANGE-".to_vec(), Placeholder),
        (b"paste 32 bytes here".to_vec(), Unreadable),
        (b"correct horse battery staple!!!!".to_vec(), Unreadable),
        (vec![0xff; 31], Unreadable),
        (vec![0xff; 33], Unreadable),
        (vec![b'a'; 32], WrongLength { bytes: 16 }),
        (vec![b'a'; 43], Unreadable),
        (vec![b'A'; 43], Predictable),
        (vec![b'a'; 64], Predictable),
        (vec![0; 32], Predictable),
        (vec![0xff; 32], Predictable),
        (series.clone(), Predictable),
        (hexadecimal(&series), Predictable),
        (hexadecimal(&series[..31]), WrongLength { bytes: 31 }),
        (hexadecimal(&[[3, 200, 90, 7, 66, 151, 240, 28]; 4].concat()), Predictable),
        (hexadecimal(b"correct horse battery staple 123"), Predictable),
        (hexadecimal(&[7; 64]), WrongLength { bytes: 64 }),
    ];
    for (content, problem) in table {
        let refused = MasterKeys::parse(&content).map(|keys| keys.fingerprint());
        assert_eq!(refused, Err(problem), "{}", String::from_utf8_lossy(&content));
    }
}

/// Proves: S-21, A-150
#[test]
fn neither_a_refusal_nor_debug_shows_the_value() {
    let content = "your-super-secret-key-of-32-byte";
    let problem = MasterKeys::parse(content.as_bytes()).map(|keys| keys.fingerprint()).unwrap_err();
    assert!(!format!("{problem} {problem:?}").contains("super"));
    let text = MasterKeyText::generate(&Seeded::new(1));
    let shown = format!("{text:?} {:?}", keys(1));
    assert!(shown.contains("[redacted]") && !shown.contains(&text.reveal()[..6]), "{shown}");
}

/// Proves: S-18
#[test]
fn generated_keys_are_accepted_and_differ() {
    let random = Seeded::new(6);
    let texts: HashSet<String> = (0..500).map(|_| MasterKeyText::generate(&random).reveal().to_owned()).collect();
    assert_eq!(texts.len(), 500);
    assert!(texts.iter().all(|text| MasterKeys::parse(text.as_bytes()).is_ok()));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_open_and_never_panic(bytes: Vec<u8>) {
        prop_assert_eq!(keys(1).open(PURPOSE, "key_1", &bytes), Err(NotOpened));
    }

    #[test]
    fn random_keys_are_never_called_weak(bytes: [u8; 32]) {
        // The generator of this test likes extremes; only look at what a random generator would give.
        let mut different = bytes.to_vec();
        different.sort_unstable();
        different.dedup();
        prop_assume!(different.len() > 24);
        prop_assert!(MasterKeys::parse(&bytes).is_ok());
    }
}
