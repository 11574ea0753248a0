//! What each mail says: who it is from, what happened, when and where, one button, and what to do if it was
//! somebody else.

use super::content::{Block, Content};
use super::{Incident, Letter, Recipient};
use crate::text::{self, Argument, Texts};

/// The letter in the recipient's language.
pub(super) fn write(letter: &Letter, texts: &Texts, recipient: &Recipient<'_>) -> Content {
    let words = Words { texts, recipient, device: device(letter).map(|label| texts.device(label)) };
    let frame = Frame::of(letter);
    let locale = texts.locale();
    let greeting = recipient.name.filter(|_| goes_to_owner(letter)).map_or_else(
        || words.say("mail-greeting-nameless"),
        |name| texts.say_with("mail-greeting", &[("name", name.into())]).into_owned(),
    );
    Content {
        language: locale.as_str(),
        direction: text::direction(locale),
        site: recipient.site.to_owned(),
        subject: words.say(frame.subject),
        title: words.say(frame.title),
        greeting,
        blocks: words.blocks(letter),
        link_hint: words.say("mail-link-hint"),
        not_you_heading: words.say("mail-not-you-heading"),
        not_you: words.say(frame.not_you),
        footer: words.say("mail-footer"),
    }
}

/// Whether the address is known to belong to the account. A name that a stranger typed in at sign-up must not reach
/// somebody else's mailbox in our words: it could hold an advertisement or a lure.
const fn goes_to_owner(letter: &Letter) -> bool {
    !matches!(letter, Letter::Verification { .. } | Letter::AlreadyRegistered { .. })
}

/// The ids of the texts that frame a mail.
struct Frame {
    subject: &'static str,
    title: &'static str,
    not_you: &'static str,
}

impl Frame {
    const fn of(letter: &Letter) -> Self {
        let (subject, title, not_you) = match letter {
            Letter::Verification { .. } => {
                ("mail-verification-subject", "mail-verification-title", "mail-verification-not-you")
            }
            Letter::AlreadyRegistered { .. } => ("mail-known-subject", "mail-known-title", "mail-known-not-you"),
            Letter::PasswordReset { .. } => ("mail-reset-subject", "mail-reset-title", "mail-reset-not-you"),
            Letter::PasswordChanged { .. } => {
                ("mail-password-changed-subject", "mail-password-changed-title", "mail-password-not-you")
            }
            Letter::PasswordWasReset { .. } => {
                ("mail-password-reset-done-subject", "mail-password-reset-done-title", "mail-password-not-you")
            }
            Letter::NewDevice { .. } => ("mail-new-device-subject", "mail-new-device-title", "mail-new-device-not-you"),
            Letter::TokenReused { .. } => ("mail-reuse-subject", "mail-reuse-title", "mail-reuse-not-you"),
            Letter::PasswordSwitchedOff { .. } => {
                ("mail-switched-off-subject", "mail-switched-off-title", "mail-switched-off-not-you")
            }
        };
        Self { subject, title, not_you }
    }
}

const fn device(letter: &Letter) -> Option<&String> {
    match letter {
        Letter::PasswordChanged { incident, .. }
        | Letter::PasswordWasReset { incident, .. }
        | Letter::NewDevice { incident, .. }
        | Letter::TokenReused { incident, .. } => Some(&incident.device),
        Letter::Verification { .. }
        | Letter::AlreadyRegistered { .. }
        | Letter::PasswordReset { .. }
        | Letter::PasswordSwitchedOff { .. } => None,
    }
}

struct Words<'a> {
    texts: &'a Texts,
    recipient: &'a Recipient<'a>,
    device: Option<String>,
}

impl Words<'_> {
    /// A text; every one may name the site, the recipient's address and the device.
    fn say(&self, id: &str) -> String {
        let values: [(&str, Argument<'_>); 3] = [
            ("site", self.recipient.site.into()),
            ("email", self.recipient.address.as_str().into()),
            ("device", self.device.as_deref().unwrap_or_default().into()),
        ];
        self.texts.say_with(id, &values).into_owned()
    }

    fn paragraph(&self, id: &str) -> Block {
        Block::Paragraph(self.say(id))
    }

    fn button(&self, id: &str, link: &str) -> Block {
        Block::Button { label: self.say(id), link: link.to_owned() }
    }

    fn validity(&self, id: &str, seconds: u64) -> Block {
        Block::Paragraph(self.texts.say_with(id, &[("time", self.texts.span(seconds).into())]).into_owned())
    }

    fn facts(&self, incident: &Incident) -> Block {
        let address = incident.address.clone().unwrap_or_else(|| self.say("unknown-place"));
        Block::Facts(vec![
            (self.say("mail-fact-when"), self.texts.moment(incident.at)),
            (self.say("mail-fact-device"), self.texts.device(&incident.device)),
            (self.say("mail-fact-place"), address),
        ])
    }

    fn blocks(&self, letter: &Letter) -> Vec<Block> {
        match letter {
            Letter::Verification { code, code_valid_seconds, link, link_valid_seconds } => vec![
                self.paragraph("mail-verification-text"),
                Block::Code(code.clone()),
                self.validity("mail-verification-code-expiry", *code_valid_seconds),
                self.paragraph("mail-verification-link-text"),
                self.button("mail-verification-button", link),
                self.validity("mail-verification-link-expiry", *link_valid_seconds),
            ],
            Letter::AlreadyRegistered { sign_in_link, forgot_link } => vec![
                self.paragraph("mail-known-text"),
                self.button("mail-known-button", sign_in_link),
                self.paragraph("mail-known-reset-text"),
                Block::Link(forgot_link.clone()),
            ],
            Letter::PasswordReset { link, valid_seconds } => vec![
                self.paragraph("mail-reset-text"),
                self.button("mail-reset-button", link),
                self.validity("mail-reset-expiry", *valid_seconds),
            ],
            Letter::PasswordChanged { incident, forgot_link } => {
                self.incident("mail-password-changed-text", incident, forgot_link)
            }
            Letter::PasswordWasReset { incident, forgot_link } => {
                self.incident("mail-password-reset-done-text", incident, forgot_link)
            }
            Letter::NewDevice { incident, forgot_link } => self.incident("mail-new-device-text", incident, forgot_link),
            Letter::TokenReused { incident, forgot_link } => vec![
                self.paragraph("mail-reuse-text"),
                self.facts(incident),
                self.paragraph("mail-reuse-next"),
                self.button("mail-reuse-button", forgot_link),
            ],
            Letter::PasswordSwitchedOff { at, forgot_link } => vec![
                self.paragraph("mail-switched-off-text"),
                Block::Facts(vec![(self.say("mail-fact-when"), self.texts.moment(*at))]),
                self.paragraph("mail-switched-off-next"),
                self.button("mail-switched-off-button", forgot_link),
            ],
        }
    }

    fn incident(&self, text: &str, incident: &Incident, forgot_link: &str) -> Vec<Block> {
        vec![self.paragraph(text), self.facts(incident), self.button("mail-secure-button", forgot_link)]
    }
}
