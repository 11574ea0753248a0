//! Whether a person lets a client have what it asks for: asked once for each scope and service, and remembered.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::id::UserId;
use doorward_model::random;
use doorward_model::secret::TokenHash;
use doorward_model::time::{MINUTE_MS, Timestamp};
use doorward_oidc::authorize::AuthorizationRequest;
use doorward_oidc::client::{self, Client};
use doorward_oidc::parameters::Parameters;
use doorward_oidc::resource::Resource;
use doorward_oidc::scope::Scope;
use doorward_store::consents::{self, Consent, Generations};
use doorward_store::{Tx, clients};

use super::authorization::{Understanding, Understood, shown_host};
use super::replays::Single;
use super::requests::Look;
use crate::App;
use crate::authentication::Principal;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::op::Op;

/// How long an answer stands for the request it was given to. After that the same address asks again.
const FRESH_MS: i64 = 5 * MINUTE_MS;

/// What a person said when they were asked about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentAnswer {
    /// Who was asked.
    pub by: UserId,
    /// When they answered.
    pub at: Timestamp,
    /// What they said.
    pub allows: bool,
}

/// The question that somebody answers.
#[derive(Clone, Copy, Debug)]
pub struct SeenQuestion<'a> {
    /// [`ConsentQuestion::fingerprint`] of what they were shown.
    pub fingerprint: &'a str,
    /// When they came with the request.
    pub came_at: Timestamp,
}

/// What a person is asked.
#[derive(Clone, Debug)]
pub struct ConsentQuestion {
    /// Who asks.
    pub client: Client,
    /// What for.
    pub scope: Scope,
    /// The services it wants to use in the person's name.
    pub resources: Vec<Resource>,
    /// Where the answer goes: a host, or the scheme of an application on a device.
    pub destination: String,
    /// Who is asked.
    pub person: Principal,
}

/// What a request needs of a person's consent before there is an answer.
pub(super) struct Needed<'a> {
    pub(super) client: &'a Client,
    pub(super) request: &'a AuthorizationRequest,
    pub(super) person: &'a Principal,
    pub(super) answer: Option<ConsentAnswer>,
    /// What the answer uses up.
    pub(super) single: Single,
}

/// What of a person's consent is known without looking it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The person must be asked, whatever they said at other times.
    Ask,
    /// The person has just said no.
    Denied,
    /// Good if it is remembered.
    Remembered,
    /// The operator vouches for the client.
    Vouched,
}

impl Needed<'_> {
    pub(super) fn standing(&self, now: Timestamp) -> Standing {
        let is_current =
            |answer: &ConsentAnswer| answer.by == self.person.user_id && now.since_ms(answer.at) < FRESH_MS;
        match self.answer.filter(is_current) {
            Some(answer) if !answer.allows => return Standing::Denied,
            None if self.request.prompt.consent || !self.is_remembered() => return Standing::Ask,
            Some(_) | None => {}
        }
        match self.client.metadata().consent {
            client::Consent::Skip => Standing::Vouched,
            client::Consent::Ask => Standing::Remembered,
        }
    }

    /// RFC 8252 section 8.6: another application on the device can pretend to be a public one that is reached there, and
    /// only the person can notice.
    fn is_remembered(&self) -> bool {
        !self.client.is_public() || self.request.destination.redirect_uri.starts_with("https://")
    }
}

impl ConsentQuestion {
    pub(super) fn new(client: &Client, request: &AuthorizationRequest, person: &Principal) -> Self {
        Self {
            client: client.clone(),
            scope: request.scope.clone(),
            resources: request.resources.clone(),
            destination: shown_host(&request.destination.redirect_uri),
            person: person.clone(),
        }
    }

    /// Names exactly this question, to this person in this session: an answer to another one does not fit it.
    pub fn fingerprint(&self) -> String {
        let Principal { user_id, session_id, .. } = &self.person;
        let all = serde_json::json!([
            user_id,
            session_id,
            self.client.id(),
            self.client.name(),
            self.scope,
            self.resources,
            self.destination
        ]);
        let hash = TokenHash::of(all.to_string().as_bytes());
        URL_SAFE_NO_PAD.encode(&hash.as_bytes()[..16])
    }
}

