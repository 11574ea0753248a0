use super::*;

fn small() -> HashParameters {
    HashParameters::new(64, 2, 1).unwrap()
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

/// The reference implementation's own test value (phc-winner-argon2, `src/test.c`).
const REFERENCE: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

#[test]
fn a_hash_of_the_reference_implementation_verifies() {
    let mut memory = Memory::default();
    let verdict = verify(&password("password"), Some(REFERENCE), small(), &mut memory);
    assert_eq!(verdict, Ok(Verdict { matches: true, needs_rehash: true }));
    let verdict = verify(&password("Password"), Some(REFERENCE), small(), &mut memory);
    assert_eq!(verdict, Ok(Verdict { matches: false, needs_rehash: true }));
}

/// Proves: V11.4.2
#[test]
fn the_default_hash_says_what_it_is() {
    let hash =
        hash(&password("violet tractor humming"), [7; 16], HashParameters::DEFAULT, &mut Memory::default()).unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$"), "{hash}");
}

#[test]
fn a_hash_verifies_with_its_password_only() {
    let mut memory = Memory::default();
    let stored = hash(&password("violet tractor humming"), [1; 16], small(), &mut memory).unwrap();
    let check = |text: &str, memory: &mut Memory| verify(&password(text), Some(&stored), small(), memory).unwrap();
    assert_eq!(check("violet tractor humming", &mut memory), Verdict { matches: true, needs_rehash: false });
    assert_eq!(check("violet tractor hummin", &mut memory), Verdict { matches: false, needs_rehash: false });
    let other = hash(&password("violet tractor humming"), [2; 16], small(), &mut memory).unwrap();
    assert_ne!(stored, other);
    // A buffer that another hash was computed in makes no difference.
    assert_eq!(hash(&password("violet tractor humming"), [1; 16], small(), &mut Memory::default()), Ok(stored));
}

/// Proves: A-22, V6.2.8
#[test]
fn every_letter_of_a_long_password_counts() {
    let mut memory = Memory::default();
    let long = "Marmalade viaducts ".repeat(6)[..100].to_owned();
    assert!(long.ends_with(|letter: char| letter.is_ascii_lowercase()));
    let stored = hash(&password(&long), [1; 16], small(), &mut memory).unwrap();
    let flipped = long[..99].to_owned() + &long[99..].to_uppercase();
    let others = [
        &long[..72],
        &long[..64],
        &long[..99],
        &format!("{long}\0"),
        &format!("{long} "),
        &long.to_lowercase(),
        &flipped,
    ]
    .map(str::to_owned);
    for other in others {
        assert!(!verify(&password(&other), Some(&stored), small(), &mut memory).unwrap().matches, "{other:?}");
    }
    assert!(verify(&password(&long), Some(&stored), small(), &mut memory).unwrap().matches);
    let composed = hash(&password("caf\u{e9} au lait au lit"), [1; 16], small(), &mut memory).unwrap();
    assert!(verify(&password("cafe\u{301} au lait au lit"), Some(&composed), small(), &mut memory).unwrap().matches);
}

/// Proves: A-1, S-23, S-62
#[test]
fn whatever_is_stored_the_same_work_is_done() {
    let parameters = HashParameters::new(1_024, 2, 1).unwrap();
    let made_with = |memory_kib, iterations, parallelism| {
        let parameters = HashParameters::new(memory_kib, iterations, parallelism).unwrap();
        Some(hash(&password("violet tractor"), [1; 16], parameters, &mut Memory::default()).unwrap())
    };
    let stored = [
        None,
        Some(String::new()),
        Some("$2b$12$abcdefghijklmnopqrstuuW6x".to_owned()),
        Some(
            "$argon2id$v=19$m=4294967295,t=4294967295,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
                .to_owned(),
        ),
        made_with(1_024, 2, 1),
        made_with(1_024, 1, 1),
        made_with(8, 1, 1),
        made_with(700, 2, 2),
        made_with(1_020, 2, 1),
    ];
    for stored in stored {
        for text in ["violet tractor", "another one"] {
            let mut memory = Memory::default();
            // The verdict is the subject of other tests.
            let _ = verify(&password(text), stored.as_deref(), parameters, &mut memory);
            assert!((2_040..=2_048).contains(&memory.computed), "{} for {stored:?}", memory.computed);
        }
    }
}

#[test]
fn nothing_stored_never_matches_and_a_damaged_row_is_an_error() {
    let mut memory = Memory::default();
    for text in ["", "violet tractor"] {
        assert_eq!(
            verify(&password(text), None, small(), &mut memory),
            Ok(Verdict { matches: false, needs_rehash: false })
        );
    }
    for damaged in [
        "",
        "x",
        "$argon2id$v=19$m=64,t=2,p=1",
        "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAA",
        "$argon2id$v=99$m=64,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ] {
        assert_eq!(
            verify(&password("violet"), Some(damaged), small(), &mut memory),
            Err(HashingError::UnreadableHash),
            "{damaged}"
        );
    }
}

#[test]
fn other_parameters_ask_for_a_new_hash() {
    let mut memory = Memory::default();
    for (memory_kib, iterations, parallelism) in [(64, 1, 1), (128, 2, 1), (64, 2, 2)] {
        let old = HashParameters::new(memory_kib, iterations, parallelism).unwrap();
        let stored = hash(&password("violet tractor"), [1; 16], old, &mut memory).unwrap();
        let verdict = verify(&password("violet tractor"), Some(&stored), small(), &mut memory);
        assert_eq!(verdict, Ok(Verdict { matches: true, needs_rehash: true }));
    }
}

#[test]
fn memory_beyond_the_parameters_is_given_back() {
    let mut memory = Memory::default();
    let large = HashParameters::new(256, 1, 1).unwrap();
    hash(&password("violet tractor"), [1; 16], large, &mut memory).unwrap();
    memory.release_beyond(large);
    assert!(memory.is_held());
    memory.release_beyond(small());
    assert!(!memory.is_held());
}
