//! What every page shows, as plain data that has already been decided on, and its template. Nothing here reads a
//! request or asks a use case.
//!
//! A page is a struct that derives [`askama::Template`]; its `page` field carries what all pages share. Templates
//! escape every value; none of them marks anything as safe.

mod account;
mod assets;
mod authorize;
mod failure;
mod field;
mod message;
mod notice;
mod page;
pub mod paths;
mod problem;
mod sign_in;
mod sign_up;

pub use account::{
    Account, AccountAppearance, AccountApplications, AccountPassword, AccountProfile, AccountSessions, ApplicationRow,
    SessionRow,
};
pub use assets::{Asset, MARK, SCRIPT, STYLESHEET, find_asset};
pub use authorize::{
    AuthorizeError, ChooseAccount, ConfirmDevice, ConfirmLogout, Consent, DeviceCode, FormPost, Leave,
};
pub use failure::{Failure, FailureKind};
pub use field::{Field, Problems};
pub use message::{Message, MessageKind, SignedOut};
pub use notice::{Notice, Tone};
pub use page::{Page, Theme};
pub use problem::Problem;
pub use sign_in::{Forgot, ForgotSent, Login, Reset};
pub use sign_up::{FirstAdministrator, Signup, Verify, VerifyLink};
