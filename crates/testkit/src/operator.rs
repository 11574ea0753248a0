//! Somebody at the command line of the server.

use doorward_app::op::{Actor, Op};
use doorward_app::operators::NewUser;
use doorward_model::email::EmailAddress;
use doorward_model::id::{RequestId, UserId};
use doorward_model::password::Password;
use doorward_model::random::Random;

use crate::world::World;

/// Somebody at the command line of the server.
pub struct Operator<'a>(pub(crate) &'a World);

impl Operator<'_> {
    /// The context of one command.
    pub fn op(&self) -> Op {
        let (now, random) = (self.0.now(), self.0.random());
        let request_id = RequestId::new(now, &*random as &dyn Random);
        Op { actor: Actor::Operator, now, random, request_id, address: None, user_agent: None }
    }

    /// Makes an account.
    pub async fn create_user(&self, email: &str, password: &str) -> UserId {
        self.0.canaries().add(password);
        let new = NewUser {
            email: EmailAddress::parse(email).unwrap(),
            password: Password::new(password).unwrap(),
            name: None,
            is_verified: true,
            is_admin: false,
        };
        self.0.app().create_user(&self.op(), new).await.unwrap().expect("the address has no account").id
    }

    /// The id of the account with this address.
    pub async fn find_user(&self, email: &str) -> Option<UserId> {
        let email = EmailAddress::parse(email).unwrap();
        self.0.app().find_user_by_email(&email).await.unwrap().map(|user| user.id)
    }

    /// Keeps a user out.
    pub async fn disable(&self, id: UserId) {
        assert!(self.0.app().disable_user(&self.op(), id).await.unwrap(), "{id} was disabled already");
    }

    /// Lets a user in again.
    pub async fn enable(&self, id: UserId) {
        assert!(self.0.app().enable_user(&self.op(), id).await.unwrap(), "{id} was enabled already");
    }

    /// Path and query of a new link for the first administrator; none when there is one.
    pub async fn administrator_link(&self) -> Option<String> {
        let link = self.0.app().make_administrator_link(&self.op()).await.unwrap()?;
        let path = link.strip_prefix(crate::world::PUBLIC_URL).expect("the link leads to the server");
        self.0.canaries().add(path.split_once("token=").expect("the link has a token").1);
        Some(path.to_owned())
    }
}
