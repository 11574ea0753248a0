//! Every statement of the product, so that a test can prepare each against both schemas.

use crate::{
    Statement, attempts, deliveries, durability, events, known_devices, leases, mail_budgets, meta, migrations,
    one_time_tokens, pending_signups, revocations, secret_keys, sessions, signing_keys, token_families, users,
};

/// The lists of all modules; a test finds a module that is missing here.
static MODULES: &[&[&Statement]] = &[
    attempts::ALL,
    deliveries::ALL,
    durability::ALL,
    events::ALL,
    known_devices::ALL,
    leases::ALL,
    mail_budgets::ALL,
    meta::ALL,
    migrations::ALL,
    one_time_tokens::ALL,
    pending_signups::ALL,
    revocations::ALL,
    secret_keys::ALL,
    sessions::ALL,
    signing_keys::ALL,
    token_families::ALL,
    users::ALL,
];

/// Every statement of the product.
pub fn all_statements() -> impl Iterator<Item = &'static Statement> {
    MODULES.iter().flat_map(|statements| statements.iter().copied())
}
