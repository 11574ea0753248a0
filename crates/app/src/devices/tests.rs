use std::sync::atomic::{AtomicU8, Ordering};

use doorward_model::time::DAY_MS;
use proptest::prelude::*;

use super::*;
use crate::test_database::{at, insert_user, on_both};

/// Different bytes with every call.
struct Counting(AtomicU8);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn counting() -> Counting {
    Counting(AtomicU8::new(1))
}

fn cookies(key: u8) -> DeviceCookies {
    DeviceCookies::new(SecretKeyId::from_uuid([key; 16]), &[key; 32]).unwrap()
}

fn user(number: u8) -> UserId {
    UserId::from_uuid([number; 16])
}

fn device(number: u8) -> DeviceId {
    DeviceId::from_uuid([number; 16])
}

#[test]
fn a_sealed_list_opens_again() {
    let list = DeviceList::default().with(user(1), device(1), at(0)).with(user(2), device(2), at(1));
    let cookie = cookies(1).seal(&list, &counting()).unwrap();
    let opened = cookies(1).open(Some(&cookie), at(2));
    assert_eq!(opened, list);
    assert_eq!((opened.device_of(user(1)), opened.device_of(user(3))), (Some(device(1)), None));
}

#[test]
fn a_sixth_person_displaces_the_oldest_and_the_cookie_stays_small() {
    let list = (1..=6).fold(DeviceList::default(), |list, number| list.with(user(number), device(number), at(0)));
    assert_eq!(list.device_of(user(1)), None);
    assert_eq!(list.device_of(user(6)), Some(device(6)));
    let cookie = cookies(1).seal(&list, &counting()).unwrap();
    assert!(cookie.len() <= MOST_TEXT_BYTES, "{} bytes", cookie.len());
    assert_eq!(cookies(1).open(Some(&cookie), at(0)), list);
}

#[test]
fn a_person_has_one_device_in_a_browser() {
    let list = DeviceList::default().with(user(1), device(1), at(0)).with(user(1), device(2), at(0));
    assert_eq!(list.device_of(user(1)), Some(device(2)));
    assert!(list.without(user(1)).is_empty());
}

#[test]
fn another_key_a_missing_cookie_and_a_year_are_the_same_as_no_cookie() {
    let list = DeviceList::default().with(user(1), device(1), at(0));
    let cookie = cookies(1).seal(&list, &counting()).unwrap();
    assert!(cookies(2).open(Some(&cookie), at(0)).is_empty());
    let same_id = DeviceCookies::new(SecretKeyId::from_uuid([1; 16]), &[9; 32]).unwrap();
    assert!(same_id.open(Some(&cookie), at(0)).is_empty());
    assert!(cookies(1).open(None, at(0)).is_empty());
    assert!(!cookies(1).open(Some(&cookie), at(365 * DAY_MS - 1)).is_empty());
    assert!(cookies(1).open(Some(&cookie), at(365 * DAY_MS)).is_empty());
    let rotated = cookies(2).also_opening(SecretKeyId::from_uuid([1; 16]), &[1; 32]).unwrap();
    assert_eq!(rotated.open(Some(&cookie), at(0)), list);
}

#[test]
fn no_two_cookies_are_alike_and_none_shows_its_ids() {
    let (list, random) = (DeviceList::default().with(user(1), device(1), at(0)), counting());
    let (one, other) = (cookies(1).seal(&list, &random).unwrap(), cookies(1).seal(&list, &random).unwrap());
    assert_ne!(one, other);
    let bytes = URL_SAFE_NO_PAD.decode(&one).unwrap();
    // The key's id is the same byte sixteen times too; the entries begin after the head.
    assert!(!bytes[HEAD_BYTES..].windows(16).any(|window| window == [1; 16]));
}

proptest! {
    #[test]
    fn no_changed_byte_opens(position in 0usize..101, change in 1u8..) {
        let list = DeviceList::default().with(user(1), device(1), at(0));
        let mut bytes = URL_SAFE_NO_PAD.decode(cookies(1).seal(&list, &counting()).unwrap()).unwrap();
        let index = position % bytes.len();
        bytes[index] ^= change;
        prop_assert!(cookies(1).open(Some(&URL_SAFE_NO_PAD.encode(bytes)), at(0)).is_empty());
    }

    #[test]
    fn nothing_made_up_opens(text in ".{0,600}", bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(cookies(1).open(Some(&text), at(0)).is_empty());
        prop_assert!(cookies(1).open(Some(&URL_SAFE_NO_PAD.encode(bytes)), at(0)).is_empty());
    }
}

#[tokio::test]
async fn a_known_browser_keeps_its_device_and_a_new_one_gets_one() {
    on_both(|store| async move {
        insert_user(&store, user(1), "a@example.org").await;
        store
            .write(|tx| {
                assert_eq!(remember(tx, user(1), None, device(1), at(0))?, device(1));
                assert_eq!(remember(tx, user(1), Some(device(1)), device(2), at(5))?, device(1));
                assert_eq!(known_devices::find_last_used(tx, device(1), user(1))?, Some(at(5)));
                assert_eq!(remember(tx, user(1), Some(device(9)), device(3), at(6))?, device(3), "9 is not known");
                start_over(tx, user(1), device(4), at(7))?;
                assert_eq!(known_devices::find_last_used(tx, device(1), user(1))?, None);
                assert_eq!(known_devices::find_last_used(tx, device(4), user(1))?, Some(at(7)));
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_account_has_at_most_twenty_devices_and_the_longest_unused_goes() {
    on_both(|store| async move {
        insert_user(&store, user(1), "a@example.org").await;
        insert_user(&store, user(2), "b@example.org").await;
        store
            .write(|tx| {
                remember(tx, user(2), None, device(200), at(-1))?;
                for number in 0..25 {
                    remember(tx, user(1), None, device(number), at(i64::from(number)))?;
                }
                assert_eq!(known_devices::find_last_used(tx, device(4), user(1))?, None);
                assert!(known_devices::find_last_used(tx, device(5), user(1))?.is_some());
                assert!(known_devices::find_last_used(tx, device(200), user(2))?.is_some());
                assert_eq!(known_devices::delete_of_user(tx, user(1))?, 20);
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
    })
    .await;
}
