//! The authorization endpoint: who is here, may the client have an answer, and which (RFC 6749 section 4.1, OpenID Connect
//! Core 3.1.2).

use doorward_model::id::GrantId;
use doorward_model::time::{MINUTE_MS, Timestamp};
use doorward_oidc::authorize::{self, AuthorizationRequest, AuthorizeError};
use doorward_oidc::client::Client;
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::parameters::Parameters;
use doorward_oidc::redirect_uri::{Kind, RedirectUri};
use doorward_oidc::response::{AuthorizationResponse, Destination};
use doorward_store::consents::{Consent, Generations};
use doorward_store::sessions;

use super::code::Code;
use super::consent::{Asked, ConsentAnswer, ConsentQuestion, Fresh, Needed, Standing};
use super::replays::Single;
use super::requests::Look;
use crate::App;
use crate::authentication::Principal;
use crate::failure::Failure;
use crate::op::Op;

const NO_SUCH_CLIENT: OAuthError = OAuthError::new(ErrorCode::UnauthorizedClient, "there is no such client");
const MUST_SIGN_IN: &str = "the person must sign in, and may not be asked to";
/// How long a sign-in answers a request that asked for one. The way back to the request can be walked again for longer.
const FRESH_MS: i64 = 5 * MINUTE_MS;

/// Who looks at the authorization endpoint.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// Whoever is signed in.
    pub principal: Option<Principal>,
    /// When this visitor was sent to sign in for this very request; a later sign-in answers it.
    pub sent_to_sign_in_at: Option<Timestamp>,
    /// When this person said, for this very request, that they want to go on with the account they are signed in to.
    pub chose_account_at: Option<Timestamp>,
    /// What was answered to the question about this very request.
    pub consent: Option<ConsentAnswer>,
}

/// What a client wishes the pages on the way to its answer to be like (OpenID Connect Core 3.1.2.1).
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Whom it thinks it sends.
    pub login_hint: Option<String>,
    /// The languages it wants, the best first.
    pub ui_locales: Vec<String>,
}

/// What the authorization endpoint answers.
#[derive(Debug)]
pub enum Authorization {
    /// On its way back to the client.
    Answer {
        /// A code or an error.
        response: AuthorizationResponse,
        /// The origin or scheme that it goes to.
        origin: Option<String>,
        /// Which error it tells; none with a code.
        error: Option<ErrorCode>,
    },
    /// On its way back to a client that nobody here has looked at, with an error that nobody was asked about: the visitor
    /// decides whether to go there (RFC 9700 section 4.11.2).
    Leave {
        /// The error.
        response: AuthorizationResponse,
        /// The origin or scheme that it goes to.
        origin: Option<String>,
        /// Where that is, for people.
        destination: String,
        /// Which error it is.
        error: ErrorCode,
    },
    /// The visitor signs in first, and comes back with the same request.
    SignIn {
        /// The origin or scheme that the answer will go to.
        origin: Option<String>,
    },
    /// The visitor makes an account first, and comes back with the same request.
    SignUp {
        /// The origin or scheme that the answer will go to.
        origin: Option<String>,
    },
    /// The person says whether they want to go on with the account they are signed in to, and comes back.
    ChooseAccount {
        /// Who is signed in.
        person: Principal,
        /// The origin or scheme that the answer will go to.
        origin: Option<String>,
    },
    /// The person is asked whether the client may have what it asks for, and comes back with the same request.
    Consent {
        /// What is asked.
        question: Box<ConsentQuestion>,
        /// The origin or scheme that the answer will go to.
        origin: Option<String>,
    },
    /// On a page of ours: it is not proved where an answer would go.
    Page(OAuthError),
}

/// What the parameters of a request say.
pub(super) enum Understood {
    /// A client asks, and all of it is allowed to.
    Request(Box<Understanding>),
    /// Something is wrong with it.
    Wrong(Authorization),
}

/// A request that is right in itself.
pub(super) struct Understanding {
    pub(super) client: Client,
    pub(super) request: AuthorizationRequest,
    /// What an answer uses up.
    single: Single,
    /// What the person who was looked for lets the client have.
    seen: Option<(Consent, Generations)>,
}

impl App {
    /// Decides about an authorization request.
    pub async fn authorize(
        &self,
        op: &Op,
        parameters: &Parameters,
        visitor: &Visitor,
    ) -> Result<Authorization, Failure> {
        let person = visitor.principal.as_ref().map(|principal| principal.user_id);
        let look = Look { now: op.now, first_at: visitor.sent_to_sign_in_at, person };
        let Understanding { client, request, single, seen } = match self.understand(parameters, look).await? {
            Understood::Request(asked) => *asked,
            Understood::Wrong(answer) => return Ok(answer),
        };
        let origin = origin_of(&request.destination.redirect_uri);
        // Before anybody types a password: the first RSA key is made beside the running server.
        if request.is_openid() && !self.keys.signs_with(client.metadata().id_token_algorithm) {
            let error = OAuthError::new(ErrorCode::TemporarilyUnavailable, "the key for ID tokens is being made");
            return Ok(self.refuse(&client, &request.destination, error));
        }
        match self.decide(op, &client, &request, visitor).await? {
            Decision::SignIn => Ok(Authorization::SignIn { origin }),
            Decision::SignUp => Ok(Authorization::SignUp { origin }),
            Decision::ChooseAccount(person) => Ok(Authorization::ChooseAccount { person, origin }),
            Decision::Refuse(error) => Ok(self.refuse(&client, &request.destination, error)),
            Decision::Grant(person) => {
                let answer = visitor.consent;
                let needed = Needed { client: &client, request: &request, person: &person, answer, single };
                self.grant(op, &needed, seen).await
            }
        }
    }

