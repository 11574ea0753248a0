//! The application as the edge and the handlers hold it.

use std::ops::Deref;
use std::sync::Arc;

use doorward_app::App;
use doorward_app::authentication::{AuthenticationError, Principal};
use doorward_app::op::Op;
use doorward_model::random::Random;
use doorward_model::secret::PlainToken;
use doorward_model::time::Clock;

use crate::gateway::Gateway;

/// The application with its clock and its randomness: the state of every handler. Clones share one state.
#[derive(Clone)]
pub struct Site(Arc<Parts>);

/// What a [`Site`] is made of.
pub struct Parts {
    /// The use cases.
    pub app: App,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Site {
    /// Puts them together.
    pub fn new(app: App, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self(Arc::new(Parts { app, clock, random }))
    }
}

impl Deref for Site {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Gateway for Site {
    fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    fn random(&self) -> Arc<dyn Random> {
        Arc::clone(&self.random)
    }

    async fn authenticate_cookie(&self, op: &Op, cookie: PlainToken) -> Result<Principal, AuthenticationError> {
        self.app.authenticate_cookie(op, &cookie).await
    }

    async fn authenticate_bearer(&self, op: &Op, token: &str) -> Result<Principal, AuthenticationError> {
        self.app.authenticate_bearer(op, token).await
    }

    async fn is_client_origin(&self, origin: &str) -> bool {
        let known = self.app.is_client_origin(origin).await;
        known.unwrap_or_else(|error| {
            tracing::warn!(%error, "origins of clients cannot be looked up");
            false
        })
    }
}
