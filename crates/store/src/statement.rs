//! SQL text as named constants.

/// One SQL statement in both dialects, with parameters `$1..$n`.
#[derive(Debug)]
pub struct Statement {
    /// What logs and errors call it, such as `doorward_store::users::FIND`.
    pub name: &'static str,
    /// The text for SQLite.
    pub sqlite: &'static str,
    /// The text for PostgreSQL.
    pub postgres: &'static str,
}

impl Statement {
    /// A statement whose text both databases understand. Nearly all are.
    pub const fn new(name: &'static str, sql: &'static str) -> Self {
        Self { name, sqlite: sql, postgres: sql }
    }

    /// A statement that must differ. There are fewer than ten of these.
    pub const fn differing(name: &'static str, sqlite: &'static str, postgres: &'static str) -> Self {
        Self { name, sqlite, postgres }
    }
}

/// Declares the statements of a module, and `ALL` of them for the list in `catalog.rs`.
///
/// ```ignore
/// statements! {
///     /// One text for both databases.
///     FIND = "SELECT name FROM users WHERE id = $1";
///     /// Texts that must differ.
///     SIZE = { sqlite: "SELECT ...", postgres: "SELECT ..." };
/// }
/// ```
#[macro_export]
#[doc(hidden)]
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $text:tt;)*) => {
        $(
            $(#[$meta])*
            pub(crate) static $name: $crate::Statement =
                $crate::statements!(@one concat!(module_path!(), "::", stringify!($name)), $text);
        )*
        /// Every statement of this module.
        pub(crate) static ALL: &[&$crate::Statement] = &[$(&$name),*];
    };
    (@one $name:expr, { sqlite: $sqlite:expr, postgres: $postgres:expr $(,)? }) => {
        $crate::Statement::differing($name, $sqlite, $postgres)
    };
    (@one $name:expr, $sql:literal) => {
        $crate::Statement::new($name, $sql)
    };
}
