use std::collections::{BTreeMap, BTreeSet};

use doorward_model::password::{Feedback, MAX_CODE_POINTS};
use doorward_model::time::Timestamp;

use super::*;

/// Ids and the variables each text uses, read from the source: a message starts at the first column.
fn messages(sources: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        let mut current = String::new();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with(|first: char| first.is_ascii_lowercase()) {
                line.split(" =").next().unwrap().clone_into(&mut current);
                assert!(found.insert(current.clone(), BTreeSet::new()).is_none(), "{current} is defined twice");
            }
            for rest in line.split('$').skip(1) {
                let name = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
                found.get_mut(&current).unwrap().insert(name);
            }
        }
    }
    found
}

#[test]
fn every_language_has_the_same_texts_with_the_same_values() {
    let english = messages(&ENGLISH_SOURCES);
    assert!(english.len() > 150, "only {} texts were read", english.len());
    assert_eq!(english, messages(&GERMAN_SOURCES));
}

#[test]
fn every_text_file_is_free_of_mistakes_and_every_text_can_be_filled_in() {
    for (language, sources) in [(Locale::English, ENGLISH_SOURCES), (Locale::German, GERMAN_SOURCES)] {
        for source in sources {
            FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| errors).unwrap();
        }
        let texts = Texts::for_locale(language);
        for (id, variables) in messages(&sources) {
            let values: Vec<_> = variables.iter().map(|name| (name.as_str(), Argument::Count(3))).collect();
            let text = texts.say_with(&id, &values);
            assert!(!text.is_empty() && !text.contains(['{', '⟦']), "{id}: {text}");
        }
    }
}

#[test]
fn texts_keep_the_house_style() {
    for source in ENGLISH_SOURCES.iter().chain(&GERMAN_SOURCES) {
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            assert!(!line.contains(['!', '\'', '"']), "{line}");
            let lower = line.to_lowercase();
            for word in ["oops", "please", "bitte ", "log in", "log out", "einloggen", "mfa"] {
                assert!(!lower.contains(word), "{line}");
            }
        }
    }
}

#[test]
fn an_unknown_text_is_visible_and_not_fatal() {
    assert_eq!(Texts::for_locale(Locale::English).say("no-such-text"), "⟦no-such-text⟧");
}

#[test]
fn every_password_feedback_has_its_text() {
    for feedback in Feedback::ALL {
        for locale in Locale::ALL {
            let text = Texts::for_locale(locale).say(feedback.key());
            assert!(!text.contains(['⟦', '{']), "{text}");
        }
    }
    let texts = Texts::for_locale(Locale::English);
    assert!(texts.say(Feedback::Shorten.key()).contains(&MAX_CODE_POINTS.to_string()));
}

#[test]
fn times_read_as_in_the_language() {
    let at = Timestamp::from_ms(1_795_315_487_123);
    assert_eq!(Texts::for_locale(Locale::English).moment(at), "22 November 2026, 02:44 UTC");
    assert_eq!(Texts::for_locale(Locale::German).moment(at), "22. November 2026, 02:44 UTC");
    let march = Timestamp::from_ms(1_772_323_200_000);
    assert_eq!(Texts::for_locale(Locale::German).moment(march), "1. März 2026, 00:00 UTC");
}

#[test]
fn what_has_passed_rounds_down_and_counts_as_the_language_does() {
    let now = Timestamp::from_ms(1_795_315_487_123);
    let ago = |locale, ms: i64| Texts::for_locale(locale).ago(now.plus_ms(-ms), now);
    for (ms, english, german) in [
        (-5_000, "just now", "gerade eben"),
        (59_999, "just now", "gerade eben"),
        (60_000, "1 minute ago", "vor 1 Minute"),
        (5 * 60_000 + 59_999, "5 minutes ago", "vor 5 Minuten"),
        (3_600_000, "1 hour ago", "vor 1 Stunde"),
        (23 * 3_600_000, "23 hours ago", "vor 23 Stunden"),
        (86_400_000, "1 day ago", "vor 1 Tag"),
        (29 * 86_400_000, "29 days ago", "vor 29 Tagen"),
        (30 * 86_400_000, "1 month ago", "vor 1 Monat"),
        (364 * 86_400_000, "12 months ago", "vor 12 Monaten"),
        (800 * 86_400_000, "2 years ago", "vor 2 Jahren"),
    ] {
        assert_eq!(ago(Locale::English, ms), english);
        assert_eq!(ago(Locale::German, ms), german);
    }
    assert_eq!(Texts::for_locale(Locale::English).ago(Timestamp::from_ms(i64::MIN), now), "292471208 years ago");
}

#[test]
fn spans_round_up() {
    let texts = Texts::for_locale(Locale::English);
    assert_eq!(texts.span(0), "1 second");
    assert_eq!(texts.span(90), "90 seconds");
    assert_eq!(texts.span(91), "2 minutes");
    assert_eq!(texts.span(1800), "30 minutes");
    assert_eq!(texts.span(3600), "1 hour");
    assert_eq!(texts.span(4200), "70 minutes");
    assert_eq!(texts.span(86_400), "24 hours");
    assert_eq!(Texts::for_locale(Locale::German).span(1), "1 Sekunde");
}

#[test]
fn an_unknown_device_is_named_in_the_language() {
    let texts = Texts::for_locale(Locale::German);
    assert_eq!(texts.device("Unknown browser"), "Unbekannter Browser");
    assert_eq!(texts.device("Unknown browser, Linux"), "Unbekannter Browser, Linux");
    assert_eq!(texts.device("Firefox, Linux"), "Firefox, Linux");
}

#[test]
fn a_text_can_be_cut_around_its_value() {
    let (before, after) = Texts::for_locale(Locale::English).around("verify-lead", "email", &[]);
    assert_eq!(before, "We have sent a mail to ");
    assert!(after.starts_with(". Enter the 6-digit code"), "{after}");
}
