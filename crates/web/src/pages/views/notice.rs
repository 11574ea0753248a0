//! What just happened, said at the top of the page that comes next.

/// How a notice is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something was done.
    Success,
    /// Something to know.
    Info,
    /// Something to watch.
    Warning,
}

impl Tone {
    /// The name its style goes by.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Info => "info",
            Self::Warning => "warning",
        }
    }

    /// The id of the word read out before it.
    pub const fn text_id(self) -> &'static str {
        match self {
            Self::Success => "notice-success",
            Self::Info => "notice-info",
            Self::Warning => "notice-warning",
        }
    }
}

macro_rules! notices {
    ($($(#[$doc:meta])* $name:ident, $slug:literal, $tone:ident;)*) => {
        /// What just happened. The slug travels in the address after a form was sent (`/login?notice=signed-out`);
        /// it is one of a closed set and only chooses a sentence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Notice {
            $($(#[$doc])* $name,)*
        }

        impl Notice {
            /// Every notice.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in an address.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// How it is meant.
            pub const fn tone(self) -> Tone {
                match self { $(Self::$name => Tone::$tone,)* }
            }

            /// The id of its sentence.
            pub const fn text_id(self) -> &'static str {
                match self { $(Self::$name => concat!("notice-", $slug),)* }
            }
        }
    };
}

notices! {
    /// The person signed out.
    SignedOut, "signed-out", Success;
    /// The session reached its idle or absolute limit.
    SessionExpired, "session-expired", Info;
    /// The session was ended from elsewhere.
    SessionEnded, "session-ended", Warning;
    /// The page asked for needs a session.
    SignInFirst, "sign-in-first", Info;
    /// The address of a sign-up was confirmed.
    EmailConfirmed, "email-confirmed", Success;
    /// A new password was chosen by a mailed link.
    PasswordReset, "password-reset", Success;
    /// The password was changed in the account.
    PasswordChanged, "password-changed", Success;
    /// The mail of a sign-up was sent again.
    MailSentAgain, "mail-sent-again", Success;
    /// The first administrator was created.
    AdministratorCreated, "administrator-created", Success;
    /// Name and language were saved.
    ProfileSaved, "profile-saved", Success;
    /// One session was ended.
    DeviceSignedOut, "device-signed-out", Success;
    /// All other sessions were ended.
    OthersSignedOut, "others-signed-out", Success;
    /// An application has no access any more.
    ApplicationRevoked, "application-revoked", Success;
    /// The appearance was saved.
    AppearanceSaved, "appearance-saved", Success;
}

impl Notice {
    /// Reads [`Notice::slug`].
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|notice| notice.slug() == slug)
    }
}
