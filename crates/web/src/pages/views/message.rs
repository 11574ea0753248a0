//! A page that only says what happened and what to do next.

use askama::Template;

use super::{Page, paths};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// A sign-up ended: five wrong codes, or too old.
    SignupEnded,
    /// A verification link that no longer works.
    VerificationLinkInvalid,
    /// A reset link that no longer works.
    ResetLinkInvalid,
    /// The set-up link no longer works.
    SetupLinkInvalid,
    /// Sign-in or sign-up by somebody who is signed in.
    AlreadySignedIn,
    /// A form of a flow that ended or was finished elsewhere.
    FlowEnded,
    /// An application on another device may have what it asked for.
    DeviceAllowed,
    /// It may not.
    DeviceDenied,
}

/// Title, text, and the next steps: the first is the main one.
struct Words {
    title: &'static str,
    text: &'static str,
    next: &'static [(&'static str, &'static str)],
}

const SIGN_IN: (&str, &str) = ("message-next-login", paths::LOGIN);
const SIGN_UP: (&str, &str) = ("message-next-signup", paths::SIGNUP);
const NEW_LINK: (&str, &str) = ("message-next-forgot", paths::FORGOT);
const OWN_ACCOUNT: (&str, &str) = ("message-next-account", paths::ACCOUNT);

impl MessageKind {
    /// Every message.
    pub const ALL: [Self; 8] = [
        Self::SignupEnded,
        Self::VerificationLinkInvalid,
        Self::ResetLinkInvalid,
        Self::SetupLinkInvalid,
        Self::AlreadySignedIn,
        Self::FlowEnded,
        Self::DeviceAllowed,
        Self::DeviceDenied,
    ];

    const fn words(self) -> Words {
        match self {
            Self::SignupEnded => Words {
                title: "message-signup-ended-title",
                text: "message-signup-ended-text",
                next: &[SIGN_UP, SIGN_IN],
            },
            Self::VerificationLinkInvalid => Words {
                title: "message-link-invalid-title",
                text: "message-verification-link-text",
                next: &[SIGN_IN, SIGN_UP],
            },
            Self::ResetLinkInvalid => Words {
                title: "message-link-invalid-title",
                text: "message-reset-link-text",
                next: &[NEW_LINK, SIGN_IN],
            },
            Self::SetupLinkInvalid => {
                Words { title: "message-link-invalid-title", text: "message-first-link-text", next: &[SIGN_IN] }
            }
            Self::AlreadySignedIn => Words {
                title: "message-already-signed-in-title",
                text: "message-already-signed-in-text",
                next: &[OWN_ACCOUNT],
            },
            Self::FlowEnded => {
                Words { title: "message-flow-ended-title", text: "message-flow-ended-text", next: &[SIGN_IN] }
            }
            Self::DeviceAllowed => Words {
                title: "message-device-allowed-title",
                text: "message-device-allowed-text",
                next: &[OWN_ACCOUNT],
            },
            Self::DeviceDenied => {
                Words { title: "message-device-denied-title", text: "message-device-denied-text", next: &[OWN_ACCOUNT] }
            }
        }
    }
}

/// Says what happened and what to do next.
#[derive(Template, Clone, Debug)]
#[template(path = "message.html")]
pub struct Message {
    /// What all pages share.
    pub page: Page,
    /// What happened.
    pub kind: MessageKind,
}

/// Says that somebody is signed out, while applications are told in frames (Front-Channel Logout 1.0).
#[derive(Template, Clone, Debug)]
#[template(path = "signed_out.html")]
pub struct SignedOut {
    /// What all pages share.
    pub page: Page,
    /// What the frames show.
    pub frames: Vec<String>,
    /// Where to go on.
    pub next: String,
}
