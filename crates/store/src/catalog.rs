//! Every statement of the product, so that a test can prepare each against both schemas.

use crate::{Statement, durability, migrations};

/// The lists of all modules; a test finds a module that is missing here.
static MODULES: &[&[&Statement]] = &[durability::ALL, migrations::ALL];

/// Every statement of the product.
pub fn all_statements() -> impl Iterator<Item = &'static Statement> {
    MODULES.iter().flat_map(|statements| statements.iter().copied())
}
