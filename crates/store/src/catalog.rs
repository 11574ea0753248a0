//! Every statement of the product, so that a test can prepare each against both schemas.

use crate::{
    Statement, deliveries, durability, events, leases, migrations, one_time_tokens, pending_signups, revocations,
    sessions, token_families, users,
};

/// The lists of all modules; a test finds a module that is missing here.
static MODULES: &[&[&Statement]] = &[
    deliveries::ALL,
    durability::ALL,
    events::ALL,
    leases::ALL,
    migrations::ALL,
    one_time_tokens::ALL,
    pending_signups::ALL,
    revocations::ALL,
    sessions::ALL,
    token_families::ALL,
    users::ALL,
];
use crate::{Statement, durability, meta, migrations, secret_keys, signing_keys};

/// The lists of all modules; a test finds a module that is missing here.
static MODULES: &[&[&Statement]] = &[durability::ALL, meta::ALL, migrations::ALL, secret_keys::ALL, signing_keys::ALL];
use crate::{Statement, attempts, durability, known_devices, mail_budgets, migrations};

/// The lists of all modules; a test finds a module that is missing here.
static MODULES: &[&[&Statement]] =
    &[attempts::ALL, durability::ALL, known_devices::ALL, mail_budgets::ALL, migrations::ALL];

/// Every statement of the product.
pub fn all_statements() -> impl Iterator<Item = &'static Statement> {
    MODULES.iter().flat_map(|statements| statements.iter().copied())
}