impl App {
    /// Writes down what the caller answers to the question about this request. None when that question is not the one
    /// they saw: then nothing is written.
    pub async fn answer_consent(
        &self,
        op: &Op,
        parameters: &Parameters,
        person: &Principal,
        seen: SeenQuestion<'_>,
        allows: bool,
    ) -> Result<Option<ConsentAnswer>, Failure> {
        let look = Look { now: op.now, first_at: Some(seen.came_at), person: None };
        let Understood::Request(asked) = self.understand(parameters, look).await? else { return Ok(None) };
        let Understanding { client, request, .. } = *asked;
        if ConsentQuestion::new(&client, &request, person).fingerprint() != seen.fingerprint {
            return Ok(None);
        }
        let asked = Asked { user_id: person.user_id, client, scope: request.scope, resources: request.resources };
        let fresh = Fresh::new(op);
        let action = if allows { Action::ConsentGiven } else { Action::ConsentDenied };
        let event =
            EventDraft::new(op, action).subject(asked.client.id()).data([("scope", asked.scope.to_string().into())]);
        let event = if allows { event } else { event.refused() };
        let is_noted = self
            .change(move |change| {
                if allows && !asked.note(change.tx, Some(fresh.now), fresh)? {
                    change.quietly();
                    return Ok(false);
                }
                change.record(&event)?;
                Ok(true)
            })
            .await?;
        Ok(is_noted.then_some(ConsentAnswer { by: person.user_id, at: op.now, allows }))
    }
}

/// What a request asks for, as the transaction needs it.
pub(super) struct Asked {
    pub(super) user_id: UserId,
    pub(super) client: Client,
    pub(super) scope: Scope,
    pub(super) resources: Vec<Resource>,
}

/// What the row of a consent needs that is made now, drawn before the transaction because that may run twice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh {
    pub(super) now: Timestamp,
    /// Random, so that a consent that was taken back is never mistaken for the one that is given again.
    generation: i64,
}

impl Fresh {
    pub(super) fn new(op: &Op) -> Self {
        Self { now: op.now, generation: i64::from_be_bytes(random::bytes(op.random.as_ref())) }
    }
}

impl Asked {
    /// What a code hangs on that this consent allows; none when it does not allow what is asked for.
    pub(super) fn allowed_by(
        &self,
        seen: Option<(Consent, Generations)>,
        standing: Standing,
    ) -> Result<Option<Generations>, Failure> {
        let Some((consent, generations)) = seen else { return Ok(None) };
        let is_given = standing == Standing::Vouched || consent.granted_at.is_some();
        Ok((is_given && self.is_within(&consent)?).then_some(generations))
    }

    /// What a code hangs on; none when the person has not given their consent. It is looked at again when the code is used.
    pub(super) fn take_up(
        &self,
        tx: &mut Tx<'_>,
        standing: Standing,
        fresh: Fresh,
    ) -> Result<Option<Generations>, Failure> {
        let find = |tx: &mut Tx<'_>| consents::find(tx, self.user_id, self.client.id().as_str());
        let allowed = self.allowed_by(find(tx)?, standing)?;
        if allowed.is_some() || standing != Standing::Vouched {
            return Ok(allowed);
        }
        // What is noted for a client that nobody is asked about is no consent, should that change.
        if !self.note(tx, None, fresh)? {
            return Ok(None);
        }
        Ok(find(tx)?.map(|(_, generations)| generations))
    }

    /// Adds what is asked for to what was allowed before; false, and nothing is written, when the client was removed
    /// meanwhile.
    pub(super) fn note(&self, tx: &mut Tx<'_>, granted_at: Option<Timestamp>, fresh: Fresh) -> Result<bool, Failure> {
        let Fresh { now, generation } = fresh;
        if !clients::hold_registered(tx, self.client.id().as_str())? {
            return Ok(false);
        }
        let held = consents::lock(tx, self.user_id, self.client.id().as_str(), now, generation)?;
        // What the client may not ask for any more goes: a row does not grow for ever.
        let registered = self.client.metadata();
        let scope = read_scope(&held).intersection(&registered.scopes).union(&self.scope);
        let mut resources = read_resources(&held)?;
        resources.retain(|one| registered.resources.iter().any(|known| known.as_str() == one));
        for one in &self.resources {
            if !resources.iter().any(|known| known == one.as_str()) {
                resources.push(one.as_str().to_owned());
            }
        }
        let (scope, resources) = (scope.to_string(), serde_json::json!(resources).to_string());
        consents::update(tx, &Consent { scope, resources, granted_at, last_used_at: now, ..held })?;
        Ok(true)
    }

    fn is_within(&self, seen: &Consent) -> Result<bool, Failure> {
        let resources = read_resources(seen)?;
        let are_known = self.resources.iter().all(|one| resources.iter().any(|known| known == one.as_str()));
        Ok(are_known && self.scope.is_within(&read_scope(seen)))
    }
}

/// What a row allows to ask for; nothing, for one that has just been made.
pub(crate) fn read_scope(row: &Consent) -> Scope {
    Scope::parse(&row.scope).unwrap_or_default()
}

/// The services of a row.
pub(crate) fn read_resources(row: &Consent) -> Result<Vec<String>, Failure> {
    serde_json::from_str(&row.resources).map_err(|error| Failure::internal("reading a consent", error))
}
