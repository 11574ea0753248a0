//! Signing in on a device without a browser, by a code that a person types on another one (RFC 8628).

use doorward_model::secret::{PlainToken, SecretText, TokenKind};
use doorward_model::time::SECOND_MS;
use doorward_oidc::device::{DeviceAuthorization, INTERVAL_SECONDS, LIFETIME_MS, UserCode};
use doorward_oidc::resource::Resource;
use doorward_store::device_requests::{self, DeviceDecision, DeviceRequest};
use serde_json::json;

use super::consent::{Asked, ConsentQuestion, Fresh};
use super::tokens::still_registered;
use super::{ClientRequest, TokenRefusal, paths};
use crate::App;
use crate::authentication::Principal;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::op::Op;

/// So often another code is drawn when one is taken.
const DRAWS: u32 = 5;

/// What a device gets, to show it to a person.
pub struct DeviceStart {
    /// What it asks for tokens with.
    pub device_code: SecretText,
    /// What the person types.
    pub user_code: String,
    /// Where they type it.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: String,
    /// How long both codes live, in seconds.
    pub expires_in: i64,
    /// How long it waits between two questions, in seconds.
    pub interval: u32,
}

/// What a person is asked about a device.
#[derive(Clone, Debug)]
pub struct DeviceQuestion {
    /// Who asks, what for, and who is asked.
    pub consent: ConsentQuestion,
    /// The code, as the device shows it.
    pub user_code: String,
    /// Where the device is.
    pub address: Option<String>,
}

impl App {
    /// Begins a request of a client that has proved who it is, or says so if it is public.
    pub async fn begin_device(&self, op: &Op, request: &ClientRequest) -> Result<DeviceStart, TokenRefusal> {
        let client = self.authenticate_client(op, request).await?;
        let asked = DeviceAuthorization::read(&request.parameters, &client)?;
        let code = PlainToken::new(TokenKind::DeviceCode, op.random.as_ref());
        let resources: Vec<&str> = asked.resources.iter().map(Resource::as_str).collect();
        let row = DeviceRequest {
            code_hash: code.hash(),
            client_id: client.id().to_string(),
            scope: asked.scope.to_string(),
            resources: json!(resources).to_string(),
            address: op.address.map(|address| address.to_string()),
            user_agent: op.user_agent.clone(),
            decision: DeviceDecision::Pending,
            session_id: None,
            interval_seconds: INTERVAL_SECONDS.into(),
            polled_at: None,
            created_at: op.now,
            expires_at: op.now.plus_ms(LIFETIME_MS),
        };
        for _ in 0..DRAWS {
            let user_code = UserCode::new(op.random.as_ref());
            let (hash, row) = (self.user_code_hash(&user_code), row.clone());
            let write = self.store.write(move |tx| device_requests::insert(tx, &hash, &row));
            if write.await.map_err(Failure::from)? {
                let page = format!("{}{}", self.settings.public_url, paths::DEVICE);
                return Ok(DeviceStart {
                    device_code: SecretText::new(code.reveal().as_str().to_owned()),
                    user_code: user_code.to_string(),
                    verification_uri_complete: format!("{page}?user_code={user_code}"),
                    verification_uri: page,
                    expires_in: LIFETIME_MS / SECOND_MS,
                    interval: INTERVAL_SECONDS,
                });
            }
        }
        Err(Failure::internal("drawing a code", "every code that was drawn is taken").into())
    }

    /// The question behind a code that somebody typed; none when there is no such code, or it is over or decided.
    pub async fn find_device(
        &self,
        op: &Op,
        user_code: &str,
        person: &Principal,
    ) -> Result<Option<DeviceQuestion>, Failure> {
        let found = self.open_device(op, user_code, person).await?;
        Ok(found.map(|(_, question)| question))
    }

    /// Writes down what the person says. None when the question is not the one they saw, which `seen` is the fingerprint
    /// of, or somebody has answered it: then nothing is written.
    pub async fn answer_device(
        &self,
        op: &Op,
        user_code: &str,
        person: &Principal,
        seen: &str,
        allows: bool,
    ) -> Result<Option<()>, Failure> {
        let Some((row, question)) = self.open_device(op, user_code, person).await? else { return Ok(None) };
        let ConsentQuestion { client, scope, resources, .. } = &question.consent;
        if question.consent.fingerprint() != seen {
            return Ok(None);
        }
        let asked = Asked {
            user_id: person.user_id,
            client: client.clone(),
            scope: scope.clone(),
            resources: resources.clone(),
        };
        let (action, decision) = if allows {
            (Action::ConsentGiven, DeviceDecision::Approved)
        } else {
            (Action::ConsentDenied, DeviceDecision::Denied)
        };
        let event = EventDraft::new(op, action)
            .subject(client.id())
            .data([("scope", scope.to_string().into()), ("device", true.into())]);
        let event = if allows { event } else { event.refused() };
        let (fresh, session) = (Fresh::new(op), allows.then_some(person.session_id));
        let is_first = self
            .change(move |change| {
                if !device_requests::decide(change.tx, &row, decision, session)? {
                    change.quietly();
                    return Ok(false);
                }
                if allows && !asked.note(change.tx, Some(fresh.now), fresh)? {
                    change.quietly();
                    return Ok(false);
                }
                change.record(&event)?;
                Ok(true)
            })
            .await?;
        Ok(is_first.then_some(()))
    }

    async fn open_device(
        &self,
        op: &Op,
        user_code: &str,
        person: &Principal,
    ) -> Result<Option<(DeviceRequest, DeviceQuestion)>, Failure> {
        let Some(code) = UserCode::parse(user_code) else { return Ok(None) };
        let hash = self.user_code_hash(&code);
        let row = self.store.read(move |tx| device_requests::find_by_user_code(tx, &hash)).await?;
        let is_open = |row: &DeviceRequest| row.decision == DeviceDecision::Pending && op.now < row.expires_at;
        let Some(row) = row.filter(is_open) else { return Ok(None) };
        let Some(client) = self.active_client(&row.client_id).await? else { return Ok(None) };
        let Some((scope, resources)) = still_registered(&client, &row.scope, &row.resources)? else { return Ok(None) };
        // What the person is shown is what they decide about.
        let names: Vec<&str> = resources.iter().map(Resource::as_str).collect();
        let row = DeviceRequest { scope: scope.to_string(), resources: json!(names).to_string(), ..row };
        let (address, destination) = (row.address.clone(), code.to_string());
        let consent = ConsentQuestion { scope, resources, client, destination, person: person.clone() };
        Ok(Some((row, DeviceQuestion { consent, user_code: code.to_string(), address })))
    }

    /// Codes are short: whoever reads the table must not be able to try them all.
    fn user_code_hash(&self, code: &UserCode) -> [u8; 32] {
        self.keys.derive("device user code", &[code.letters().as_bytes()])
    }
}
