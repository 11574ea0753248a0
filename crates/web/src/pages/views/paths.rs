//! The addresses that pages link and post to.

/// The start page.
pub const START: &str = "/";
/// Sign up.
pub const SIGNUP: &str = "/signup";
/// Confirm an address with the code.
pub const VERIFY: &str = "/verify";
/// Confirm an address by its link: whoever opened it chooses the password.
pub const VERIFY_LINK: &str = "/verify/link";
/// Send the mail of a sign-up again.
pub const VERIFY_RESEND: &str = "/verify/resend";
/// Sign in.
pub const LOGIN: &str = "/login";
/// Sign out.
pub const LOGOUT: &str = "/logout";
/// Ask for a reset link.
pub const FORGOT: &str = "/forgot";
/// Choose a new password by a link.
pub const RESET: &str = "/reset";
/// Create the first administrator by the one-time link.
pub const SETUP: &str = "/setup";
/// The account: profile.
pub const ACCOUNT: &str = "/account";
/// The account: password.
pub const ACCOUNT_PASSWORD: &str = "/account/password";
/// The account: devices.
pub const ACCOUNT_SESSIONS: &str = "/account/sessions";
/// End one session.
pub const ACCOUNT_SESSIONS_END: &str = "/account/sessions/end";
/// End every session but this one.
pub const ACCOUNT_SESSIONS_END_OTHERS: &str = "/account/sessions/end-others";
/// The account: applications.
pub const ACCOUNT_APPLICATIONS: &str = "/account/applications";
/// Take back what an application may have.
pub const ACCOUNT_APPLICATIONS_REVOKE: &str = "/account/applications/revoke";
/// The account: appearance.
pub const ACCOUNT_APPEARANCE: &str = "/account/appearance";
/// The same as [`PREFERENCES`], for the forms of somebody who is signed in.
pub const ACCOUNT_PREFERENCES: &str = "/account/preferences";
/// Keeps language and appearance in a cookie of this browser.
pub const PREFERENCES: &str = "/preferences";
/// Answer the question whether an application may have what it asks for.
pub const CONSENT: &str = doorward_app::oauth::paths::CONSENT;
/// Say which account to go on with.
pub const CHOOSE_ACCOUNT: &str = doorward_app::oauth::paths::ACCOUNT;
/// Answer the question whether to sign out.
pub const CONFIRM_LOGOUT: &str = doorward_app::oauth::paths::CONFIRM_LOGOUT;
/// Type the code that a device shows.
pub const DEVICE: &str = doorward_app::oauth::paths::DEVICE;
/// Answer the question whether an application on another device may have what it asks for.
pub const ANSWER_DEVICE: &str = doorward_app::oauth::paths::ANSWER_DEVICE;