    /// Tells the client why it gets no code. Anybody can put a request that must fail into a link.
    fn refuse(&self, client: &Client, destination: &Destination, error: OAuthError) -> Authorization {
        let response = destination.error(error, self.issuer());
        let origin = origin_of(&destination.redirect_uri);
        if client.metadata().self_registered {
            let destination = shown_host(&destination.redirect_uri);
            return Authorization::Leave { response, origin, destination, error: error.code };
        }
        Authorization::Answer { response, origin, error: Some(error.code) }
    }

    /// What the client of a request wishes the pages on the way to be like; nothing when it is not right.
    /// `came_at` is when its visitor was sent to them.
    pub async fn wishes_of(&self, came_at: Timestamp, parameters: &Parameters) -> Result<Wishes, Failure> {
        let look = Look { now: came_at, first_at: Some(came_at), person: None };
        Ok(match self.understand(parameters, look).await? {
            Understood::Wrong(_) => Wishes::default(),
            Understood::Request(asked) => {
                let request = asked.request;
                Wishes { login_hint: request.login_hint, ui_locales: request.ui_locales }
            }
        })
    }

    /// Reads a request, and says where that is told what is wrong with it.
    pub(super) async fn understand(&self, parameters: &Parameters, look: Look) -> Result<Understood, Failure> {
        let page = |error| Ok(Understood::Wrong(Authorization::Page(error)));
        let client_id = match authorize::client_id(parameters) {
            Ok(client_id) => client_id,
            Err(error) => return page(error),
        };
        let Some((client, seen)) = self.active_client_and_consent(client_id, look.person).await? else {
            return page(NO_SUCH_CLIENT);
        };
        match self.read_request(parameters, &client, look).await? {
            Ok((request, single)) => Ok(Understood::Request(Box::new(Understanding { client, request, single, seen }))),
            Err(AuthorizeError::Page(error)) => page(error),
            Err(AuthorizeError::Redirect(error, destination)) => {
                Ok(Understood::Wrong(self.refuse(&client, &destination, error)))
            }
        }
    }

    /// Answers the client, if the person lets it have what it asks for.
    async fn grant(
        &self,
        op: &Op,
        needed: &Needed<'_>,
        seen: Option<(Consent, Generations)>,
    ) -> Result<Authorization, Failure> {
        let request = needed.request;
        let standing = needed.standing(op.now);
        let response = match standing {
            Standing::Denied => {
                // They were told who asks and where the answer goes.
                let error = OAuthError::new(ErrorCode::AccessDenied, "the person said no");
                let response = request.destination.error(error, self.issuer());
                let origin = origin_of(&request.destination.redirect_uri);
                return Ok(Authorization::Answer { response, origin, error: Some(error.code) });
            }
            Standing::Ask => None,
            Standing::Remembered | Standing::Vouched => self.issue_code(op, needed, standing, seen).await?,
        };
        let origin = origin_of(&request.destination.redirect_uri);
        Ok(match response {
            Some(response) => Authorization::Answer { response, origin, error: None },
            // Nobody is asked about it, so it was removed meanwhile.
            None if standing == Standing::Vouched => Authorization::Page(NO_SUCH_CLIENT),
            None if request.prompt.none => {
                let description = "the person must be asked, and may not be";
                let error = OAuthError::new(ErrorCode::ConsentRequired, description);
                self.refuse(needed.client, &request.destination, error)
            }
            None => {
                let question = Box::new(ConsentQuestion::new(needed.client, request, needed.person));
                Authorization::Consent { question, origin }
            }
        })
    }

    fn issuer(&self) -> &str {
        &self.keys.settings().issuer
    }

