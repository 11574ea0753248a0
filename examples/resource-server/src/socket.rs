//! A WebSocket that lives as long as the session of whoever opened it.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use doorward_verify::{AccessToken, Ended, Guard, Verifier};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::Shared;

/// A browser has this long to send its token.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);
/// Whoever does not read in this time what is sent, is gone: nobody who stops reading holds off the end.
const SENDING: Duration = Duration::from_secs(5);
/// The longest message; a token fits.
const MAX_MESSAGE_BYTES: usize = 16 * 1_024;

pub(crate) async fn open(
    State(shared): State<Shared>,
    token: Option<AccessToken>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| async move { serve(socket, shared.verifier, token).await })
}

async fn serve(mut socket: WebSocket, verifier: Verifier, token: Option<AccessToken>) {
    let token = match token {
        Some(token) => Some(token),
        None => match timeout(FIRST_MESSAGE, socket.recv()).await {
            Ok(Some(Ok(Message::Text(text)))) => match token_of(&text) {
                Some(text) => verifier.verify(&text).await.ok(),
                None => None,
            },
            _ => None,
        },
    };
    let Some(token) = token else { return close(socket, 4401, "no good token").await };
    let guard = verifier.guard(token);
    if say(&mut socket, &json!({"hello": guard.token().subject()})).await {
        talk(socket, guard).await;
    }
}

/// Answers every message until the connection ends, or has to.
async fn talk(mut socket: WebSocket, guard: Guard) {
    loop {
        tokio::select! {
            ended = guard.ended() => return end(socket, ended).await,
            message = socket.recv() => {
                let Some(Ok(message)) = message else { return };
                let Message::Text(text) = message else { continue };
                let answer = match token_of(&text) {
                    // A new token before the old one ends, and the connection goes on.
                    Some(token) => json!({"renewed": guard.renew(&token).await.is_ok()}),
                    None => json!({"echo": text.as_str()}),
                };
                if !say(&mut socket, &answer).await {
                    return;
                }
            }
        }
    }
}

/// A message `{"token": "…"}` presents a token.
fn token_of(text: &str) -> Option<String> {
    let message: Value = serde_json::from_str(text).ok()?;
    message.get("token")?.as_str().map(str::to_owned)
}

/// Whether it could be sent.
async fn say(socket: &mut WebSocket, message: &Value) -> bool {
    matches!(timeout(SENDING, socket.send(Message::text(message.to_string()))).await, Ok(Ok(())))
}

async fn end(socket: WebSocket, ended: Ended) {
    close(socket, ended.close_code(), ended.as_str()).await;
}

async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    // Whoever is gone already cannot be told.
    let _ = timeout(SENDING, socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() })))).await;
}
