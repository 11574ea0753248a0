//! Notes, each of whoever wrote it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorward_verify::AccessToken;
use serde::{Deserialize, Serialize};

use crate::Shared;

/// The oldest go first.
const MAX_NOTES: usize = 1_000;
const MAX_TEXT_BYTES: usize = 4_096;

/// A note.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Note {
    #[serde(skip)]
    owner: (String, String),
    text: String,
}

/// What somebody wants to be noted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNote {
    text: String,
}

/// All of them, for as long as the service runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Arc<Mutex<VecDeque<Note>>>);

impl Notes {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Note>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }
}

/// The same subject of two issuers is two people.
fn owner(token: &AccessToken) -> (String, String) {
    (token.issuer().to_owned(), token.subject().unwrap_or_default().to_owned())
}

pub(crate) async fn list(State(shared): State<Shared>, token: AccessToken) -> Json<Vec<Note>> {
    let owner = owner(&token);
    Json(shared.notes.lock().iter().filter(|note| note.owner == owner).cloned().collect())
}

pub(crate) async fn add(
    State(shared): State<Shared>,
    token: AccessToken,
    Json(new): Json<NewNote>,
) -> Result<(StatusCode, Json<Note>), StatusCode> {
    if new.text.is_empty() || new.text.len() > MAX_TEXT_BYTES {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let note = Note { owner: owner(&token), text: new.text };
    let mut notes = shared.notes.lock();
    if notes.len() == MAX_NOTES {
        notes.pop_front();
    }
    notes.push_back(note.clone());
    Ok((StatusCode::CREATED, Json(note)))
}