    async fn decide(
        &self,
        op: &Op,
        client: &Client,
        request: &AuthorizationRequest,
        visitor: &Visitor,
    ) -> Result<Decision, Failure> {
        let refuse = |code, description| Ok(Decision::Refuse(OAuthError::new(code, description)));
        let prompt = request.prompt;
        let sign_in = |otherwise| {
            if prompt.none { refuse(ErrorCode::LoginRequired, otherwise) } else { Ok(Decision::SignIn) }
        };
        let Some(principal) = &visitor.principal else {
            return if prompt.create { Ok(Decision::SignUp) } else { sign_in(MUST_SIGN_IN) };
        };
        let is_recent = |at: Timestamp| op.now.since_ms(at) < FRESH_MS;
        let is_fresh = visitor.sent_to_sign_in_at.is_some_and(|sent| principal.authenticated_at >= sent)
            && is_recent(principal.authenticated_at);
        let is_too_old = request.max_age.is_some_and(|age| age.is_exceeded(principal.authenticated_at, op.now));
        if prompt.create && !is_fresh {
            return Ok(Decision::SignUp);
        }
        if (prompt.login || is_too_old) && !is_fresh {
            return sign_in(MUST_SIGN_IN);
        }
        if prompt.select_account && !is_fresh && !visitor.chose_account_at.is_some_and(is_recent) {
            return Ok(Decision::ChooseAccount(principal.clone()));
        }
        if let Some(wanted) = self.wanted_person(request, op)
            && wanted != self.subject_for(client, principal.user_id)
        {
            let otherwise = "somebody else is signed in";
            // Signing in as somebody else would help, once.
            return if is_fresh { refuse(ErrorCode::LoginRequired, otherwise) } else { sign_in(otherwise) };
        }
        let essential = request.claims.essential_acr_values();
        if !essential.is_empty() {
            let id = principal.session_id;
            let session = self.store.read(move |tx| sessions::find(tx, id)).await?;
            if session.is_none_or(|session| !essential.contains(&session.acr)) {
                let code = ErrorCode::UnmetAuthenticationRequirements;
                return refuse(code, "the authentication asked for cannot be had");
            }
        }
        Ok(Decision::Grant(principal.clone()))
    }

    /// The person who must be signed in, if the request names one. A hint that we have not signed names nobody we know.
    fn wanted_person(&self, request: &AuthorizationRequest, op: &Op) -> Option<String> {
        if let Some(hint) = &request.id_token_hint {
            return Some(self.subject_of_hint(hint.reveal(), op.now).unwrap_or_default());
        }
        request.claims.subject().map(str::to_owned)
    }

    /// A code, unless the person has not consented to what is asked for.
    async fn issue_code(
        &self,
        op: &Op,
        needed: &Needed<'_>,
        standing: Standing,
        seen: Option<(Consent, Generations)>,
    ) -> Result<Option<AuthorizationResponse>, Failure> {
        let Needed { client, request, person, single, .. } = needed;
        let asked = Asked {
            user_id: person.user_id,
            client: (*client).clone(),
            scope: request.scope.clone(),
            resources: request.resources.clone(),
        };
        let known = asked.allowed_by(seen, standing)?.filter(|_| matches!(single, Single::Repeatable));
        let issue = match known {
            Some(generations) => Issue::Allowed(generations),
            None => self.take_up(op, asked, standing, *single).await?,
        };
        let generations = match issue {
            Issue::Allowed(generations) => generations,
            Issue::NotAllowed => return Ok(None),
            Issue::UsedBefore => {
                return Ok(Some(request.destination.error(single.used_before(), self.issuer())));
            }
        };
        let grant_id = GrantId::new(op.now, op.random.as_ref());
        let code = Code::new(request, client.id().as_str(), generations, person.session_id, grant_id, op.now);
        let Some(text) = self.seal_code(op, &code)? else {
            let error = OAuthError::invalid_request("the answer would not fit into an address");
            return Ok(Some(request.destination.error(error, self.issuer())));
        };
        Ok(Some(request.destination.code(&text, self.issuer())))
    }

    /// Whether there may be a code, where something is noted for the first time or used up.
    async fn take_up(&self, op: &Op, asked: Asked, standing: Standing, single: Single) -> Result<Issue, Failure> {
        if standing != Standing::Vouched && matches!(single, Single::Repeatable) {
            return Ok(Issue::NotAllowed);
        }
        let fresh = Fresh::new(op);
        self.change(move |change| {
            change.quietly();
            let Some(generations) = asked.take_up(change.tx, standing, fresh)? else { return Ok(Issue::NotAllowed) };
            if single.take(change.tx, fresh.now)? { Ok(Issue::Allowed(generations)) } else { Ok(Issue::UsedBefore) }
        })
        .await
    }
}

/// Whether there is a code.
enum Issue {
    /// There may be one, as long as these live.
    Allowed(Generations),
    /// The person has not consented.
    NotAllowed,
    /// The request has had its answer.
    UsedBefore,
}

/// What comes of a request that is right in itself.
enum Decision {
    SignIn,
    SignUp,
    ChooseAccount(Principal),
    Refuse(OAuthError),
    /// Who they are is settled.
    Grant(Principal),
}

/// Where a redirect URI leads, for people.
pub(super) fn shown_host(redirect_uri: &str) -> String {
    RedirectUri::parse(redirect_uri).map(|uri| uri.shown_host().to_owned()).unwrap_or_default()
}

/// The origin of a redirect URI, or its scheme and a colon where an application on a device owns that: either may stand in
/// a Content-Security-Policy.
pub(super) fn origin_of(redirect_uri: &str) -> Option<String> {
    let uri = RedirectUri::parse(redirect_uri).ok()?;
    match uri.kind() {
        Kind::Web | Kind::Loopback { .. } => uri.origin(),
        Kind::Application => Some(format!("{}:", uri.shown_host())),
    }
}
