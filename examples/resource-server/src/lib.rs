//! An axum service that takes access tokens: `GET /whoami`, `GET /admin`, `GET` and `POST /notes`, `GET /ws`.

mod notes;
mod socket;

/// The program of the manual compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/resource-servers.md")]
struct Manual;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use doorward_verify::{AccessToken, Requirement, Verifier};

use crate::notes::Notes;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) verifier: Verifier,
    pub(crate) notes: Notes,
}

/// The service. Every route but `/ws` is refused without a good token; `/ws` also takes it as its first message, since
/// browsers cannot send headers with a WebSocket.
pub fn service(verifier: Verifier) -> Router {
    let for_admins = Requirement::role("admin").layer();
    let to_read = Requirement::scope("notes:read").layer();
    let to_write = Requirement::scope("notes:write").layer();
    let protected = Router::new()
        .route("/whoami", get(whoami))
        .route("/admin", get(admin).layer(for_admins))
        .route("/notes", get(notes::list).layer(to_read).merge(axum::routing::post(notes::add).layer(to_write)))
        .layer(verifier.layer());
    let sockets = Router::new().route("/ws", get(socket::open)).layer(verifier.layer_for_some());
    protected.merge(sockets).with_state(Shared { verifier, notes: Notes::default() })
}

async fn whoami(token: AccessToken) -> Json<AccessToken> {
    Json(token)
}

async fn admin(State(shared): State<Shared>, token: AccessToken) -> String {
    format!("{} may see that there are {} notes\n", token.subject().unwrap_or("somebody"), shared.notes.count())
}
