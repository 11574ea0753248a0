//! Everybody's mailbox: what the delivery worker hands over.

use std::sync::Mutex;

use doorward_app::delivery::{Courier, DeliveryError, HandingOver, LogoutMessage};
use doorward_app::mail::Mail;
use doorward_model::id::DeliveryId;
use doorward_model::time::Timestamp;

/// A mail as its reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The one recipient.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain-text part.
    pub text: String,
}

impl Letter {
    /// The six-digit code.
    pub fn code(&self) -> String {
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
        self.text.split_whitespace().find(is_code).unwrap_or_else(|| panic!("no code in {}", self.text)).to_owned()
    }

    /// Whether there is a code.
    pub fn has_code(&self) -> bool {
        self.text.split_whitespace().any(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The first link: path and query.
    pub fn link(&self) -> String {
        let mut lines = self.text.lines().map(str::trim);
        let link = lines.find_map(|line| line.strip_prefix(crate::world::PUBLIC_URL));
        link.unwrap_or_else(|| panic!("no link in {}", self.text)).to_owned()
    }

    /// The token of the link.
    pub fn token(&self) -> String {
        let link = self.link();
        link.split_once("token=").unwrap_or_else(|| panic!("no token in {link}")).1.to_owned()
    }
}

/// A message to an application that a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Stable over attempts.
    pub id: String,
    /// Where it went.
    pub address: String,
    /// The logout token.
    pub token: String,
}

/// A courier that keeps what it is given.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(Mutex<Vec<Letter>>, Mutex<Announced>);

/// What applications heard, and how often they will not listen yet.
#[derive(Debug, Default)]
struct Announced {
    heard: Vec<Announcement>,
    deaf: usize,
}

impl Announced {
    /// Nobody takes what is handed over, so many times.
    fn no_answer(&mut self) -> Option<DeliveryError> {
        self.deaf = self.deaf.checked_sub(1)?;
        Some(DeliveryError { is_permanent: false, reason: "nobody listens".to_owned() })
    }
}

impl Mailbox {
    /// Everything delivered so far.
    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.0.lock().unwrap().clone()
    }

    /// Everything that applications were told so far.
    pub(crate) fn announcements(&self) -> Vec<Announcement> {
        self.1.lock().unwrap().heard.clone()
    }

    /// The next `times` messages and mails find nobody who takes them.
    pub(crate) fn be_deaf(&self, times: usize) {
        self.1.lock().unwrap().deaf = times;
    }
}

impl Courier for Mailbox {
    fn deliver<'a>(&'a self, _: DeliveryId, _: Timestamp, mail: &'a Mail) -> HandingOver<'a> {
        if let Some(error) = self.1.lock().unwrap().no_answer() {
            return Box::pin(async { Err(error) });
        }
        let letter = Letter {
            to: mail.to.as_str().to_owned(),
            subject: mail.subject.as_str().to_owned(),
            text: mail.text.clone(),
        };
        self.0.lock().unwrap().push(letter);
        Box::pin(async { Ok(()) })
    }

    fn announce<'a>(&'a self, id: DeliveryId, message: &'a LogoutMessage) -> HandingOver<'a> {
        let mut announced = self.1.lock().unwrap();
        if let Some(error) = announced.no_answer() {
            return Box::pin(async { Err(error) });
        }
        let (id, address, token) = (id.to_string(), message.address.clone(), message.token.reveal().to_owned());
        announced.heard.push(Announcement { id, address, token });
        Box::pin(async { Ok(()) })
    }
}
