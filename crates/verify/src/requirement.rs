//! What a route demands of a token.

use serde_json::Value;

use crate::refusal::{Lacking, Refusal};
use crate::verifier::AccessToken;

/// Scope words, roles, permissions or an organization that a token must have: all that is named.
///
/// ```
/// use doorward_verify::Requirement;
///
/// let to_write_notes = Requirement::scope("notes:write");
/// let to_see_everything = Requirement::role("admin").and_permission("audit:read");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Requirement {
    scopes: Vec<Box<str>>,
    roles: Vec<Box<str>>,
    permissions: Vec<Box<str>>,
    organization: Option<Box<str>>,
}

impl Requirement {
    /// Nothing but a good token.
    pub fn token() -> Self {
        Self::default()
    }

    /// A scope word.
    pub fn scope(word: &str) -> Self {
        Self::default().and_scope(word)
    }

    /// A role.
    pub fn role(role: &str) -> Self {
        Self::default().and_role(role)
    }

    /// A permission.
    pub fn permission(permission: &str) -> Self {
        Self::default().and_permission(permission)
    }

    /// An organization that the token is good for.
    pub fn organization(id: &str) -> Self {
        Self::default().and_organization(id)
    }

    /// And a scope word. One that no scope can have (RFC 6749 section 3.3) is never found.
    pub fn and_scope(mut self, word: &str) -> Self {
        self.scopes.push(word.into());
        self
    }

    /// And a role.
    pub fn and_role(mut self, role: &str) -> Self {
        self.roles.push(role.into());
        self
    }

    /// And a permission.
    pub fn and_permission(mut self, permission: &str) -> Self {
        self.permissions.push(permission.into());
        self
    }

    /// And an organization.
    pub fn and_organization(mut self, id: &str) -> Self {
        self.organization = Some(id.into());
        self
    }

    /// Whether a token has all of it.
    pub fn check(&self, token: &AccessToken) -> Result<(), Refusal> {
        if !self.scopes.iter().all(|word| token.has_scope(word)) {
            return Err(Refusal::Insufficient(Box::new(Lacking { scope: self.scope_text() })));
        }
        let is_met = self.roles.iter().all(|role| token.has_role(role))
            && self.permissions.iter().all(|permission| token.has_permission(permission))
            && self.organization.as_deref().is_none_or(|id| token.organization() == Some(id));
        is_met.then_some(()).ok_or_else(|| Refusal::Insufficient(Box::default()))
    }

    /// The scope words as a challenge names them: without those that RFC 6749 section 3.3 has no place for.
    fn scope_text(&self) -> String {
        let is_word = |word: &&str| {
            word.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\') && !word.is_empty()
        };
        self.scopes.iter().map(|word| &**word).filter(is_word).collect::<Vec<_>>().join(" ")
    }
}

/// Whether a list holds a text; an object holds its names, as Zitadel writes roles.
pub(crate) fn holds(value: Option<&Value>, text: &str) -> bool {
    match value {
        Some(Value::Array(values)) => values.iter().any(|value| value.as_str() == Some(text)),
        Some(Value::Object(members)) => members.contains_key(text),
        _ => false,
    }
}
