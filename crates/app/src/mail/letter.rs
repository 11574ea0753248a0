//! Every mail the product sends, and the facts in it.

use std::fmt;

use doorward_model::time::Timestamp;

/// When and where something happened, for the mails that tell of it.
#[derive(Clone, Debug)]
pub struct Incident {
    /// When.
    pub at: Timestamp,
    /// The label of the browser, as [`doorward_model::device::label`] makes it.
    pub device: String,
    /// The network address, as text; none where it is not known.
    pub address: Option<String>,
}

/// A mail and the facts in it. Links are complete addresses built from `public_url`, with the token in the
/// parameter `token`.
#[derive(Clone)]
pub enum Letter {
    /// Confirm the address of a new sign-up.
    Verification {
        /// The 6-digit code, for the browser that signed up.
        code: String,
        /// How long the code works.
        code_valid_seconds: u64,
        /// The page on which whoever opens it chooses the password.
        link: String,
        /// How long the link works.
        link_valid_seconds: u64,
    },
    /// Somebody signed up with the address of an account that exists.
    AlreadyRegistered {
        /// The sign-in page.
        sign_in_link: String,
        /// The page that sends a reset link.
        forgot_link: String,
    },
    /// A link to choose a new password.
    PasswordReset {
        /// The page on which it is chosen.
        link: String,
        /// How long it works.
        valid_seconds: u64,
    },
    /// The password was changed by somebody signed in.
    PasswordChanged {
        /// When and where.
        incident: Incident,
        /// The page that sends a reset link.
        forgot_link: String,
    },
    /// The password was replaced by means of a mailed link.
    PasswordWasReset {
        /// When and where.
        incident: Incident,
        /// The page that sends a reset link.
        forgot_link: String,
    },
    /// Somebody signed in from a browser not seen with this account before.
    NewDevice {
        /// When and where.
        incident: Incident,
        /// The page that sends a reset link.
        forgot_link: String,
    },
    /// A refresh token was used by two parties, and the sign-in it came from has been ended.
    TokenReused {
        /// When the reuse was seen, the device the sign-in was made on, and the address it was seen from.
        incident: Incident,
        /// The page that sends a reset link.
        forgot_link: String,
    },
    /// The password no longer works on unknown devices, because strangers kept guessing.
    PasswordSwitchedOff {
        /// When.
        at: Timestamp,
        /// The page that sends a reset link.
        forgot_link: String,
    },
}

impl Letter {
    /// A stable name for records and metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Verification { .. } => "verification",
            Self::AlreadyRegistered { .. } => "already_registered",
            Self::PasswordReset { .. } => "password_reset",
            Self::PasswordChanged { .. } => "password_changed",
            Self::PasswordWasReset { .. } => "password_was_reset",
            Self::NewDevice { .. } => "new_device",
            Self::TokenReused { .. } => "token_reused",
            Self::PasswordSwitchedOff { .. } => "password_switched_off",
        }
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("kind", &self.kind()).finish_non_exhaustive()
    }
}
