//! Every statement of the product, so that a test can prepare each against both schemas.

use crate::Statement;

/// The lists of all modules, one a line; a test finds a module that is missing here.
static MODULES: &[&[&Statement]] = &[
    crate::attempts::ALL,
    crate::client_sessions::ALL,
    crate::clients::ALL,
    crate::consents::ALL,
    crate::database_clock::ALL,
    crate::deliveries::ALL,
    crate::device_requests::ALL,
    crate::durability::ALL,
    crate::events::ALL,
    crate::grants::ALL,
    crate::known_devices::ALL,
    crate::leases::ALL,
    crate::mail_budgets::ALL,
    crate::meta::ALL,
    crate::migrations::ALL,
    crate::one_time_tokens::ALL,
    crate::pending_signups::ALL,
    crate::pushed_requests::ALL,
    crate::registrations::ALL,
    crate::revocations::ALL,
    crate::secret_keys::ALL,
    crate::sessions::ALL,
    crate::signing_keys::ALL,
    crate::token_families::ALL,
    crate::used_ids::ALL,
    crate::users::ALL,
];

/// Every statement of the product.
pub fn all_statements() -> impl Iterator<Item = &'static Statement> {
    MODULES.iter().flat_map(|statements| statements.iter().copied())
}
