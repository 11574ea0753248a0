//! The account area.

pub(crate) mod appearance;
pub(crate) mod applications;
pub(crate) mod password;
pub(crate) mod profile;
pub(crate) mod sessions;

use doorward_app::authentication::Principal;
use doorward_app::profile::User;

use super::views::Account;
use crate::problem::{Code, Problem};
use crate::site::Site;

async fn find(site: &Site, principal: &Principal) -> Result<User, Problem> {
    site.app.find_user(principal.user_id).await?.ok_or_else(|| Code::SessionRevoked.into())
}

fn summary(user: &User) -> Account {
    Account { email: user.email.clone(), created_at: user.created_at }
}
