//! What the throttle promises, on both databases.

mod lanes;
mod strangers;
mod week;

use doorward_model::id::{DeviceId, UserId};
use doorward_model::network::Network;
use doorward_model::throttle::{SubjectKey, ThrottlePolicy};
use doorward_model::time::Timestamp;
use doorward_store::{Store, StoreError, Tx};

use super::{Admission, Attempt, Holder, Limiter, Reservation, Throttle};
use crate::test_database::{at, insert_user};

const EMAIL: &str = "owner@example.org";

fn throttle() -> Throttle {
    throttle_with(ThrottlePolicy::default())
}

#[expect(clippy::large_types_passed_by_value, reason = "each test makes its own")]
fn throttle_with(policy: ThrottlePolicy) -> Throttle {
    Throttle::new(policy, SubjectKey::new(&[5; 32])).unwrap()
}

fn owner() -> UserId {
    UserId::from_uuid([1; 16])
}

fn device(number: u8) -> DeviceId {
    DeviceId::from_uuid([number; 16])
}

/// One of 65,536 IPv4 networks.
fn network(number: usize) -> Network {
    let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
    Network::V4([198, 18, high, low])
}

/// A stranger's attempt on the owner's account.
fn guess(throttle: &Throttle, from: usize, now: Timestamp) -> Attempt {
    Attempt {
        subject: throttle.subject(EMAIL),
        user: Some(owner()),
        network: network(from),
        holder: Holder::Nobody,
        now,
    }
}

/// The owner's attempt from a known device.
fn own(throttle: &Throttle, device: DeviceId, from: usize, now: Timestamp) -> Attempt {
    Attempt { holder: Holder::Device(device), ..guess(throttle, from, now) }
}

/// A stranger's attempt on an address without an account.
fn guess_unknown(throttle: &Throttle, email: &str, from: usize, now: Timestamp) -> Attempt {
    Attempt { subject: throttle.subject(email), user: None, ..guess(throttle, from, now) }
}

async fn with_owner(store: &Store) {
    insert_user(store, owner(), EMAIL).await;
}

/// Runs `work` in one committed transaction.
async fn in_tx<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write(work).await.unwrap_or_else(|error: StoreError| panic!("{error:?}"))
}

fn admitted(reservation: Reservation) -> Admission {
    match reservation {
        Reservation::Admitted(admission) => admission,
        Reservation::Throttled(throttled) => panic!("throttled: {throttled:?}"),
    }
}

/// Which limiter refused, if one did.
fn limiter(reservation: Reservation) -> Option<Limiter> {
    match reservation {
        Reservation::Admitted(_) => None,
        Reservation::Throttled(throttled) => Some(throttled.limiter),
    }
}

/// Guesses wrongly once: how an attempt ends that is not the owner's.
fn fail_once(throttle: &Throttle, tx: &mut Tx<'_>, attempt: &Attempt) -> Result<Option<Limiter>, StoreError> {
    let reservation = throttle.reserve(tx, attempt)?;
    if let Reservation::Admitted(admission) = reservation {
        throttle.fail(tx, &admission)?;
    }
    Ok(limiter(reservation))
}
