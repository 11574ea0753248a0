//! A week under attack, with a manual clock: 500 networks guess at one account and ask for its mails, every
//! second hour, the owner's own network among them.

use doorward_model::time::HOUR_MS;

use super::*;
use crate::devices;
use crate::mail_budget::{MailBudgets, MailDecision, MailRequest};
use crate::test_database::{on_postgres, on_sqlite};
use crate::throttle::Lane;

/// Where the owner lives; attackers sit behind the same address.
const HOME: usize = 0;
/// When the owner needs a new password in a new browser.
const RESET_HOUR: i64 = 3 * 24 + 20;

#[derive(Clone)]
struct Week {
    throttle: Throttle,
    mails: MailBudgets,
    networks: usize,
    /// The device the owner uses now.
    device: DeviceId,
    evaluated: i64,
    returned: i64,
    told: i64,
    last_mail: Option<Timestamp>,
    has_reset: bool,
}

impl Week {
    fn new(networks: usize) -> Self {
        let throttle = throttle();
        Self {
            mails: MailBudgets::new(throttle.clone()),
            throttle,
            networks,
            device: device(1),
            evaluated: 0,
            returned: 0,
            told: 0,
            last_mail: None,
            has_reset: false,
        }
    }

    /// Every network guesses once and asks for a mail; returns how many mails were sent.
    fn attack(&mut self, tx: &mut Tx<'_>, now: Timestamp) -> Result<i64, StoreError> {
        let mut sent = 0;
        for from in 0..self.networks {
            let attempt = guess(&self.throttle, from, now.plus_ms(i64::try_from(from).unwrap()));
            if let Reservation::Admitted(admission) = self.throttle.reserve(tx, &attempt)? {
                self.evaluated += i64::from(admission.accepts(true));
                self.told += i64::from(self.throttle.fail(tx, &admission)?.switched_off.is_some());
            }
            sent += i64::from(self.ask_for_mail(tx, from, None, attempt.now)? == MailDecision::Send);
        }
        Ok(sent)
    }

    fn ask_for_mail(
        &mut self,
        tx: &mut Tx<'_>,
        from: usize,
        device: Option<DeviceId>,
        now: Timestamp,
    ) -> Result<MailDecision, StoreError> {
        let request = MailRequest {
            subject: self.throttle.subject(EMAIL),
            user: Some(owner()),
            network: network(from),
            device,
            now,
        };
        let decision = self.mails.reserve(tx, &request)?;
        if decision == MailDecision::Send {
            self.last_mail = Some(now);
        }
        Ok(decision)
    }

    /// The owner mistypes once and then signs in, from the known device.
    fn sign_in(&mut self, tx: &mut Tx<'_>, from: usize, now: Timestamp) -> Result<(), StoreError> {
        let attempt = own(&self.throttle, self.device, from, now);
        let mistyped = admitted(self.throttle.reserve(tx, &attempt)?);
        assert!(!mistyped.accepts(false));
        self.throttle.fail(tx, &mistyped)?;
        let admission = admitted(self.throttle.reserve(tx, &attempt)?);
        assert_eq!(admission.lane(), Lane::Device(self.device));
        assert!(admission.accepts(true));
        self.throttle.succeed(tx, &attempt, admission.lane())?;
        self.returned += 1;
        Ok(())
    }

    /// The owner wants to reset the password in a browser nobody knows, from a network nobody has seen; true when there
    /// is a link for it.
    fn reset_from_new_device(&mut self, tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
        self.ask_for_mail(tx, 60_000, None, now)?;
        if now.since_ms(self.last_mail.expect("a mail was sent")) >= HOUR_MS {
            return Ok(false);
        }
        self.device = device(2);
        devices::start_over(tx, owner(), self.device, now)?;
        self.throttle.owner_returned(tx, self.throttle.subject(EMAIL))?;
        self.returned += 1;
        self.sign_in(tx, 60_000, now)?;
        Ok(true)
    }
}

async fn live_through(store: Store, networks: usize) {
    with_owner(&store).await;
    in_tx(&store, |tx| devices::start_over(tx, owner(), device(1), at(0))).await;
    let mut week = Week::new(networks);
    let mut mails = 0;
    for hour in (0..7 * 24_i64).step_by(2) {
        let (after, sent) = in_tx(&store, move |tx| {
            // The closure may run again, so it works on a copy and hands it back.
            let mut week = week.clone();
            let now = at(hour * HOUR_MS);
            let sent = week.attack(tx, now)?;
            if hour % 24 == 12 {
                week.sign_in(tx, HOME, now.plus_ms(HOUR_MS / 2))?;
                let own_mail = week.ask_for_mail(tx, HOME, Some(week.device), now.plus_ms(HOUR_MS / 2))?;
                assert_eq!(own_mail, MailDecision::Send, "a known device has its own budget");
            }
            if hour >= RESET_HOUR && !week.has_reset {
                week.has_reset = week.reset_from_new_device(tx, now.plus_ms(HOUR_MS / 2))?;
                assert!(week.has_reset || hour < RESET_HOUR + 6, "a new network waits six hours and no more");
            }
            Ok((week, sent))
        })
        .await;
        week = after;
        // The budget's hour begins with its first mail, so one hour of the clock can touch two of them.
        assert!(sent <= 2 * 3, "hour {hour}: {sent} mails");
        mails += sent;
        if hour % 6 == 0 {
            week.throttle.sweep(&store, at(hour * HOUR_MS)).await.unwrap();
        }
    }
    assert!(mails <= 8 * 10, "{mails} mails in a week");
    assert!(week.has_reset);
    // Seven sign-ins, one reset and the sign-in after it.
    assert_eq!(week.returned, 9);
    let runs = week.returned + 1;
    assert!(week.evaluated <= 100 * runs, "{} guesses were evaluated", week.evaluated);
    assert!(week.evaluated >= 100, "the attack was real: {}", week.evaluated);
    assert!((1..=runs).contains(&week.told), "the owner was told {} times", week.told);
}

/// Proves, S-59, V6.1.1
#[tokio::test]
async fn five_hundred_networks_cannot_stop_the_owner_for_a_week() {
    on_sqlite(|store| live_through(store, 500)).await;
}

/// Proves, S-59
#[tokio::test]
async fn twenty_networks_cannot_stop_the_owner_for_a_week_on_postgresql_either() {
    on_postgres(|store| live_through(store, 20)).await;
}
