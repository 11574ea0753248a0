//! What a person may see and change about themselves.

use std::sync::Arc;

use doorward_model::id::UserId;
use doorward_model::locale::Locale;
use doorward_model::name::DisplayName;
use doorward_store::users;
pub use doorward_store::users::User;

use crate::App;
use crate::authentication::Principal;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::op::Op;

/// A change of a profile; what is none stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// The new name; the inner none removes it.
    pub name: Option<Option<DisplayName>>,
    /// The new language.
    pub locale: Option<Locale>,
}

impl App {
    /// The person with this id.
    pub async fn find_user(&self, id: UserId) -> Result<Option<User>, Failure> {
        Ok(self.store.read(move |tx| users::find(tx, id)).await?)
    }

    /// The caller, as they were at most a second ago; what this process changed is seen at once.
    pub async fn current_user(&self, op: &Op, principal: &Principal) -> Result<Option<Arc<User>>, Failure> {
        let id = principal.user_id;
        self.user_cache.find(id, op.now, self.find_user(id)).await
    }

    /// Changes the caller's profile and returns it; none when they were disabled meanwhile.
    pub async fn change_profile(
        &self,
        op: &Op,
        principal: &Principal,
        change: ProfileChange,
    ) -> Result<Option<User>, Failure> {
        let (id, now) = (principal.user_id, op.now);
        let event = EventDraft::new(op, Action::ProfileChanged)
            .subject(id)
            .data([("name", change.name.is_some().into()), ("locale", change.locale.is_some().into())]);
        let changed = self
            .change(move |tx| {
                let name = change.name.as_ref().map(|name| name.as_ref().map(DisplayName::as_str));
                let user = users::update_profile(tx.tx, id, name, change.locale.map(Locale::as_str), now)?;
                if user.is_some() {
                    tx.record(&event)?;
                } else {
                    tx.quietly();
                }
                Ok(user)
            })
            .await;
        self.user_cache.forget(id);
        changed
    }
}

#[cfg(test)]
mod tests;
