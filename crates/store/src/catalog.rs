//! Every statement of the product, so that a test can prepare each against both schemas.

use crate::{Statement, durability, meta, migrations, secret_keys, signing_keys};

/// The lists of all modules; a test finds a module that is missing here.
static MODULES: &[&[&Statement]] = &[durability::ALL, meta::ALL, migrations::ALL, secret_keys::ALL, signing_keys::ALL];

/// Every statement of the product.
pub fn all_statements() -> impl Iterator<Item = &'static Statement> {
    MODULES.iter().flat_map(|statements| statements.iter().copied())
}
