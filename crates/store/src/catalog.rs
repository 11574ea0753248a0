//! Every statement of the product, so that a test can prepare each against both schemas.

use crate::{Statement, attempts, durability, known_devices, mail_budgets, migrations};

/// The lists of all modules; a test finds a module that is missing here.
static MODULES: &[&[&Statement]] =
    &[attempts::ALL, durability::ALL, known_devices::ALL, mail_budgets::ALL, migrations::ALL];

/// Every statement of the product.
pub fn all_statements() -> impl Iterator<Item = &'static Statement> {
    MODULES.iter().flat_map(|statements| statements.iter().copied())
}
