use std::sync::Arc;

use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_700_000_000;

/// A proof of somebody of their own.
fn id(number: usize) -> ProofId {
    id_of(&number.to_string(), number)
}

fn id_of(holder: &str, number: usize) -> ProofId {
    ProofId::of("thumbprint", &number.to_string(), Some(holder))
}

/// Proves: A-110
#[test]
fn a_proof_is_remembered_as_long_as_it_is_good() {
    let store = MemoryReplays::default();
    assert_eq!(store.take(id(1), NOW + 300, NOW), Ok(()));
    for now in NOW..=NOW + 300 {
        assert_eq!(store.take(id(1), NOW + 300, now), Err(ReplayError::Seen), "{now}");
    }
    assert_eq!(store.take(id(2), NOW + 300, NOW), Ok(()));
}

/// Proves: A-110
#[test]
fn the_same_id_with_another_time_is_the_same_proof() {
    let store = MemoryReplays::default();
    assert_eq!(store.take(id(1), NOW + 300, NOW), Ok(()));
    assert_eq!(store.take(id(1), NOW + 200, NOW), Err(ReplayError::Seen));
    assert_eq!(store.take(id(1), NOW + 400, NOW + 100), Err(ReplayError::Seen));
}

/// Proves: A-110
#[test]
fn a_full_store_refuses_and_forgets_nothing() {
    let store = MemoryReplays::new(100);
    for number in 0..100 {
        assert_eq!(store.take(id(number), NOW + 300, NOW), Ok(()));
    }
    for number in 100..200 {
        assert_eq!(store.take(id(number), NOW + 300, NOW), Err(ReplayError::Full));
    }
    for number in 0..100 {
        assert_eq!(store.take(id(number), NOW + 300, NOW + 300), Err(ReplayError::Seen));
    }
    // What is over makes room.
    let later = NOW + 300 + HEAP_SECONDS;
    for number in 0..100 {
        assert_eq!(store.take(id(number), later + 300, later), Ok(()), "{number}");
    }
    assert_eq!(store.take(id(100), later + 300, later), Err(ReplayError::Full));
}

/// Proves: A-110
#[test]
fn whoever_sends_without_end_takes_no_room_of_others() {
    let store = MemoryReplays::new(1_000);
    let sent = |holder: &str, numbers: std::ops::Range<usize>| {
        let taken = numbers.map(|number| store.take(id_of(holder, number), NOW + 300, NOW));
        taken.flatten().count()
    };
    assert_eq!(sent("greedy", 0..5_000), 500, "one alone has half");
    assert_eq!(sent("honest", 10_000..10_200), 200);
    assert_eq!(sent("greedy", 5_000..10_000), 0);
    assert_eq!(sent("honest", 10_200..20_000), 50, "and no more than is left then");
    // However many are greedy, whoever comes next finds room; nothing of all that is forgotten.
    for greedy in 0..5 {
        sent(&format!("greedy {greedy}"), (20_000 + greedy * 1_000)..(21_000 + greedy * 1_000));
        assert!(sent("next", 30_000 + greedy..30_001 + greedy) == 1, "{greedy}");
    }
    for (holder, number) in [("greedy", 0), ("greedy", 499), ("honest", 10_249), ("next", 30_000)] {
        assert_eq!(store.take(id_of(holder, number), NOW + 300, NOW + 300), Err(ReplayError::Seen), "{holder}");
    }
    // What is over is held no longer.
    let later = NOW + 300 + HEAP_SECONDS;
    assert_eq!(store.take(id_of("greedy", 40_000), later + 300, later), Ok(()));
    let heaps = store.heaps.lock().unwrap();
    assert_eq!((heaps.count, heaps.held.len()), (1, 1));
}

/// Proves: A-110
#[test]
fn a_clock_that_is_set_back_brings_no_proof_back() {
    let store = MemoryReplays::default();
    assert_eq!(store.take(id(1), NOW + 300, NOW), Ok(()));
    assert_eq!(store.take(id(2), NOW + 1_300, NOW + 1_000), Ok(()));
    assert_eq!(store.take(id(1), NOW + 300, NOW), Err(ReplayError::Seen));
    assert_eq!(store.take(id(2), NOW + 1_300, NOW), Err(ReplayError::Seen));
}

/// Proves: A-110
#[test]
fn the_ids_of_one_key_are_no_ids_of_another() {
    assert_ne!(ProofId::of("one", "id", None), ProofId::of("two", "id", None));
    assert_ne!(ProofId::of("one", "id", None).holder(), ProofId::of("two", "id", None).holder());
    assert_eq!(ProofId::of("one", "id", Some("who")).holder(), ProofId::of("two", "id", Some("who")).holder());
    assert_ne!(id(1), id(2));
    assert_eq!(id(1).as_bytes(), id(1).as_bytes());
}

/// Proves: A-110
#[test]
fn of_many_at_the_same_time_one_is_the_first() {
    let store = Arc::new(MemoryReplays::default());
    let threads: Vec<_> = (0..50)
        .map(|_| {
            let store = Arc::clone(&store);
            std::thread::spawn(move || store.take(id(1), NOW + 300, NOW).is_ok())
        })
        .collect();
    let taken = threads.into_iter().map(|thread| thread.join().unwrap()).filter(|new| *new).count();
    assert_eq!(taken, 1);
}

proptest! {
    /// Whatever comes in whatever order, nothing is taken twice while it is good, and no more is kept than allowed.
    #[test]
    fn nothing_is_taken_twice(steps in prop::collection::vec((0_usize..24, 0_i64..60, 0_i64..40), 1..80)) {
        let store = MemoryReplays::new(5);
        let (mut now, mut good): (i64, BTreeMap<usize, i64>) = (NOW, BTreeMap::new());
        for (number, lasts, passes) in steps {
            now += passes;
            let until = now + lasts;
            let result = store.take(id_of(&(number % 3).to_string(), number), until, now);
            if good.get(&number).is_some_and(|end| *end >= now) {
                prop_assert_eq!(result, Err(ReplayError::Seen));
            }
            if result.is_ok() {
                good.insert(number, until);
            }
            let heaps = store.heaps.lock().unwrap();
            prop_assert_eq!(heaps.count, heaps.by_end.values().map(|heap| heap.proofs.len()).sum::<usize>());
            prop_assert_eq!(heaps.count, heaps.held.values().sum::<usize>());
            prop_assert!(heaps.count <= 5 && !heaps.held.values().any(|held| *held == 0 || *held > 3));
        }
    }
}
