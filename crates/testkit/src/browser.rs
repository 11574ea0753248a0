//! A person with a browser: cookies, forms, redirects, and the headers that browsers add.

use std::collections::BTreeMap;

use http::{Method, header};
use serde_json::Value;

use crate::answer::Answer;
use crate::html::{self, Form};
use crate::world::{PUBLIC_URL, Request, World};

/// Pages lead to pages, but not for ever.
const MOST_REDIRECTS: usize = 5;

/// A person with a browser. A clone has the same cookies.
#[derive(Clone)]
pub struct Browser {
    world: World,
    address: String,
    /// Its cookies by name.
    pub jar: BTreeMap<String, String>,
    /// The page it shows.
    pub page: Option<Answer>,
    /// Path and query of that page.
    pub location: String,
    /// Addresses of applications that it may be led away to; it stops there, with the redirect as its page.
    pub applications: Vec<String>,
}

impl Browser {
    pub(crate) fn new(world: &World, address: &str) -> Self {
        let (jar, location) = (BTreeMap::new(), String::new());
        Self { world: world.clone(), address: address.to_owned(), jar, page: None, location, applications: Vec::new() }
    }

    /// Opens an address as typed or from a mail, and follows redirects.
    pub async fn open(&mut self, path: &str) -> Answer {
        let request = self.navigation(Method::GET, path, "none");
        self.go(request, path).await
    }

    /// Fills in the form that goes to `action` on the page it shows, sends it and follows redirects.
    pub async fn submit(&mut self, action: &str, typed: &[(&str, &str)]) -> Answer {
        let mut fields = self.form(action, typed).fields;
        for (name, value) in typed {
            fields.retain(|(present, _)| present != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        self.send_form(action, &fields).await
    }

    /// The form that goes to `action` on the page it shows and has all the fields of `typed`.
    fn form(&self, action: &str, typed: &[(&str, &str)]) -> Form {
        let page = self.page.as_ref().expect("it shows a page");
        let forms = html::forms(page.text());
        let has = |form: &Form, name: &str| form.names.iter().any(|known| known == name);
        let found = forms.iter().find(|form| form.action == action && typed.iter().all(|(name, _)| has(form, name)));
        found.unwrap_or_else(|| panic!("no form to {action} on {}: {forms:?}", self.location)).clone()
    }

    /// Whether the page it shows has a form that goes to `action`.
    pub fn has_form(&self, action: &str) -> bool {
        let page = self.page.as_ref().expect("it shows a page");
        html::forms(page.text()).iter().any(|form| form.action == action)
    }

    /// Sends a form of any content from the page it shows.
    pub async fn send_form(&mut self, action: &str, fields: &[(String, String)]) -> Answer {
        self.world.canaries().add_form(fields);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .navigation(Method::POST, action, "same-origin")
            .header(header::ORIGIN, PUBLIC_URL)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        self.go(request, action).await
    }

    /// Calls the API from a script of our own page.
    pub async fn fetch(&mut self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = Request::new(method.clone(), path, &self.address)
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "cors")
            .header("sec-fetch-dest", "empty");
        if method != Method::GET {
            request = request.header(header::ORIGIN, PUBLIC_URL);
            let needs_token = self.jar.contains_key("__Host-doorward") && path != "/api/v1/login";
            if needs_token && let Some(token) = self.csrf_token().await {
                request = request.header("x-csrf-token", &token);
            }
        }
        if let Some(body) = body {
            self.world.canaries().add_json(body);
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        self.send(request).await
    }

    /// The token for unsafe calls; none when it is not signed in.
    pub async fn csrf_token(&mut self) -> Option<String> {
        let request = Request::new(Method::GET, "/api/v1/csrf", &self.address)
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "cors");
        let answer = self.send(request).await;
        answer.status.is_success().then(|| answer.string("csrf_token"))
    }

    /// Signs in on the page.
    pub async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.open("/login").await.expect(200);
        self.submit("/login", &[("email", email), ("password", password)]).await
    }

    /// The value of the session cookie.
    pub fn session_cookie(&self) -> Option<&str> {
        self.jar.get("__Host-doorward").map(String::as_str)
    }

    fn navigation(&self, method: Method, path: &str, site: &str) -> Request {
        Request::new(method, path, &self.address)
            .header("sec-fetch-site", site)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header(header::ACCEPT, "text/html,application/xhtml+xml")
            .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
    }

    async fn go(&mut self, request: Request, path: &str) -> Answer {
        let mut answer = self.send(request).await;
        path.clone_into(&mut self.location);
        for _ in 0..MOST_REDIRECTS {
            if !answer.status.is_redirection() {
                break;
            }
            let location = answer.header(header::LOCATION).expect("a redirect leads somewhere").to_owned();
            if self.applications.iter().any(|uri| location.starts_with(uri.as_str())) {
                break;
            }
            assert!(location.starts_with('/') && !location.starts_with("//"), "leads away: {location}");
            answer = self.send(self.navigation(Method::GET, &location, "same-origin")).await;
            self.location = location;
        }
        self.page = Some(answer.clone());
        answer
    }

    async fn send(&mut self, mut request: Request) -> Answer {
        if !self.jar.is_empty() {
            let pairs: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, &pairs.join("; "));
        }
        let answer = self.world.send(request).await;
        for (name, value) in answer.cookies() {
            // The common check has seen that attributes are right; an empty value comes with Max-Age=0.
            if value.is_empty() {
                self.jar.remove(&name);
            } else {
                self.jar.insert(name, value);
            }
        }
        answer
    }
}
