use doorward_model::id::RevocationId;

use super::*;
use crate::keys::tests::Seeded;

const LIFE_MS: i64 = 660_000;
const MARGIN_MS: i64 = 60_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn entry(subject: &str, ms: i64) -> Entry {
    let id = RevocationId::from_uuid([0; 16]);
    Entry::of(&Revoked { id, kind: RevokedKind::Session, subject: subject.to_owned(), at: at(ms) }).unwrap()
}

fn entries(count: usize, ms: i64) -> Vec<Entry> {
    (0..count).map(|number| entry(&number.to_string(), ms)).collect()
}

fn log(most: usize) -> Log {
    let mut log = Log::new(LIFE_MS, MARGIN_MS);
    log.most = most;
    log.looked(at(0), &Seeded::new(1));
    log
}

#[test]
fn an_entry_keeps_its_kind_and_its_time() {
    let told = |kind| {
        let row =
            Revoked { id: RevocationId::from_uuid([0; 16]), kind, subject: "x".to_owned(), at: at(1_700_000_000_123) };
        Entry::of(&row).map(|entry| (entry.kind(), entry.at()))
    };
    for (kind, name) in [
        (RevokedKind::Session, "session"),
        (RevokedKind::Grant, "grant"),
        (RevokedKind::Token, "token"),
        (RevokedKind::Client, "client"),
        (RevokedKind::Subject, "subject"),
        (RevokedKind::Key, "key"),
    ] {
        assert_eq!(told(kind), Some((name, at(1_700_000_000_123))));
    }
    assert_eq!((told(RevokedKind::User), told(RevokedKind::Credential)), (None, None));
    assert_eq!(size_of::<Entry>(), 24);
    // The beginning of the SHA-256 of "x".
    assert_eq!(entry("x", 0).hash[..4], [0x2d, 0x71, 0x16, 0x42]);
}

#[test]
fn pages_follow_each_other_without_a_gap_wherever_one_begins() {
    let mut log = log(MOST_ENTRIES);
    assert!(Log::new(LIFE_MS, MARGIN_MS).excerpt(0).is_none(), "nobody has looked");
    let all = entries(2 * PAGE + 7, 1);
    for part in all.chunks(1_111) {
        log.extend(part);
    }
    for begin in [0, 1, PAGE - 1, PAGE, PAGE + 5, PAGE + 6, 2 * PAGE, 2 * PAGE + 6] {
        let (mut read, mut position, mut pages) = (Vec::new(), begin as u64, 0);
        loop {
            let page = log.excerpt(position).unwrap();
            assert!(page.entries.len() == PAGE || !page.has_more && page.entries.len() < PAGE, "pages are full");
            assert_eq!(page.next, position + page.entries.len() as u64);
            read.extend(page.entries);
            (position, pages) = (page.next, pages + 1);
            if !page.has_more {
                break;
            }
        }
        assert_eq!(read, all[begin..], "from {begin}");
        assert!(pages <= 3);
    }
    let end = log.excerpt(log.end()).unwrap();
    assert!(end.entries.is_empty() && !end.has_more);
    assert_eq!(log.excerpt(u64::MAX).unwrap().next, log.end());
}

#[test]
fn what_does_not_fit_goes_and_the_log_says_from_when_on_it_is_complete() {
    let mut log = log(3 * PAGE);
    let now = at(1_000_000_000);
    log.looked(now, &Seeded::new(1));
    let since = now.as_seconds() - LIFE_MS / 1_000;
    assert_eq!(log.excerpt(0).unwrap().complete_since, since);
    log.extend(&entries(PAGE, 999_950_500));
    log.extend(&entries(2 * PAGE, 999_960_000));
    assert_eq!(log.excerpt(0).unwrap().complete_since, since, "everything fits");
    log.extend(&entries(1, 999_970_000));
    let page = log.excerpt(0).unwrap();
    // Tokens from before the latest entry that was dropped, and a margin for clocks that differ.
    assert_eq!(page.complete_since, 999_950 + 60 + 1);
    assert_eq!((page.entries[0].at(), log.len()), (at(999_960_000), 2 * PAGE + 1));
    assert_eq!(page.next, 2 * PAGE as u64, "positions stay what they were");
    // In time what was dropped would have gone anyway.
    log.looked(at(1_001_000_000), &Seeded::new(1));
    assert_eq!(log.excerpt(0).unwrap().complete_since, 1_001_000 - LIFE_MS / 1_000);
}

#[test]
fn what_matters_no_more_goes() {
    let mut log = log(MOST_ENTRIES);
    log.extend(&entries(PAGE, 1_000));
    log.extend(&entries(1, 2_000));
    let keep = LIFE_MS + 2 * MARGIN_MS;
    log.looked(at(1_000 + keep), &Seeded::new(1));
    assert_eq!(log.len(), PAGE + 1);
    log.looked(at(1_001 + keep), &Seeded::new(1));
    assert_eq!((log.len(), log.clamp(0)), (1, PAGE as u64));
    log.looked(at(2_001 + keep), &Seeded::new(1));
    assert_eq!((log.len(), log.end()), (0, PAGE as u64 + 1));
    log.extend(&entries(3, 900_000));
    assert_eq!(log.excerpt(0).unwrap().entries.len(), 3);
    // What matters still keeps what stands beside it.
    log.extend(&entries(1, 950_000));
    log.looked(at(900_001 + keep), &Seeded::new(1));
    assert_eq!(log.len(), 4);
}

/// What a slow request commits stands behind what is younger.
#[test]
fn a_time_leads_to_a_place_before_everything_as_old() {
    let mut log = log(MOST_ENTRIES);
    for ms in [1_000, 2_000, 1_500, 3_000, 2_500] {
        log.extend(&entries(PAGE, ms));
    }
    for (ms, position) in [(0, 0), (1_000, 0), (1_001, PAGE), (2_000, PAGE), (2_001, 3 * PAGE), (3_001, 5 * PAGE)] {
        assert_eq!(log.position_at(at(ms)), position as u64, "{ms}");
    }
    assert_eq!(log.position_at(at(2_100)), 3 * PAGE as u64, "2,500 stands behind it");
}

#[test]
fn each_run_has_a_name_of_its_own() {
    let named = |seed| {
        let mut log = Log::new(LIFE_MS, MARGIN_MS);
        log.looked(at(0), &Seeded::new(seed));
        let name = log.instance().unwrap();
        log.looked(at(1), &Seeded::new(seed + 5));
        assert_eq!(log.instance(), Some(name), "the name stays");
        name
    };
    assert_ne!(named(1), named(2));
}
