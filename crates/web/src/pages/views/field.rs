//! One field of a form as it comes back to the person who filled it in.

use std::fmt;

use super::{Page, Problem};

/// A field: what was typed, and what is wrong with it. Passwords are never fields: a page holds only the problem
/// with one, so that none can be sent back.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Field {
    /// What was typed.
    pub value: String,
    /// What is wrong with it.
    pub problem: Option<Problem>,
}

impl Field {
    /// A field that holds `value` and has no problem.
    pub fn filled(value: impl Into<String>) -> Self {
        Self { value: value.into(), problem: None }
    }

    /// A field that holds `value` and must be corrected.
    pub fn refused(value: impl Into<String>, problem: Problem) -> Self {
        Self { value: value.into(), problem: Some(problem) }
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("problem", &self.problem).finish_non_exhaustive()
    }
}

/// The problems of a form, in the order of its fields, each with the id of the control it belongs to.
pub struct Problems<'a> {
    page: &'a Page,
    listed: Vec<(&'static str, &'a Problem)>,
}

impl<'a> Problems<'a> {
    /// Collects those that exist.
    pub fn of<const N: usize>(page: &'a Page, fields: [(&'static str, &'a Option<Problem>); N]) -> Self {
        let listed = fields.into_iter().filter_map(|(id, problem)| problem.as_ref().map(|problem| (id, problem)));
        Self { page, listed: listed.collect() }
    }

    /// Whether anything must be corrected.
    pub fn exist(&self) -> bool {
        !self.listed.is_empty()
    }

    /// Id of the control and text of the problem.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.listed.iter().map(|(id, problem)| (*id, problem.text(self.page)))
    }
}
