//! What the edge needs from the application: time, randomness, and whom a credential belongs to.

use std::future::Future;
use std::sync::Arc;

use doorward_app::authentication::{AuthenticationError, Principal};
use doorward_app::op::Op;
use doorward_model::random::Random;
use doorward_model::secret::PlainToken;
use doorward_model::time::Clock;

/// The application as the edge sees it; also the state that handlers take as `State<G>`.
pub trait Gateway: Clone + Send + Sync + 'static {
    /// Where the time of each request comes from.
    fn clock(&self) -> &dyn Clock;

    /// Where request ids, nonces and handlers' secrets come from.
    fn random(&self) -> Arc<dyn Random>;

    /// Whom a session cookie belongs to. `op` acts as nobody.
    fn authenticate_cookie(
        &self,
        op: &Op,
        cookie: PlainToken,
    ) -> impl Future<Output = Result<Principal, AuthenticationError>> + Send;

    /// Whom an access token belongs to. `op` acts as nobody; `token` is unchecked text of visible ASCII.
    fn authenticate_bearer(
        &self,
        op: &Op,
        token: &str,
    ) -> impl Future<Output = Result<Principal, AuthenticationError>> + Send;

    /// Whether scripts of `origin`, unchecked text of visible ASCII, call for a registered client. When it cannot be found
    /// out they do not.
    fn is_client_origin(&self, origin: &str) -> impl Future<Output = bool> + Send;
}
