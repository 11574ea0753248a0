//! Which mails that somebody asked for are sent: sign-up, resend, forgotten password. Asked for every such
//! request, whether or not the address has an account; a mail over budget is dropped silently, and links sent
//! earlier stay valid. Notices about what happened to an account are not asked for and have no budget.

use doorward_model::id::{DeviceId, UserId};
use doorward_model::network::Network;
use doorward_model::throttle::{Decision, RowKind, Subject, Window};
use doorward_model::time::Timestamp;
use doorward_store::attempts::{self, Growth};
use doorward_store::{StoreError, Tx, known_devices, mail_budgets};
use metrics::counter;

use crate::change::Change;
use crate::event::EventDraft;
use crate::failure::Failure;
use crate::throttle::{DEVICE_LIFE_MS, Throttle};

/// Somebody asks for a mail.
#[derive(Clone, Copy, Debug)]
pub struct MailRequest {
    /// The address that was typed, from [`Throttle::subject`].
    pub subject: Subject,
    /// The account of that address, if there is one.
    pub user: Option<UserId>,
    /// Where the request comes from.
    pub network: Network,
    /// The device of this account that the known-device cookie names, if any.
    pub device: Option<DeviceId>,
    /// When.
    pub now: Timestamp,
}

/// What becomes of the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailDecision {
    /// Send it; it is counted.
    Send,
    /// Do not send it, and answer as if it were sent.
    Drop {
        /// Whose budget is spent: for metrics and events, not for the answer.
        limiter: MailLimiter,
        /// `Some(n)`: write an event now, for `n` dropped mails (those of the last quiet minute included). None: the
        /// event of this minute is written already.
        report: Option<i64>,
    },
}

/// A budget that can be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailLimiter {
    /// What one network may ask for, whatever the addresses.
    Network,
    /// What strangers may send to one address.
    Address,
    /// What one known device may ask for.
    Device,
}

impl MailLimiter {
    /// The metric's label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Address => "address",
            Self::Device => "device",
        }
    }
}

impl MailDecision {
    /// Records what became of the mail: sent, with `event`; dropped, with the same event as refused and the number of
    /// those it stands for, or with none when this minute has had its own.
    pub(crate) fn record(self, change: &mut Change<'_, '_>, event: &EventDraft) -> Result<(), Failure> {
        match self {
            Self::Send => change.record(event),
            Self::Drop { limiter, report: Some(count) } => change.record(&event.clone().refused().data([
                ("reason", "mail_budget".into()),
                ("limiter", limiter.name().into()),
                ("count", count.into()),
            ])),
            Self::Drop { report: None, .. } => {
                change.quietly();
                Ok(())
            }
        }
    }

    /// Counts a dropped mail in the metrics; call it once, after the transaction.
    pub fn count(self) {
        if let Self::Drop { limiter, .. } = self {
            counter!("mail_dropped_total", "limiter" => limiter.name()).increment(1);
        }
    }
}

/// The mail budgets; they share rows, key and numbers with the throttle.
#[derive(Clone, Debug)]
pub struct MailBudgets {
    throttle: Throttle,
}

impl MailBudgets {
    /// Budgets over the throttle's rows.
    pub fn new(throttle: Throttle) -> Self {
        Self { throttle }
    }

    /// Counts the mail if there is room for it. In the write transaction that also writes the mail.
    pub fn reserve(&self, tx: &mut Tx<'_>, request: &MailRequest) -> Result<MailDecision, StoreError> {
        let Some(limiter) = self.find_spent(tx, request)? else {
            return Ok(MailDecision::Send);
        };
        let key = self.throttle.key();
        // A network over its own budget may name any number of addresses: they share one report.
        let row = match limiter {
            MailLimiter::Network => key.of_network(RowKind::MailDropped, request.network),
            MailLimiter::Address | MailLimiter::Device => {
                key.of_pair(RowKind::MailDropped, request.subject, request.network)
            }
        };
        Ok(MailDecision::Drop { limiter, report: self.throttle.count_repeat(tx, &row, request.now)? })
    }

    /// The budget that has no room; none when the mail is counted.
    fn find_spent(&self, tx: &mut Tx<'_>, request: &MailRequest) -> Result<Option<MailLimiter>, StoreError> {
        if let (Some(device), Some(user)) = (request.device, request.user) {
            let last_used = known_devices::find_last_used(tx, device, user)?;
            if last_used.is_some_and(|last_used| request.now.since_ms(last_used) < DEVICE_LIFE_MS) {
                return self.reserve_for_device(tx, device, request.now);
            }
        }
        self.reserve_for_stranger(tx, request)
    }

    /// A known device asks: a budget of its own, that nobody else can spend.
    fn reserve_for_device(
        &self,
        tx: &mut Tx<'_>,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<Option<MailLimiter>, StoreError> {
        let (policy, key) = (self.throttle.policy(), self.throttle.key());
        let hour = key.of_device(RowKind::MailDeviceHour, device);
        let day = key.of_device(RowKind::MailDeviceDay, device);
        if !attempts::admit_window(tx, &hour, &policy.mail_device_hour, now, Growth::Open)?.is_admitted() {
            return Ok(Some(MailLimiter::Device));
        }
        if !attempts::admit_window(tx, &day, &policy.mail_device_day, now, Growth::Open)?.is_admitted() {
            attempts::give_back_window(tx, &hour)?;
            return Ok(Some(MailLimiter::Device));
        }
        Ok(None)
    }

    fn reserve_for_stranger(&self, tx: &mut Tx<'_>, request: &MailRequest) -> Result<Option<MailLimiter>, StoreError> {
        let (policy, key, now) = (self.throttle.policy(), self.throttle.key(), request.now);
        let network = key.of_network(RowKind::MailNetwork, request.network);
        // Requests count here even when the address's budget then drops the mail.
        if !self.admit(tx, &network, &policy.mail_network, now, Growth::Open)?.is_admitted() {
            return Ok(Some(MailLimiter::Network));
        }
        let pair = key.of_pair(RowKind::MailPair, request.subject, request.network);
        let is_new = match self.admit(tx, &pair, &policy.mail_pair, now, self.throttle.growth())? {
            Decision::Admitted { count } => count > 0,
            Decision::Refused { .. } => false,
        };
        let row = key.of_subject(RowKind::Mail, request.subject);
        if mail_budgets::admit(tx, &row, &policy.mail, now, is_new, self.throttle.growth())? {
            return Ok(None);
        }
        if is_new {
            // It got nothing, so it is still new when it asks again.
            attempts::give_back_window(tx, &pair)?;
        }
        Ok(Some(MailLimiter::Address))
    }

    fn admit(
        &self,
        tx: &mut Tx<'_>,
        row: &doorward_model::throttle::RowKey,
        rule: &Window,
        now: Timestamp,
        growth: Growth,
    ) -> Result<Decision, StoreError> {
        let decision = attempts::admit_window(tx, row, rule, now, growth)?;
        if let Decision::Admitted { count } = decision {
            self.throttle.note_row(count);
        }
        Ok(decision)
    }
}

#[cfg(test)]
mod tests;
